import { createHash } from 'node:crypto';
import type { FlowFilters } from '../filter/flow-filter.js';

/**
 * Where a row is: its time and its identity in the log. The time is `bucket_time`, which replay does not change, so
 * cursors and ids survive replay.
 */
export interface FlowPosition {
  readonly bucketNs: bigint;
  readonly logEpoch: bigint;
  readonly partition: number;
  readonly offset: bigint;
  readonly index: number;
}

const CURSOR_VERSION = 'c1';
const ID_VERSION = 'f1';

function encode(version: string, at: FlowPosition, more: readonly string[]): string {
  const parts = [version, at.bucketNs, at.logEpoch, at.partition, at.offset, at.index, ...more];
  return Buffer.from(parts.join(':')).toString('base64url');
}

function decode(
  text: string,
  version: string,
  extra: number,
): { at: FlowPosition; more: readonly string[] } | undefined {
  const parts = Buffer.from(text, 'base64url').toString('latin1').split(':');
  if (parts.length !== 6 + extra || parts[0] !== version) return undefined;
  const numbers = parts.slice(1, 6);
  if (!numbers.every((part) => /^\d{1,20}$/.test(part))) return undefined;
  const [bucketNs = 0n, logEpoch = 0n, partition = 0n, offset = 0n, index = 0n] = numbers.map(BigInt);
  const fits = bucketNs < 1n << 63n && partition < 65_536n && index < 1n << 32n;
  if (!fits || logEpoch >= 1n << 64n || offset >= 1n << 64n) return undefined;
  const at = { bucketNs, logEpoch, partition: Number(partition), offset, index: Number(index) };
  return { at, more: parts.slice(6) };
}

/** The GraphQL id of a flow. */
export function encodeFlowId(at: FlowPosition): string {
  return encode(ID_VERSION, at, []);
}

/** Position behind an id; undefined when the text is no id of ours. */
export function decodeFlowId(id: string): FlowPosition | undefined {
  return decode(id, ID_VERSION, 0)?.at;
}

/** An opaque cursor: the position and the filters it belongs to. */
export function encodeCursor(at: FlowPosition, filterHash: string): string {
  return encode(CURSOR_VERSION, at, [filterHash]);
}

/** Position behind a cursor; undefined when it is damaged, of another version, or made with other filters. */
export function decodeCursor(cursor: string, filterHash: string): FlowPosition | undefined {
  const decoded = decode(cursor, CURSOR_VERSION, 1);
  return decoded?.more[0] === filterHash ? decoded.at : undefined;
}

function canonical(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(
    ([, part]) => part !== undefined && part !== null && !(Array.isArray(part) && part.length === 0),
  );
  return entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]): [string, unknown] => [key, canonical(part)]);
}

/** Short hash of the filters: equal for equal filters, whatever the order of keys and whichever fields are null. */
export function hashFilters(filters: FlowFilters | null | undefined): string {
  const text = JSON.stringify(canonical(filters ?? {}));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
