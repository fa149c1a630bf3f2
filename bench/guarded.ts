import type { Result } from './result.js';

/** A ratio that may not fall. */
export interface Guarded {
  readonly name: string;
  /** Above 1 is better than the baseline of the same run. */
  readonly ratio: number;
  /** Below it, it fell. */
  readonly floor: number;
}

/** Ratios of processor time may fall to 80 % of what was committed: they hardly move with other load (measured). */
const CPU_SHARE = 0.8;
/** Medians of wall-clock times of statements move more: both sides take tens of milliseconds on a shared machine. */
const MEDIAN_SHARE = 0.6;

/** The guarded figures among results: rows 1, 3 and 9, by processor time where that is measured, else by medians. Pure. */
export function guarded(results: readonly Result[]): readonly Guarded[] {
  return results.flatMap(({ name, ratio, detail }) => {
    const at = (value: number, share: number): readonly Guarded[] => [
      { name, ratio: value, floor: value * share },
    ];
    if (name.startsWith('decode.') && ratio !== null) return at(ratio, CPU_SHARE);
    if (name === 'load.json_each_row' && typeof detail['ratioPerCpu'] === 'number')
      return at(detail['ratioPerCpu'], CPU_SHARE);
    const { p50, baselineP50 } = detail;
    if (name.startsWith('query.') && typeof p50 === 'number' && typeof baselineP50 === 'number' && p50 > 0)
      return at(baselineP50 / p50, MEDIAN_SHARE);
    return [];
  });
}

/** Which figures are below their floors, in words. A figure that was not measured fell. Pure. */
export function fallen(floors: readonly Guarded[], measured: ReadonlyMap<string, number>): readonly string[] {
  return floors
    .filter(({ name, floor }) => (measured.get(name) ?? 0) < floor)
    .map(({ name, floor, ratio }) => {
      const now = measured.get(name)?.toFixed(2) ?? 'nothing';
      return `${name} is ${now}, committed ${ratio.toFixed(2)}, floor ${floor.toFixed(2)}`;
    });
}
