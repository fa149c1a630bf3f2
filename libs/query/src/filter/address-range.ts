import { isIP } from 'node:net';

/** A block of addresses: 128-bit numbers, IPv4 as `::ffff:a.b.c.d`, as the columns keep it. */
export interface AddressRange {
  readonly low: bigint;
  readonly high: bigint;
  /** The block spans all of IPv4 without being IPv4: `::/0` and the like, which match no IPv4 address (netip's rule). */
  readonly aroundV4: boolean;
}

const ALL_ONES = (1n << 128n) - 1n;
const V4_LOW = 0xffffn << 32n;
const V4_HIGH = V4_LOW | 0xffff_ffffn;

/** The IPv4 addresses as a block. */
export const V4_BLOCK: AddressRange = { low: V4_LOW, high: V4_HIGH, aroundV4: false };

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

/** An address as a number; undefined when the text is none. Zones are none. */
export function addressNumber(text: string): bigint | undefined {
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0) return undefined;
  return version === 4 ? V4_LOW | parseV4(text) : parseV6(text);
}

/** An address as IPv6 text; IPv4 is written `::ffff:a.b.c.d`. */
export function addressText(address: bigint): string {
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
  const number = addressNumber(address);
  if (number === undefined || rest.length > 0) return undefined;
  const width = address.includes(':') ? 128 : 32;
  if (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const length = bits === undefined ? width : Number(bits);
  if (length > width) return undefined;
  const hostMask = ALL_ONES >> BigInt(128 - width + length);
  const [low, high] = [number & (ALL_ONES ^ hostMask), number | hostMask];
  return { low, high, aroundV4: low <= V4_LOW && high >= V4_HIGH && high - low > V4_HIGH - V4_LOW };
}

/** An IPv4 address in canonical text as a number, without BigInt, since every live flow is asked; -1 for other texts. */
function v4Number(text: string): number {
  let [address, part, dots] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      address = address * 256 + part;
      part = 0;
      dots++;
    } else if (code >= 0x30 && code <= 0x39) part = part * 10 + code - 0x30;
    else return -1;
  }
  return dots === 3 ? address * 256 + part : -1;
}

/** A test of address texts as flows show them; a text that is no address lies in no block. */
export function inRange({ low, high, aroundV4 }: AddressRange): (text: string) => boolean {
  const v4 = low >= V4_LOW && high <= V4_HIGH;
  const [v4Low, v4High] = v4 ? [Number(low - V4_LOW), Number(high - V4_LOW)] : [1, 0];
  return (text) => {
    const number = v4Number(text);
    if (number >= 0) return number >= v4Low && number <= v4High;
    const address = v4 && !text.includes('.') ? undefined : addressNumber(text);
    if (address === undefined || address < low || address > high) return false;
    return !aroundV4 || address < V4_LOW || address > V4_HIGH;
  };
}
