import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { repairableHours, rollupDifferences } from '../repair/rollup-repair.js';
import { ROLLUPS } from '../repair/rollups.js';
import { keptSince } from '../retention/kept-since.js';
import { filledPlan, planOf } from '../sql.js';

export interface AuditOptions {
  readonly log: EventLog;
  readonly store: ColumnStore;
  readonly rawTtlDays: number;
  readonly nowMs: number;
}

/** A table whose rows do not match what the ledger booked, within what has not begun to expire. */
export interface RowFault {
  readonly table: string;
  readonly booked: number;
  readonly rows: number;
  /** Rows that are different events; fewer than `rows` when some are there twice. */
  readonly ids: number;
}

export interface PartitionAudit {
  readonly partition: number;
  /** Events ever appended to the log. */
  readonly eventsInLog: number;
  readonly eventsInLedger: number;
  /** Events in records after the last batch of the ledger. */
  readonly pending: number;
  /** In the log and neither booked nor pending; 0 when the books close. */
  readonly unaccounted: number;
  /** Lines of the ledger that do not join the one before, or whose counts do not add up. */
  readonly ledgerBreaks: number;
  readonly rowFaults: readonly RowFault[];
  /** Rows of each rollup that differ from a recomputation; only rollups with such rows. */
  readonly rollupFaults: Readonly<Record<string, number>>;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly partitions: readonly PartitionAudit[];
}

const READ = { maxBytes: 8 * 1024 * 1024, maxWaitMs: 0 };

/**
 * Holds log, ledger, rows and rollups against each other (promises P2, P3 and P8). Reads all raw rows that have not
 * begun to expire; loading may go on, but what is being loaded at the moment may show as a row fault.
 */
export async function audit(options: AuditOptions, signal: AbortSignal): Promise<AuditReport> {
  const partitions: PartitionAudit[] = [];
  for (let partition = 0; partition < options.log.partitions; partition++)
    partitions.push(await auditPartition(options, partition, signal));
  const ok = partitions.every(
    (p) =>
      p.unaccounted === 0 &&
      p.ledgerBreaks === 0 &&
      p.rowFaults.length === 0 &&
      Object.keys(p.rollupFaults).length === 0,
  );
  return { ok, partitions };
}

async function auditPartition(
  { log, store, rawTtlDays, nowMs }: AuditOptions,
  partition: number,
  signal: AbortSignal,
): Promise<PartitionAudit> {
  const place = { epoch: log.epoch, partition };
  const horizon = await keptSince(store, nowMs, rawTtlDays * 86_400_000, signal);
  const plan = planOf('audit_ledger', { ...place, horizon });
  const line = (await store.query<Record<string, string>>(plan, signal)).rows[0] ?? {};
  const next = line['batches'] === '0' ? 0n : BigInt(line['last'] ?? 0) + 1n;
  const { eventsBeforeEnd } = await log.bounds(partition);
  const eventsInLedger = Number(line['events'] ?? 0);
  const pending = await pendingEvents(log, partition, next, signal);
  const range = { ...place, first: BigInt(line['first'] ?? 0), last: next === 0n ? 0n : next - 1n };
  return {
    partition,
    eventsInLog: Number(eventsBeforeEnd),
    eventsInLedger,
    pending,
    unaccounted: Number(eventsBeforeEnd) - eventsInLedger - pending,
    ledgerBreaks: Number(line['breaks'] ?? 0) + Number(line['uneven'] ?? 0),
    rowFaults: next === 0n ? [] : await findRowFaults(store, range, signal),
    rollupFaults: await findRollupFaults(store, partition, horizon, signal),
  };
}

async function pendingEvents(
  log: EventLog,
  partition: number,
  next: bigint,
  signal: AbortSignal,
): Promise<number> {
  let [at, events] = [next, 0];
  for (;;) {
    const { records } = await log.read(partition, at, { ...READ, signal });
    if (records.length === 0) return events;
    for (const record of records) events += record.events;
    at = (records.at(-1)?.offset ?? at) + 1n;
  }
}

async function findRowFaults(
  store: ColumnStore,
  range: { epoch: bigint; partition: number; first: bigint; last: bigint },
  signal: AbortSignal,
): Promise<RowFault[]> {
  const { epoch, partition, first } = range;
  const plan = planOf('audit_booked', { epoch, partition, first });
  const booked = (await store.query<Record<string, string>>(plan, signal)).rows[0] ?? {};
  const faults: RowFault[] = [];
  for (const [table, count] of Object.entries(booked)) {
    const from = table === 'skipped_events' ? `${table} FINAL` : table;
    const counted = await store.query<{ rows: string; ids: string }>(
      filledPlan('audit_rows', { table: from }, range),
      signal,
    );
    const [rows, ids] = [Number(counted.rows[0]?.rows ?? 0), Number(counted.rows[0]?.ids ?? 0)];
    if (rows !== Number(count) || ids !== rows) faults.push({ table, booked: Number(count), rows, ids });
  }
  return faults;
}

async function findRollupFaults(
  store: ColumnStore,
  partition: number,
  sinceS: number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const found = await store.query<{ hours: number[] }>(planOf('audit_hours', { partition }), signal);
  const hours = repairableHours(found.rows[0]?.hours ?? [], sinceS);
  const faults: Record<string, number> = {};
  if (hours.length === 0) return faults;
  for (const rollup of ROLLUPS) {
    const differing = await rollupDifferences(store, rollup, partition, hours, signal);
    if (differing > 0) faults[rollup.table] = differing;
  }
  return faults;
}
