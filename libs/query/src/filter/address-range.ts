import { isIP } from 'node:net';

/** First and last address of a block, as IPv6 text; IPv4 is written `::ffff:a.b.c.d`, as the columns keep it. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

const ALL_ONES = (1n << 128n) - 1n;
const V4_PREFIX = 0xffffn << 32n;

function parseV4(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseGroups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const tail = parseV4(group);
    return [tail >> 16n, tail & 0xffffn];
  });
}

function parseV6(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  const middle = Array.from({ length: 8 - left.length - right.length }, () => 0n);
  return [...left, ...middle, ...right].reduce((value, group) => (value << 16n) | group, 0n);
}

function text(address: bigint): string {
  if (address >> 32n === 0xffffn) {
    const bytes = [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn);
    return `::ffff:${bytes.join('.')}`;
  }
  const groups = Array.from({ length: 8 }, (_, index) => (address >> BigInt(112 - 16 * index)) & 0xffffn);
  return groups.map((group) => group.toString(16)).join(':');
}

/** An address or a CIDR block (host bits allowed, as in Go's netip); undefined for anything else, zones included. */
export function parseAddressRange(value: string): AddressRange | undefined {
  const [address = '', bits, ...rest] = value.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const width = version === 4 ? 32 : 128;
  if (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const length = bits === undefined ? width : Number(bits);
  if (length > width) return undefined;
  const number = version === 4 ? V4_PREFIX | parseV4(address) : parseV6(address);
  const hostMask = ALL_ONES >> BigInt(128 - width + length);
  return { first: text(number & (ALL_ONES ^ hostMask)), last: text(number | hostMask) };
}
