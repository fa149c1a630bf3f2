import type { ColumnStore } from '@flowledger/column-store';
import { AppError, type Clock } from '@flowledger/platform';
import { sql } from '../sql.js';

/** What the ingestor answers about one upload: libs/ingest `ImportOutcome`, offsets as decimal text. */
export interface IntakeAnswer {
  readonly read: number;
  readonly appended: number;
  readonly duplicate: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly ranges: readonly { readonly partition: number; readonly from: string; readonly to: string }[];
}

/** The JSON line that `flowledger import` ends with. `read` = accepted + duplicate + all of rejected and skipped. */
export interface ImportSummary {
  readonly read: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: Readonly<Record<string, number>>;
  /** Understood, rightly not stored (kinds that are not kept), by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

const STALLED_MS = 120_000;

/**
 * Waits until the loader has booked every offset of an upload, then reads what it decided about each event. Rejects
 * TIMEOUT (retry) when nothing moves for two minutes: the events are durable in the log and will be loaded.
 */
export async function importOutcome(
  answer: IntakeAnswer,
  store: ColumnStore,
  epoch: bigint,
  clock: Clock,
  signal: AbortSignal,
): Promise<ImportSummary> {
  await untilLoaded(answer, store, epoch, clock, signal);
  const skipped: Record<string, number> = {};
  const rejected: Record<string, number> = { ...answer.rejected };
  let [fromLog, duplicates] = [0, 0];
  if (answer.ranges.length > 0) {
    const plan = sql.plan('import_rejected', rangeParams(answer, epoch));
    const result = await store.query<{ reason: string; events: string; fate: string }>(plan, signal);
    for (const { reason, events, fate } of result.rows) {
      fromLog += Number(events);
      if (fate === 'skipped' && reason === 'duplicate') duplicates += Number(events);
      else if (fate === 'skipped') skipped[reason] = Number(events);
      else rejected[reason] = (rejected[reason] ?? 0) + Number(events);
    }
  }
  const accepted = answer.appended - fromLog;
  return { read: answer.read, accepted, duplicate: answer.duplicate + duplicates, rejected, skipped };
}

function rangeParams(
  answer: IntakeAnswer,
  epoch: bigint,
): Record<string, bigint | readonly number[] | readonly bigint[]> {
  return {
    epoch,
    partitions: answer.ranges.map((r) => r.partition),
    froms: answer.ranges.map((r) => BigInt(r.from)),
    tos: answer.ranges.map((r) => BigInt(r.to)),
  };
}

async function untilLoaded(
  answer: IntakeAnswer,
  store: ColumnStore,
  epoch: bigint,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map<number, bigint>();
  for (const range of answer.ranges) {
    const to = BigInt(range.to);
    if (to > (wanted.get(range.partition) ?? -1n)) wanted.set(range.partition, to);
  }
  const plan = sql.plan('import_loaded', { epoch, partitions: [...wanted.keys()] });
  let [last, movedAt] = ['', clock.monotonic()];
  while (wanted.size > 0) {
    const { rows } = await store.query<{ lp: number; loaded: string }>(plan, signal);
    if ([...wanted].every(([lp, to]) => rows.some((row) => row.lp === lp && BigInt(row.loaded) >= to)))
      return;
    const now = JSON.stringify(rows.toSorted((a, b) => a.lp - b.lp));
    if (now !== last) [last, movedAt] = [now, clock.monotonic()];
    else if (clock.monotonic() - movedAt > STALLED_MS) {
      throw new AppError('TIMEOUT', 'wait for the loader; the events are safe in the log', { retry: true });
    }
    await clock.sleep(100, signal);
  }
}
