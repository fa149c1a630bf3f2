/**
 * Text of an address in an `IPv6` column (16 bytes in network order) as ClickHouse writes it: the longest run of two
 * or more zero groups shortened, IPv4 in its mapped or compatible form with dots.
 */
export function columnAddress(bytes: Uint8Array, at: number): string {
  const group = (i: number): number => ((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0);
  const dotted = (): string => `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}`;
  const [start, length] = longestZeros(group);
  if (start === 0 && length === 5 && group(5) === 0xffff) return `::ffff:${dotted()}`;
  if (start === 0 && length === 6) return `::${dotted()}`;
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (length > 0 && i === start) {
      text += '::';
      i += length - 1;
    } else text += `${text === '' || text.endsWith(':') ? '' : ':'}${group(i).toString(16)}`;
  }
  return text;
}

function longestZeros(group: (i: number) => number): readonly [start: number, length: number] {
  let [best, longest] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && group(end) === 0) end++;
    if (end - i > longest) [best, longest] = [i, end - i];
    if (end > i) i = end;
  }
  return longest < 2 ? [0, 0] : [best, longest];
}
