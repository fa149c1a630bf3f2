import type { FetchedRecord } from './protocol.js';

/** Header of a record that says how many events its envelope holds, as decimal text. */
export const EVENTS_HEADER = 'flowledger.events';

/**
 * Header of the first record of a batch: `<offset>:<events>`, how many events the records before an offset of this
 * partition hold, as far as the writer knew when it sent the batch. True wherever the batch comes to lie, because what
 * lies before an offset never changes.
 */
export const COUNT_HEADER = 'flowledger.count';

/** A fact about a partition that never changes: how many events the records before an offset hold. */
export interface CountPoint {
  readonly offset: bigint;
  readonly events: bigint;
}

type Header = FetchedRecord['headers'][string];

/** Events that {@link EVENTS_HEADER} states; 0 for anything that is no count. */
export function eventsIn(header: Header): number {
  const events = header === undefined ? 0 : Number(header.toString());
  return Number.isSafeInteger(events) && events >= 0 ? events : 0;
}

/** Value of {@link COUNT_HEADER}, also of the records of the counts topic. */
export function encodePoint({ offset, events }: CountPoint): string {
  return `${offset}:${events}`;
}

/** Reads {@link encodePoint} back; undefined for anything else. */
export function decodePoint(header: Header | null): CountPoint | undefined {
  const found = /^(\d{1,19}):(\d{1,19})$/.exec(header?.toString() ?? '');
  if (found === null) return undefined;
  return { offset: BigInt(found[1] ?? 0), events: BigInt(found[2] ?? 0) };
}
