import type { ColumnBatch, ProjectedBatches } from '@flowledger/model';
import type { LoadIntent } from './intent.js';

/** Whole records of one partition with the rows they became. */
export interface LoadBatch {
  readonly from: bigint;
  /** Inclusive. */
  readonly to: bigint;
  /** When the log took the first record, ms since 1970. */
  readonly appendedMs: number;
  readonly projected: ProjectedBatches;
}

/** What became of all events of a batch. */
export interface BatchAccount {
  readonly events: number;
  readonly flows: number;
  readonly otherEvents: number;
  readonly duplicates: number;
  readonly dead: number;
  readonly skipped: number;
  /** Received times of the envelopes, ms since 1970; 0 when none could be read. */
  readonly firstReceivedMs: number;
  readonly lastReceivedMs: number;
  /** First and last minute of the rows, s since 1970; 0 when there are none. */
  readonly minutes: readonly [number, number];
}

/** Sums the accounts of a batch's records. */
export function accountOf(batch: LoadBatch): BatchAccount {
  const sum = { events: 0, flows: 0, otherEvents: 0, duplicates: 0, dead: 0, skipped: 0 };
  let [first, last] = [Infinity, 0];
  for (const account of batch.projected.accounts) {
    sum.events += account.events;
    sum.flows += account.flows;
    sum.otherEvents += account.otherEvents;
    sum.duplicates += account.duplicates;
    sum.dead += account.dead;
    sum.skipped += account.skipped;
    if (account.receivedMs === 0) continue;
    first = Math.min(first, account.receivedMs);
    last = Math.max(last, account.receivedMs);
  }
  return {
    ...sum,
    firstReceivedMs: last === 0 ? 0 : first,
    lastReceivedMs: last,
    minutes: minutesOf(batch.projected),
  };
}

const MINUTE_NS = 60_000_000_000n;

function minutesOf({ bucketTimes }: ProjectedBatches): readonly [number, number] {
  const ranges = [bucketTimes.flows, bucketTimes.events].filter((range) => range !== undefined);
  if (ranges.length === 0) return [0, 0];
  const minute = (time: bigint): number => Number(time / MINUTE_NS) * 60;
  return [
    Math.min(...ranges.map((range) => minute(range.min))),
    Math.max(...ranges.map((range) => minute(range.max))),
  ];
}

/** Tables whose rows are a set (written twice, they are still there once), in the order they are written: first these. */
export function sideTables({ labelSets, endpoints }: ProjectedBatches): readonly ColumnBatch[] {
  return [labelSets, endpoints];
}

/** Tables of facts: a row written twice counts twice, so they are verified. Written after the side tables. */
export function factTables({ flows, events }: ProjectedBatches): readonly ColumnBatch[] {
  return [flows, events];
}

/** Books of what is in no table of facts; sets again. Written after the facts. */
export function bookTables({ deadLetters, skippedEvents }: ProjectedBatches): readonly ColumnBatch[] {
  return [deadLetters, skippedEvents];
}

/** The announcement of a batch. */
export function intentOf(batch: LoadBatch): LoadIntent {
  const { projected, from, to } = batch;
  const counts: Record<string, number> = {};
  for (const { table, rows } of [...factTables(projected), ...bookTables(projected)]) counts[table] = rows;
  return { from, to, counts, minutes: minutesOf(projected) };
}
