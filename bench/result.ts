/** One measured figure beside what it is compared with. The first seven fields are the machine-readable contract. */
export interface Result {
  /** `case.figure`. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same figure of what we compare with, in the same run and unit; null when there is nothing to compare with. */
  readonly baseline: number | null;
  /** How many times better than the baseline: above 1 is better, whichever way the unit points. */
  readonly ratio: number | null;
  /** In words. */
  readonly target: string;
  readonly ok: boolean;
  /** What the figure was measured on, and figures beside it: processor seconds, memory, percentiles, sizes. */
  readonly detail: Readonly<Record<string, number | string | boolean>>;
}

/** Something that can be measured; makes its own data and removes it. */
export interface BenchCase {
  readonly name: string;
  /** Names of its figures, for `--only`. */
  readonly figures: readonly string[];
  /** Takes too long for a run of everything. */
  readonly onlyWhenNamed?: true;
  /** No row of the speed targets' table; left out of a quick run of everything, which shall take four minutes. */
  readonly notInQuick?: true;
  run(size: BenchSize): Promise<readonly Result[]>;
}

/** How much to measure. */
export interface BenchSize {
  readonly quick: boolean;
  /** How long a case that watches for a while does so; absent: as the case likes. */
  readonly minutes?: number;
  /** How many flows history is asked of; absent: 10 M, or 1 M when quick. */
  readonly flows?: number;
  /** Where the store with them is kept for the next run; absent: nowhere. */
  readonly store?: string;
  /** Where a case of this run leaves that store for the next one. */
  readonly passedOn: string;
  /** Says on standard error what is being done. */
  readonly say: (line: string) => void;
}

/** Rounds to four significant digits: more would claim a precision that a shared machine does not have. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** Nearest-rank percentile of unsorted values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function cells(result: Result): readonly string[] {
  const text = (value: number | null): string => (value === null ? '-' : value.toLocaleString('en-US'));
  return [
    result.name,
    text(result.value),
    result.unit,
    text(result.baseline),
    result.ratio === null ? '-' : result.ratio.toFixed(2),
    result.target,
    result.ok ? 'ok' : 'MISSED',
  ];
}

/** The results as a table for people, a line of details under each figure. */
export function table(results: readonly Result[]): string {
  const head = ['figure', 'value', 'unit', 'baseline', 'ratio', 'target', ''];
  const rows = [head, ...results.map(cells)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const lines = [line(head)];
  for (const result of results) {
    lines.push(line(cells(result)));
    const detail = Object.entries(result.detail).map(([key, value]) => `${key} ${String(value)}`);
    if (detail.length > 0) lines.push(`    ${detail.join(', ')}`);
  }
  return `${lines.join('\n')}\n`;
}
