import { quotedName, type ColumnStore, type QueryPlan } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { filledPlan, planOf } from '../sql.js';

/** First replayed offset of one partition. */
export interface ReplayedFrom {
  readonly epoch: bigint;
  readonly partition: number;
  readonly from: bigint;
}

/** Tables partitioned by day: whole days are replaced, and days that the log covers in part are left as they are. */
const DAY_TABLES = ['flows', 'events', 'red_1m', 'red_edges_1h', 'edges_1m', 'edges_1h', 'drops_1m'];
/** Tables replaced as a whole, after the rest of their rows was taken over. The ledger is last: it says that all is done. */
const WHOLE_TABLES = ['red_1h', 'dead_letters', 'skipped_events', 'load_ledger'];
const SET_TABLES = ['label_sets', 'endpoints'];

const PARTITION_ID = /^[0-9A-Za-z_-]+$/;
/** Copying and mutating tables of weeks takes its time. */
const LONG = { max_execution_time: 3600 };

/**
 * Completes the tables of a replay so that they may take the place of the live ones: takes over what the log does not
 * cover. The loader must be paused. Not repeatable: after a fault the replay begins again.
 */
export async function prepareSwap(
  live: ColumnStore,
  replayed: ColumnStore,
  beside: string,
  ranges: readonly ReplayedFrom[],
  signal: AbortSignal,
): Promise<void> {
  const params = rangeParams(ranges);
  const place = { beside: quotedName(beside) };
  for (const table of ['dead_letters', 'skipped_events', 'load_ledger']) {
    const offset = table === 'load_ledger' ? 'from_offset' : '_lo';
    const fragments = { ...place, table, offset, columns: await columnsOf(live, table, signal) };
    await live.command(filledPlan('keep_uncovered', fragments, params, LONG), signal);
  }
  const days = await uncoveredDays(live, ranges, signal);
  if (days.length > 0) {
    const table = 'red_1h';
    const settings = { ...LONG, mutations_sync: 2 };
    await live.command(filledPlan('forget_days', { ...place, table }, { days }, settings), signal);
    const fragments = { ...place, table, columns: await columnsOf(live, table, signal) };
    await live.command(filledPlan('keep_days', fragments, { days }, LONG), signal);
  }
  await replayed.command(planOf('replay_ranges_create', {}), signal);
  for (const { epoch, partition, from } of ranges)
    await replayed.command(planOf('replay_ranges_add', { epoch, partition, from }), signal);
}

/**
 * Puts the prepared tables of a replay in the place of the live ones, partition by partition. May be repeated until it
 * has run to its end; until then the tables are mixed and nothing may be loaded.
 */
export async function performSwap(live: ColumnStore, beside: string, signal: AbortSignal): Promise<void> {
  const { rows } = await live.query<{ epoch: string; lp: number; first: string }>(
    filledPlan('replay_ranges_read', { beside: quotedName(beside) }, {}),
    signal,
  );
  const ranges = rows.map(({ epoch, lp, first }) => ({
    epoch: BigInt(epoch),
    partition: lp,
    from: BigInt(first),
  }));
  const kept = new Set(await uncoveredDays(live, ranges, signal));
  for (const table of DAY_TABLES) await swapPartitions(live, beside, table, (id) => !kept.has(id), signal);
  for (const table of SET_TABLES) {
    const fragments = { beside: quotedName(beside), table, columns: await columnsOf(live, table, signal) };
    await live.command(filledPlan('swap_set', fragments, {}, LONG), signal);
  }
  for (const table of WHOLE_TABLES) await swapPartitions(live, beside, table, () => true, signal);
}

/** Days (partition ids) that batches outside the replayed ranges have rows in. */
export async function uncoveredDays(
  live: ColumnStore,
  ranges: readonly ReplayedFrom[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const plan = planOf('uncovered_days', rangeParams(ranges));
  return (await live.query<{ day: string }>(plan, signal)).rows.map(({ day }) => day);
}

async function swapPartitions(
  live: ColumnStore,
  beside: string,
  table: string,
  mayReplace: (id: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await live.query<{ id: string; replayed: number }>(
    planOf('table_partitions', { table, beside }),
    signal,
  );
  for (const { id, replayed } of rows) {
    if (!PARTITION_ID.test(id))
      throw new AppError('INTERNAL', `${table} has partition ${id}`, { retry: false });
    if (mayReplace(id)) await live.command(stepOf(table, id, beside, replayed === 1), signal);
  }
}

function stepOf(table: string, id: string, beside: string, replayed: boolean): QueryPlan {
  return replayed
    ? filledPlan('swap_partition', { beside: quotedName(beside), table, id }, {}, LONG)
    : filledPlan('drop_partition', { table, id }, {}, LONG);
}

async function columnsOf(store: ColumnStore, table: string, signal: AbortSignal): Promise<string> {
  const { rows } = await store.query<{ name: string }>(planOf('table_columns', { table }), signal);
  return rows.map(({ name }) => name).join(', ');
}

function rangeParams(ranges: readonly ReplayedFrom[]) {
  return {
    epoch: ranges[0]?.epoch ?? 0n,
    partitions: ranges.map((range) => range.partition),
    firsts: ranges.map((range) => range.from),
  };
}
