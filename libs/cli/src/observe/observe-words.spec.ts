import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WireFields } from '@flowledger/model';
import { encodeFilter } from './encode-filter.js';
import { FlowCounts } from './flow-counts.js';
import { readObserveWords } from './observe-words.js';
import { compactLine, csvHead, csvLine } from './print-flow.js';

const NOW_NS = 1_800_000_000_000_000_000n;
const CASES = fileURLToPath(
  new URL('../../../../../shared/data/hubble/cli-filter-cases.json', import.meta.url),
);

interface Case {
  readonly flags: readonly string[];
  readonly want_allow?: readonly object[];
  readonly want_deny?: readonly object[];
}

/** Order of fields is no part of a filter. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}

describe('the words of observe', () => {
  it('make the filters that hubble observe makes of the same flags', () => {
    if (!existsSync(CASES)) {
      process.stderr.write('NOT TESTED: ../shared/data/hubble/cli-filter-cases.json is missing\n');
      return;
    }
    const { cases } = JSON.parse(readFileSync(CASES, 'utf8')) as { cases: readonly Case[] };
    const wanted = cases.filter(({ want_allow: allow }) => allow !== undefined);
    const wrong = wanted.filter(({ flags, want_allow: allow = [], want_deny: deny = [] }) => {
      try {
        const words = readObserveWords(flags, NOW_NS);
        expect(sorted([words.allow, words.deny])).toEqual(sorted([allow, deny]));
        return false;
      } catch {
        return true;
      }
    });
    expect(wrong.map(({ flags }) => flags.join(' '))).toEqual([]);
  });

  it('know relative days and cut dates', () => {
    const day = 86_400_000_000_000n;
    expect(readObserveWords(['--since', '7d'], NOW_NS).sinceNs).toBe(NOW_NS - 7n * day);
    expect(readObserveWords(['--since', '1d12h', '--until=30m'], NOW_NS)).toMatchObject({
      sinceNs: NOW_NS - (3n * day) / 2n,
      untilNs: NOW_NS - day / 48n,
      number: 0n,
    });
    const cut = BigInt(Date.UTC(2026, 0, 2, 15)) * 1_000_000n;
    expect(readObserveWords(['--since', '2026-01-02T15Z'], NOW_NS).sinceNs).toBe(cut);
    expect(readObserveWords([], NOW_NS)).toMatchObject({ number: 20n, follow: false });
  });

  it.each([
    [['--last', '1', '--first', '2'], /exclude each other/],
    [['--first', '1', '--follow'], /cannot be combined/],
    [['--since', 'tomorrow'], /a time as/],
    [['-o', 'parquet', '--follow'], /-o parquet cannot be combined with --follow/],
    [['-o', 'parquet', '--explain'], /cannot be combined with --explain/],
    [['-o', 'parquet', '--aggregate-by', 'node'], /cannot be combined with --aggregate-by/],
    [['--tcp-flags', 'syn,unknown'], /unknown tcp flag: unknown/],
    [['--type', 'nothing'], /one of drop/],
    [['word'], /only flags/],
  ])('refuse %j', (words, why) => {
    expect(() => readObserveWords(words, NOW_NS)).toThrow(why);
  });

  it('are encoded by the numbers of the field table', () => {
    const { allow } = readObserveWords(
      ['--verdict', 'DROPPED', '--http-header', 'a: b', '-t', 'trace:to-proxy'],
      NOW_NS,
    );
    const fields = new WireFields(encodeFilter(allow[0] ?? {}));
    expect(fields.uint64s(5)).toEqual([2n]);
    expect(fields.message(32)?.text(2)).toBe('b');
    expect([1, 2, 3].map((field) => fields.message(6)?.uint64(field))).toEqual([4n, 1n, 1n]);
    expect(() => encodeFilter({ verdict: ['SOMETHING'] })).toThrow(/verdict: no SOMETHING/);
  });
});

describe('what observe prints', () => {
  const flow = {
    time: '2026-01-02T15:00:00Z',
    verdict: 'FORWARDED',
    is_reply: true,
    l4: { TCP: { source_port: 80, destination_port: 5000 } },
    source: { namespace: 'shop', pod_name: 'web,1' },
    IP: { destination: '10.0.0.1' },
    Summary: '=SUM("a")',
  };

  it('turns replies round, as hubble does', () => {
    expect(compactLine(flow)).toBe(
      '2026-01-02T15:00:00Z  10.0.0.1:5000 <- shop/web,1:80 FORWARDED (=SUM("a"))',
    );
  });

  it('quotes what a CSV would read as something else', () => {
    expect(csvLine(flow).split(',').length).toBe(csvHead().split(',').length + 1);
    expect(csvLine(flow)).toContain('"web,1"');
    expect(csvLine(flow)).toContain(`"'=SUM(""a"")"`);
  });

  it('counts by keys, most frequent first', () => {
    const counts = new FlowCounts(['verdict', 'source-namespace']);
    for (const verdict of ['DROPPED', 'FORWARDED', 'FORWARDED']) counts.add({ ...flow, verdict });
    expect(counts.lines()).toEqual([
      'flows\tverdict\tsource-namespace',
      '2\tFORWARDED\tshop',
      '1\tDROPPED\tshop',
    ]);
    expect(() => new FlowCounts(['colour'])).toThrow(/--aggregate-by colour: one of/);
  });
});
