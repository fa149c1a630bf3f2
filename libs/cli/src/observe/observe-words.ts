import { AppError } from '@flowledger/platform';
import type { FilterJson } from '@flowledger/query';
import { FilterWords } from './filter-words.js';
import { SERVER_FLAGS, serverWords, type ServerWords } from './observer-place.js';

const OUTPUTS = ['compact', 'dict', 'table', 'json', 'jsonpb', 'csv', 'parquet'] as const;
const NS_PER_MS = 1_000_000n;
const DEFAULT_LAST = 20n;
const ALL = (1n << 64n) - 1n;
const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/** How flows are printed. */
export type Output = (typeof OUTPUTS)[number];

/** `flowledger observe` as asked for. */
export interface ObserveWords {
  readonly allow: readonly FilterJson[];
  readonly deny: readonly FilterJson[];
  readonly number: bigint;
  readonly first: boolean;
  readonly follow: boolean;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly output: Output;
  readonly server: ServerWords;
  /** Paths of `flow.Flow` that are wanted; empty: all. */
  readonly fieldMask: readonly string[];
  readonly printNodeName: boolean;
  /** Sides are shown by address, not by pod. */
  readonly addresses: boolean;
  readonly url: string | undefined;
  readonly aggregateBy: readonly string[];
  readonly explain: boolean;
  readonly printRawFilters: boolean;
  /** Settings of Flowledger, for the configuration. */
  readonly settings: readonly string[];
}

const SHORT: Readonly<Record<string, string>> = {
  n: 'namespace',
  l: 'label',
  t: 'type',
  o: 'output',
  f: 'follow',
  A: 'all-namespaces',
};
const SWITCHES = new Set([
  'all',
  'follow',
  'not',
  'explain',
  'print-raw-filters',
  'print-node-name',
  'numeric',
  'ip-translation',
  'tls',
  '4',
  '6',
  'ipv4',
  'ipv6',
  'encrypted',
  'unencrypted',
  'all-namespaces',
  'from-all-namespaces',
  'to-all-namespaces',
]);

/** Collects the words one by one. */
class Collector {
  readonly allow = new FilterWords();
  readonly deny = new FilterWords();
  readonly values = new Map<string, string>();
  readonly on = new Set<string>();
  /** Switches that were told to be off. */
  readonly off = new Set<string>();
  readonly settings: string[] = [];
  /** Filters that were given as JSON. */
  readonly raw = { allowlist: [] as FilterJson[], denylist: [] as FilterJson[] };
  #not = false;

  take(flag: string, value: string): void {
    if (flag === 'not') {
      this.#not = true;
      return;
    }
    const version = { 4: 'v4', ipv4: 'v4', 6: 'v6', ipv6: 'v6' }[flag];
    if (version !== undefined) this.#filter('ip-version', version);
    else if (flag.endsWith('all-namespaces')) this.#filter(flag.replace('all-namespaces', 'namespace'), '');
    else if (flag.endsWith('encrypted')) this.#filter('encrypted', String(flag === 'encrypted'));
    else if (SWITCHES.has(flag)) this.on.add(flag);
    else if (VALUES.has(flag)) this.values.set(flag, value);
    else if (flag === 'allowlist' || flag === 'denylist') this.raw[flag].push(...rawFilters(flag, value));
    else if (!this.#filter(flag, value)) this.settings.push(`--${flag}`, value);
  }

  /** A flag without a value of its own; `=true` and `=false` are taken as Go takes them. */
  switch(flag: string, value: string): void {
    if (value === 'true') this.take(flag, '');
    else if (value === 'false' && !flag.endsWith('encrypted')) this.off.add(flag);
    else throw bad(`--${flag}=${value}: true or false, and --unencrypted for the opposite of --encrypted`);
  }

  #filter(flag: string, value: string): boolean {
    const list = this.#not ? this.deny : this.allow;
    const taken = list.take(flag, value);
    if (taken) this.#not = false;
    return taken;
  }
}

const VALUES = new Set([
  'last',
  'first',
  'since',
  'until',
  'output',
  'url',
  'aggregate-by',
  'field-mask',
  ...SERVER_FLAGS,
]);

/**
 * Reads the words behind `flowledger observe`: the flags of `hubble observe` (hubble note 4.1) and ours. Throws
 * INVALID_ARGUMENT for what contradicts itself or cannot be read. `nowNs` is what relative times count from.
 */
