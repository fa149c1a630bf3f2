import type { ColumnStore } from '@flowledger/column-store';
import { ROLLUPS, type Rollup } from '../repair/rollups.js';
import { filledPlan, planOf } from '../sql.js';

/** Digest of one hour of one table in one log partition. */
export interface HourDigest {
  /** Start, s since 1970. */
  readonly hour: number;
  readonly rows: string;
  /** Sum of row hashes; equal rows give equal sums in any order. */
  readonly digest: string;
}

/** Which records of the log a digest is about: [from, end) of one partition. */
export interface DigestRange {
  readonly epoch: bigint;
  readonly partition: number;
  readonly from: bigint;
  readonly end: bigint;
}

interface RawTable {
  readonly table: string;
  /** Column that says which hour a row belongs to. */
  readonly time: string;
  readonly final: boolean;
}

/** Tables whose rows carry a log position. */
const RAW_TABLES: readonly RawTable[] = [
  { table: 'flows', time: 'bucket_time', final: false },
  { table: 'events', time: 'bucket_time', final: false },
  { table: 'dead_letters', time: 'received', final: true },
  { table: 'skipped_events', time: 'received', final: true },
];

/** Every table whose replay is compared. */
export const COMPARED_TABLES: readonly string[] = [...RAW_TABLES, ...ROLLUPS].map(({ table }) => table);

/** Digests of all compared tables, by table; rollups hold whole hours, whatever the range. */
export async function tableDigests(
  store: ColumnStore,
  range: DigestRange,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly HourDigest[]>> {
  const digests = new Map<string, readonly HourDigest[]>();
  for (const raw of RAW_TABLES) digests.set(raw.table, await rawDigest(store, raw, range, signal));
  for (const rollup of ROLLUPS) digests.set(rollup.table, await rollupDigest(store, rollup, range, signal));
  return digests;
}

async function rawDigest(
  store: ColumnStore,
  { table, time, final }: RawTable,
  range: DigestRange,
  signal: AbortSignal,
): Promise<readonly HourDigest[]> {
  const columns = await store.query<{ name: string }>(planOf('table_columns', { table }), signal);
  const values = columns.rows.map(({ name }) => name).join(', ');
  const fragments = { table: final ? `${table} FINAL` : table, time, values };
  return (await store.query<HourDigest>(filledPlan('raw_digest', fragments, { ...range }), signal)).rows;
}

async function rollupDigest(
  store: ColumnStore,
  rollup: Rollup,
  { partition }: DigestRange,
  signal: AbortSignal,
): Promise<readonly HourDigest[]> {
  const { table, keys, sums, histograms, minima, maxima } = rollup;
  const maps = histograms.map(
    (name) => `arraySort(arrayFilter(e -> e.2 != 0, CAST(${name}, 'Array(Tuple(UInt16, Int64))')))`,
  );
  const fragments = {
    table,
    values: [...keys, ...sums, ...maps, ...minima, ...maxima].join(', '),
    live: sums.map((name) => `${name} != 0`).join(' OR '),
  };
  return (await store.query<HourDigest>(filledPlan('rollup_digest', fragments, { partition }), signal)).rows;
}
