import type { QueryContext } from './query-plan.js';
import { ceilTo, floorTo, HOUR_NS, MINUTE_NS } from './window.js';
import type { Window } from './window.js';

/** Size of the rows that answer a part of a window. */
export type Grain = 'raw' | 'minute' | 'hour';

/** Grains of rollups. */
export type RollupGrain = 'minute' | 'hour';

/** A part of a window and the grain of the table that answers it. */
export interface Segment extends Window {
  readonly grain: Grain;
}

/** What an answer says about where it came from. */
export interface AnsweredFrom {
  /** Tables, coarsest first, joined by `+`: `red_1h+red_1m+flows`. */
  readonly table: string;
  /** Coarsest rows used, ns; null when only raw rows were. */
  readonly resolutionNs: bigint | null;
  /** False when a part of the window is older than what its table keeps. */
  readonly exact: boolean;
}

const GRAIN_NS = { minute: MINUTE_NS, hour: HOUR_NS } as const;

function split(window: Window, grain: 'minute' | 'hour', finer: (part: Window) => Segment[]): Segment[] {
  const fromNs = ceilTo(window.fromNs, GRAIN_NS[grain]);
  const toNs = floorTo(window.toNs, GRAIN_NS[grain]);
  if (fromNs >= toNs) return finer(window);
  return [
    ...finer({ fromNs: window.fromNs, toNs: fromNs }),
    { grain, fromNs, toNs },
    ...finer({ fromNs: toNs, toNs: window.toNs }),
  ];
}

/**
 * Cuts a window so that each part is answered by the coarsest rows that are exact for it: whole hours from hour rows,
 * whole minutes from minute rows, ragged ends from raw rows. Sums over the parts are exact because every measure is
 * additive. A series only uses grains that divide its step. `grains` are the rollups that can answer at all: none when a
 * filter or a grouping needs raw rows.
 */
export function segmentsOf(
  window: Window,
  stepNs: bigint | null,
  grains: readonly ('minute' | 'hour')[],
): readonly Segment[] {
  const usable = (grain: 'minute' | 'hour'): boolean =>
    grains.includes(grain) && (stepNs === null || stepNs % GRAIN_NS[grain] === 0n);
  const raw = (part: Window): Segment[] => (part.fromNs < part.toNs ? [{ grain: 'raw', ...part }] : []);
  const minutes = (part: Window): Segment[] =>
    part.fromNs >= part.toNs ? [] : usable('minute') ? split(part, 'minute', raw) : raw(part);
  return usable('hour') ? split(window, 'hour', minutes) : minutes(window);
}

/** The segments of a rollup together, as one SELECT reads them: several cost the analysis of a statement each. */
export interface RollupWindows {
  readonly grain: RollupGrain;
  /** Side by side in time; never none. */
  readonly windows: readonly Window[];
}

/** What rollups answer, coarsest first. */
export function rollupWindows(segments: readonly Segment[]): readonly RollupWindows[] {
  return (['hour', 'minute'] as const)
    .map((grain) => ({ grain, windows: segments.filter((segment) => segment.grain === grain) }))
    .filter(({ windows }) => windows.length > 0);
}

/** What raw rows answer, as one SELECT reads it too. */
export function rawWindows(segments: readonly Segment[]): readonly Window[] {
  return segments.filter(({ grain }) => grain === 'raw');
}

/**
 * Says which tables answer, how coarse they are, and whether they still hold the window. `refined`: rows that name no
 * workload were answered by raw rows and the endpoint history.
 */
export function answeredFrom(
  segments: readonly Segment[],
  tables: Readonly<Record<Grain, string>>,
  context: QueryContext,
  refined = false,
): AnsweredFrom {
  const grains = (['hour', 'minute', 'raw'] as const).filter((grain) =>
    segments.some((segment) => segment.grain === grain),
  );
  const kept = {
    raw: context.retention.rawNs,
    minute: context.retention.minuteNs,
    hour: context.retention.hourNs,
  };
  const coarsest = grains[0] ?? 'raw';
  const names = grains.map((grain) => tables[grain]);
  const used = new Set(refined ? [...names, tables.raw, 'endpoints'] : names);
  return {
    table: [...used].join('+'),
    resolutionNs: coarsest === 'raw' ? null : GRAIN_NS[coarsest],
    exact: segments.every((segment) => segment.fromNs >= context.nowNs - kept[segment.grain]),
  };
}
