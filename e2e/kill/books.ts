import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { decodeEnvelope } from '@flowledger/model';

const LIMITS = { max_execution_time: 300, max_result_rows: 10_000_000 };
const ID_TABLES = ['flows', 'events', 'dead_letters', 'skipped_events'];
const ROLLUPS = ['red_1m', 'red_1h', 'red_edges_1h', 'edges_1m', 'edges_1h', 'drops_1m'];

/** What the check of all books found; every list is empty when they close. */
export interface BooksReport {
  readonly eventsInLog: number;
  readonly rows: Readonly<Record<string, number>>;
  readonly missingIds: readonly string[];
  readonly surplusIds: readonly string[];
  readonly rollupDifferences: Readonly<Record<string, number>>;
  readonly missingUuids: readonly string[];
}

/**
 * Compares ids, not only counts: every (partition, offset, index) of the log is exactly once in exactly one table; every
 * rollup equals its view's own SELECT over the raw rows; every acknowledged uuid is a row.
 */
export async function checkBooks(
  log: EventLog,
  store: ColumnStore,
  acknowledged: ReadonlySet<string>,
): Promise<BooksReport> {
  const inLog = await idsOfLog(log);
  const rows: Record<string, number> = {};
  const surplus: string[] = [];
  const seen = new Set<string>();
  for (const table of ID_TABLES) {
    const final = table === 'flows' || table === 'events' ? '' : 'FINAL';
    const ids = await select<{ id: string }>(
      store,
      `SELECT concat(toString(_lp), '/', toString(_lo), '/', toString(_li)) AS id FROM ${table} ${final} WHERE _le = {epoch:UInt64}`,
      { epoch: log.epoch },
    );
    rows[table] = ids.length;
    for (const { id } of ids) {
      if (!inLog.has(id) || seen.has(id)) surplus.push(`${table} ${id}`);
      seen.add(id);
    }
  }
  const rollupDifferences: Record<string, number> = {};
  for (const rollup of ROLLUPS) rollupDifferences[rollup] = await rollupDifference(store, rollup);
  const stored = new Set(
    (await select<{ uuid: string }>(store, 'SELECT DISTINCT toString(uuid) AS uuid FROM flows', {})).map(
      (r) => r.uuid,
    ),
  );
  return {
    eventsInLog: inLog.size,
    rows,
    missingIds: [...inLog].filter((id) => !seen.has(id)).slice(0, 20),
    surplusIds: surplus.slice(0, 20),
    rollupDifferences,
    missingUuids: [...acknowledged].filter((uuid) => !stored.has(uuid)).slice(0, 20),
  };
}

async function idsOfLog(log: EventLog): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let partition = 0; partition < log.partitions; partition++) {
    const bounds = await log.bounds(partition);
    let next = bounds.start;
    while (next < bounds.end) {
      const { records } = await log.read(partition, next, { maxBytes: 8 * 2 ** 20, maxWaitMs: 0 });
      for (const record of records) {
        const envelope = decodeEnvelope(record.value);
        const count = envelope.ok ? envelope.value.events.length : 1;
        for (let i = 0; i < count; i++) ids.add(`${partition}/${record.offset}/${i}`);
        next = record.offset + 1n;
      }
      if (records.length === 0)
        throw new Error(`partition ${partition} ends at ${next}, not at ${bounds.end}`);
    }
  }
  return ids;
}

/** Rows that differ between a rollup and its view's SELECT over `flows`, both ways. */
async function rollupDifference(store: ColumnStore, rollup: string): Promise<number> {
  const [view] = await select<{ as_select: string }>(
    store,
    `SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}`,
    { view: `${rollup}_mv` },
  );
  if (view === undefined) throw new Error(`no view feeds ${rollup}`);
  const columns = await select<{ name: string }>(
    store,
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {rollup:String} ORDER BY position`,
    { rollup },
  );
  const list = columns.map((c) => c.name).join(', ');
  const sums = await select<{ name: string }>(
    store,
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {rollup:String} AND type LIKE '%(sum, %'`,
    { rollup },
  );
  const live = sums.map((c) => `${c.name} != 0`).join(' OR ');
  const stored = `SELECT ${list} FROM ${rollup} FINAL WHERE ${live}`;
  const recomputed = `SELECT ${list} FROM (${view.as_select}) WHERE ${live}`;
  const [row] = await select<{ n: string }>(
    store,
    `SELECT toString((SELECT count() FROM ((${stored}) EXCEPT (${recomputed}))) + (SELECT count() FROM ((${recomputed}) EXCEPT (${stored})))) AS n`,
    {},
  );
  return Number(row?.n ?? Number.NaN);
}

async function select<Row>(
  store: ColumnStore,
  sql: string,
  params: Record<string, string | bigint>,
): Promise<readonly Row[]> {
  return (await store.query<Row>({ name: 'check_books', sql, params, settings: LIMITS })).rows;
}
