/** Text of an address as flows show it: IPv4 without the prefix that maps it into IPv6. */
export function addressText(text: string): string {
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
}