export function readObserveWords(argv: readonly string[], nowNs: bigint): ObserveWords {
  const words = new Collector();
  for (let i = 0; i < argv.length; i++) {
    const [, dashes = '', name = '', given] = /^(--?)([\w-]+)(?:=([\s\S]*))?$/.exec(argv[i] ?? '') ?? [];
    if (dashes === '') throw bad(`${argv[i] ?? ''}: only flags are taken`);
    const flag = dashes === '-' ? (SHORT[name] ?? name) : name;
    if (SWITCHES.has(flag)) words.switch(flag, given ?? 'true');
    else {
      const value = given ?? argv[++i];
      if (value === undefined) throw bad(`--${flag} needs a value`);
      words.take(flag, value);
    }
  }
  return { ...asked(words), ...range(words, nowNs) };
}

function asked(words: Collector) {
  const output = outputOf(words);
  return {
    allow: [...words.allow.filters(), ...words.raw.allowlist],
    deny: [...words.deny.filters(), ...words.raw.denylist],
    output,
    server: serverWords(words.values, words.on.has('tls')),
    fieldMask: words.values.get('field-mask')?.split(',') ?? [],
    printNodeName: words.on.has('print-node-name'),
    addresses: words.on.has('numeric') || words.off.has('ip-translation'),
    url: words.values.get('url'),
    aggregateBy: words.values.get('aggregate-by')?.split(',') ?? [],
    explain: words.on.has('explain'),
    printRawFilters: words.on.has('print-raw-filters'),
    settings: words.settings,
  };
}

/** Flags that do not go with a kind of output. */
const APART: Readonly<Partial<Record<Output, readonly string[]>>> = {
  parquet: ['follow', 'explain', 'aggregate-by', 'field-mask'],
  table: ['follow', 'explain', 'field-mask'],
  compact: ['field-mask'],
  dict: ['field-mask'],
  csv: ['field-mask'],
};

function outputOf({ values, on }: Collector): Output {
  const named = values.get('output') ?? 'compact';
  const known = OUTPUTS.find((one) => one === (named === 'tab' ? 'table' : named));
  if (known === undefined) throw bad(`-o ${named}: one of ${OUTPUTS.join(', ')}`);
  const wrong = APART[known]?.find((flag) => on.has(flag) || values.has(flag));
  if (wrong !== undefined) throw bad(`-o ${known} cannot be combined with --${wrong}`);
  return known;
}

/** One filter or a list of them, as `--print-raw-filters` prints them. */
function rawFilters(flag: string, text: string): readonly FilterJson[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bad(`--${flag}: a FlowFilter in JSON`);
  }
  const filters: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return filters.map((filter) => {
    if (typeof filter === 'object' && filter !== null && !Array.isArray(filter))
      return Object.fromEntries(Object.entries(filter));
    throw bad(`--${flag}: a FlowFilter in JSON`);
  });
}

function range({ values, on }: Collector, nowNs: bigint) {
  const follow = on.has('follow');
  const counts = [values.get('last'), values.get('first'), on.has('all') ? 'all' : undefined];
  if (counts.filter((each) => each !== undefined).length > 1)
    throw bad('--last, --first and --all exclude each other');
  if (follow && values.has('first')) throw bad('--first cannot be combined with --follow');
  if (follow && values.has('aggregate-by')) throw bad('--aggregate-by cannot be combined with --follow');
  const bounded = follow || values.has('since') || values.has('until') || values.has('aggregate-by');
  const number = on.has('all') ? ALL : whole(values.get('first') ?? values.get('last'));
  return {
    number: number ?? (bounded ? 0n : DEFAULT_LAST),
    first: values.has('first'),
    follow,
    sinceNs: timeOf(values.get('since'), nowNs),
    // Following has no end.
    untilNs: follow ? undefined : timeOf(values.get('until'), nowNs),
  };
}

function whole(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,18}$/.test(text)) throw bad(`${text}: a number of flows`);
  return BigInt(text);
}

/** `7d`, `1h30m`, or a date in RFC 3339, in full or cut. */
function timeOf(text: string | undefined, nowNs: bigint): bigint | undefined {
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([dhms])/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    const ms = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0);
    return nowNs - BigInt(Math.round(ms)) * NS_PER_MS;
  }
  const cut = /^\d{4}-\d\d-\d\dT\d\d(:\d\d)?Z$/.exec(text);
  const ms = Date.parse(cut === null ? text : text.replace('Z', cut[1] === undefined ? ':00:00Z' : ':00Z'));
  if (!Number.isFinite(ms)) throw bad(`${text}: a time as 7d, 1h30m or 2006-01-02T15:04:05Z`);
  return BigInt(ms) * NS_PER_MS;
}

function bad(hint: string): AppError {
  return new AppError('INVALID_ARGUMENT', hint, { retry: false });
}
