import type { ColumnStore } from '@flowledger/column-store';
import { describeError, isAppError, type Clock, type Log } from '@flowledger/platform';
import { filledPlan, planOf } from '../sql.js';
import { planCuts, SIZED_TABLES, type DaySize, type SizeLimits, type SizedClass } from './plan-cuts.js';

/** A repair that began before a cut was announced has ended after this long. */
const ANNOUNCED_MS = 5 * 60_000;
const LOOK_MS = 60_000;

export interface SizeKeeperOptions {
  readonly store: ColumnStore;
  readonly limits: SizeLimits;
  readonly clock: Clock;
  readonly logger: Log;
}

/**
 * Keeps tables within their sizes and the disk above its watermark until `signal` aborts: announces whole oldest days in
 * `retention_cuts`, so that no repair and no audit looks at them any more, and removes them five minutes later. Several
 * may run; what one announced any of them removes. What is removed was loaded: the log may still hold it.
 */
export async function keepSizes(options: SizeKeeperOptions, signal: AbortSignal): Promise<void> {
  const { limits, clock, logger } = options;
  if (limits.minFree === 0 && Object.values(limits.bytes).every((bytes) => bytes === 0)) return;
  while (!signal.aborted) {
    await keepOnce(options, signal).catch((error: unknown) => {
      if (!isAppError(error, 'CANCELLED'))
        logger.warn({ error: describeError(error) }, 'sizes were not looked at');
    });
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

/** Removes what was announced long enough ago, then announces what has to go. */
export async function keepOnce(
  { store, limits, clock, logger }: SizeKeeperOptions,
  signal: AbortSignal,
): Promise<void> {
  const tables = Object.values(SIZED_TABLES).flat();
  const days = await readDays(store, tables, signal);
  const { rows: cuts } = await store.query<{ class: SizedClass; until: number; noted_ms: string }>(
    planOf('cut_open', {}),
    signal,
  );
  const announced = new Set<SizedClass>();
  for (const cut of cuts) {
    const due = days.filter(
      ({ table, day }) => SIZED_TABLES[cut.class].includes(table) && endOf(day) <= cut.until,
    );
    if (due.length > 0) announced.add(cut.class);
    if (clock.now() - Number(cut.noted_ms) < ANNOUNCED_MS) continue;
    for (const { table, day, bytes } of due) {
      await store.command(filledPlan('drop_partition', { table, id: day }, {}), signal);
      logger.warn({ table, day, bytes }, 'a day was removed before its time');
    }
  }
  const free = Number(
    (await store.query<{ free: string }>(planOf('disk_free', {}), signal)).rows[0]?.free ?? 0,
  );
  for (const cut of planCuts(days, free, limits)) {
    if (announced.has(cut.class)) continue;
    const { class: kind, until, reason, bytes } = cut;
    const params = { class: kind, until, now: Math.floor(clock.now()), reason, bytes: BigInt(bytes) };
    await store.command(planOf('cut_note', params), signal);
    logger.warn({ ...cut }, 'days will be removed before their time');
  }
}

async function readDays(
  store: ColumnStore,
  tables: readonly string[],
  signal: AbortSignal,
): Promise<readonly DaySize[]> {
  const { rows } = await store.query<{ table: string; day: string; bytes: string }>(
    planOf('day_sizes', { tables }),
    signal,
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) })).filter(({ day }) => /^\d{8}$/.test(day));
}

function endOf(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)) + 1) / 1000;
}
