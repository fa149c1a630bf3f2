import type { ColumnStore, ParamValue } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import type { LogPlace } from '../dedup/deduplicator.js';
import type { Failpoint } from '../load/failpoint.js';
import type { Patience } from '../load/patience.js';
import { storeFault } from '../load/store-fault.js';
import { filledPlan, planOf } from '../sql.js';
import { repairFragments, ROLLUPS, type Rollup } from './rollups.js';

const HOUR_S = 3600;
const MAX_ROUNDS = 5;

export interface RollupRepairOptions {
  readonly store: ColumnStore;
  readonly place: LogPlace;
  readonly generation: number;
  readonly patience: Patience;
  readonly failpoint: Failpoint;
  /** Resolves when nothing of the partition is being written. */
  readonly settle: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** How many rows of a rollup differ from its view's SELECT over the raw rows, in some hours of one log partition. */
export async function rollupDifferences(
  store: ColumnStore,
  rollup: Rollup,
  partition: number,
  hours: readonly number[],
  signal?: AbortSignal,
): Promise<number> {
  const fragments = repairFragments(rollup, await viewSelect(store, rollup, signal));
  const plan = filledPlan('rollup_differences', fragments, hourParams(partition, hours));
  const { rows } = await store.query<{ differing: string }>(plan, signal);
  return Number(rows[0]?.differing ?? 0);
}

/** Hours (start, s since 1970) whose raw rows are all still there; `sinceS` as `keptSince` tells it. */
export function repairableHours(hours: readonly number[], sinceS: number): number[] {
  return hours.filter((hour) => hour >= sinceS);
}

/**
 * Makes rollups equal to a recomputation from raw rows by inserting the difference, whatever a view missed or counted
 * twice. May be repeated freely: what is right gives no difference. The caller is the only writer of this partition.
 */
export class RollupRepair {
  #statements = 0;

  constructor(private readonly options: RollupRepairOptions) {}

  /** Repairs all rollups in the given hours; resolves with the number of rollup rows that were wrong. */
  async repair(hours: readonly number[]): Promise<number> {
    let corrected = 0;
    if (hours.length > 0) for (const rollup of ROLLUPS) corrected += await this.#repairOne(rollup, hours);
    return corrected;
  }

  async #repairOne(rollup: Rollup, hours: readonly number[]): Promise<number> {
    const { store, place, patience, failpoint, settle, signal } = this.options;
    let corrected = 0;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const differing = await patience.until('rollup_differences', () =>
        rollupDifferences(store, rollup, place.partition, hours, signal),
      );
      if (differing === 0) return corrected;
      if (round === 0) corrected = differing;
      await failpoint('during-repair', rollup.table);
      await this.#insertDifference(rollup, hours);
      await settle();
    }
    throw new AppError('INTERNAL', `${rollup.table} still differs after ${MAX_ROUNDS} repairs`, {
      retry: false,
    });
  }

  async #insertDifference(rollup: Rollup, hours: readonly number[]): Promise<void> {
    const { store, place, generation, patience, signal } = this.options;
    this.#statements++;
    // The token only marks the statement as ours for `settle`: applied twice or not at all, the next round sees it.
    const token = `${place.epoch}/${place.partition}/repair/${rollup.table}/${generation}.${this.#statements}`;
    try {
      const fragments = repairFragments(rollup, await viewSelect(store, rollup, signal));
      const settings = { insert_deduplicate: 0, insert_deduplication_token: token };
      await store.command(
        filledPlan('rollup_repair', fragments, hourParams(place.partition, hours), settings),
        signal,
      );
    } catch (error) {
      if (storeFault(error) === 'ours') throw error;
      await patience.after(error, `repair ${rollup.table}`);
    }
  }
}

async function viewSelect(store: ColumnStore, { view }: Rollup, signal?: AbortSignal): Promise<string> {
  const { rows } = await store.query<{ as_select: string }>(planOf('view_select', { view }), signal);
  const text = rows[0]?.as_select;
  if (text === undefined) throw new AppError('NOT_FOUND', `there is no view ${view}`, { retry: false });
  return text;
}

function hourParams(partition: number, hours: readonly number[]): Readonly<Record<string, ParamValue>> {
  return { partition, hours, first: Math.min(...hours), end: Math.max(...hours) + HOUR_S };
}
