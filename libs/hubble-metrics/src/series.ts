/** What folded label values are replaced by. */
export const FOLDED = '(folded)';

/** One label of a family. */
export interface LabelSpec {
  readonly name: string;
  /** Its values are names, addresses or ports: the cardinality budget may fold them. */
  readonly open: boolean;
}

/** Bounds on the series of one family. */
export interface SeriesBudget {
  /** Series of one family; label combinations beyond it are folded. */
  readonly maxSeries: number;
  /** Series that were not counted for so long are removed, ms. */
  readonly idleMs: number;
}

/** Labels that tell of one observation. */
export type Exemplar = Readonly<Record<string, string>>;

interface Series {
  readonly values: readonly string[];
  sum: number;
  count: number;
  /** Cumulative from the smallest bound up; empty for counters. */
  readonly buckets: number[];
  readonly exemplars: (string | undefined)[];
  touchedMs: number;
}

/** Bounds of histograms of seconds: Prometheus' defaults, which Hubble uses. */
export const SECONDS_BOUNDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Counters or histograms under one name. When the budget is reached, new combinations of open label values are counted
 * under {@link FOLDED}, so that sums stay right, and `folded` says how often that happened.
 */
export class SeriesFamily {
  /** Observations counted under a folded combination. */
  folded = 0;
  readonly #series = new Map<string, Series>();

  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly labels: readonly LabelSpec[],
    private readonly budget: SeriesBudget,
    /** Upper bounds, ascending; absent for a counter. */
    private readonly bounds?: readonly number[],
  ) {}

  /** Series now. */
  get size(): number {
    return this.#series.size;
  }

  /** Counts `amount` for one combination of label values, in the order of the labels. */
  add(values: readonly string[], amount: number, nowMs: number, exemplar?: Exemplar): void {
    const series = this.#of(values, nowMs);
    series.sum += amount;
    series.count += 1;
    if (exemplar !== undefined) series.exemplars[0] = exemplarText(exemplar, amount, nowMs);
  }

  /** Counts one observation of a histogram, `weight` times. */
  observe(
    values: readonly string[],
    value: number,
    weight: number,
    nowMs: number,
    exemplar?: Exemplar,
  ): void {
    const series = this.#of(values, nowMs);
    series.sum += value * weight;
    series.count += weight;
    const bounds = this.bounds ?? [];
    const at = bounds.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? bounds.length : at;
    series.buckets[bucket] = (series.buckets[bucket] ?? 0) + weight;
    if (exemplar !== undefined) series.exemplars[bucket] = exemplarText(exemplar, value, nowMs);
  }

  /** The family as text; series that have been idle are removed first. */
  text(openMetrics: boolean, nowMs: number): string {
    this.#removeIdle(nowMs);
    const kind = this.bounds === undefined ? 'counter' : 'histogram';
    // OpenMetrics names a counter's family without the suffix of its sample.
    const family = openMetrics && kind === 'counter' ? this.name.replace(/_total$/, '') : this.name;
    const lines = [`# HELP ${family} ${this.help}`, `# TYPE ${family} ${kind}`];
    for (const series of this.#series.values())
      lines.push(
        ...(this.bounds === undefined
          ? this.#counter(series, openMetrics)
          : this.#histogram(series, openMetrics)),
      );
    return `${lines.join('\n')}\n`;
  }

  #counter({ values, sum, exemplars }: Series, openMetrics: boolean): readonly string[] {
    const exemplar = openMetrics && exemplars[0] !== undefined ? ` # ${exemplars[0]}` : '';
    return [`${this.name}${this.#braces(values)} ${sum}${exemplar}`];
  }

  #histogram({ values, sum, count, buckets, exemplars }: Series, openMetrics: boolean): readonly string[] {
    let seen = 0;
    const lines = [...(this.bounds ?? []), Infinity].map((bound, at) => {
      seen += buckets[at] ?? 0;
      const exemplar = openMetrics && exemplars[at] !== undefined ? ` # ${exemplars[at]}` : '';
      const le = bound === Infinity ? '+Inf' : String(bound);
      return `${this.name}_bucket${this.#braces(values, le)} ${seen}${exemplar}`;
    });
    return [
      ...lines,
      `${this.name}_sum${this.#braces(values)} ${sum}`,
      `${this.name}_count${this.#braces(values)} ${count}`,
    ];
  }

  #braces(values: readonly string[], le?: string): string {
    const pairs = this.labels.map(({ name }, index) => `${name}="${escaped(values[index] ?? '')}"`);
    if (le !== undefined) pairs.push(`le="${le}"`);
    return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  }

  #of(values: readonly string[], nowMs: number): Series {
    const known = this.#series.get(keyOf(values));
    if (known !== undefined) {
      known.touchedMs = nowMs;
      return known;
    }
    if (this.#series.size < this.budget.maxSeries) return this.#make(values, nowMs);
    this.folded++;
    const folded = values.map((value, index) => (this.labels[index]?.open === true ? FOLDED : value));
    const series = this.#series.get(keyOf(folded)) ?? this.#make(folded, nowMs);
    series.touchedMs = nowMs;
    return series;
  }

  #make(values: readonly string[], nowMs: number): Series {
    const series = { values, sum: 0, count: 0, buckets: [], exemplars: [], touchedMs: nowMs };
    this.#series.set(keyOf(values), series);
    return series;
  }

  #removeIdle(nowMs: number): void {
    for (const [key, { touchedMs }] of this.#series)
      if (nowMs - touchedMs > this.budget.idleMs) this.#series.delete(key);
  }
}

function keyOf(values: readonly string[]): string {
  return values.join('\0');
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** OpenMetrics allows 128 characters of exemplar labels. */
const EXEMPLAR_CHARACTERS = 128;

function exemplarText(exemplar: Exemplar, value: number, nowMs: number): string | undefined {
  const pairs = Object.entries(exemplar);
  if (pairs.some(([name, text]) => name.length + text.length > EXEMPLAR_CHARACTERS)) return undefined;
  const labels = pairs.map(([name, text]) => `${name}="${escaped(text)}"`).join(',');
  return `{${labels}} ${value} ${(nowMs / 1000).toFixed(3)}`;
}
