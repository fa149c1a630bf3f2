import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WireFields } from '@flowledger/model';
import { encodeFilter } from './encode-filter.js';
import { FlowCounts } from './flow-counts.js';
import { FlowPrinter } from './flow-printer.js';
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

  it('take whole filters as JSON beside those of the flags', () => {
    const one = '{"source_pod":["shop/"]}';
    const words = ['--verdict', 'DROPPED', '--allowlist', one, '--denylist', `[${one},{}]`];
    const shop = { source_pod: ['shop/'] };
    expect(readObserveWords(words, NOW_NS)).toMatchObject({
      allow: [{ verdict: ['DROPPED'] }, shop],
      deny: [shop, {}],
    });
    const refused = readObserveWords(['--allowlist', '{"sauce_pod":["a"]}'], NOW_NS).allow[0] ?? {};
    expect(() => encodeFilter(refused)).toThrow(/sauce_pod/);
  });

  it('take switches with true and false as Go does', () => {
    expect(readObserveWords(['--follow=false'], NOW_NS)).toMatchObject({ follow: false, number: 20n });
    expect(readObserveWords(['--follow=true'], NOW_NS)).toMatchObject({ follow: true });
  });

  it('name the server and how to speak with it as hubble does', () => {
    const tls = ['--tls', '--tls-ca-cert-files', 'ca.pem', '--tls-server-name', 'relay'];
    const who = ['--basic-auth-username', 'ann', '--basic-auth-password', 'pw'];
    const { server } = readObserveWords(['--server', 'relay:443', ...tls, ...who], NOW_NS);
    expect(server).toEqual({
      server: 'relay:443',
      tls: true,
      ca: 'ca.pem',
      certificate: undefined,
      key: undefined,
      serverName: 'relay',
      username: 'ann',
      password: 'pw',
    });
    const mask = ['-o', 'json', '--field-mask', 'time,source.pod_name'];
    expect(readObserveWords(mask, NOW_NS).fieldMask).toEqual(['time', 'source.pod_name']);
  });

  it.each([
    [['--last', '1', '--first', '2'], /exclude each other/],
    [['--first', '1', '--follow'], /cannot be combined/],
    [['--since', 'tomorrow'], /a time as/],
    [['-o', 'parquet', '--follow'], /-o parquet cannot be combined with --follow/],
    [['-o', 'parquet', '--explain'], /cannot be combined with --explain/],
    [['-o', 'parquet', '--aggregate-by', 'node'], /cannot be combined with --aggregate-by/],
    [['-o', 'table', '--follow'], /-o table cannot be combined with --follow/],
    [['--field-mask', 'time'], /-o compact cannot be combined with --field-mask/],
    [['--follow=perhaps'], /--follow=perhaps: true or false/],
    [['--encrypted=false'], /--unencrypted/],
    [['-o', 'yaml'], /one of compact, dict, table/],
    [['--allowlist', '{'], /--allowlist: a FlowFilter in JSON/],
    [['--denylist', '[1]'], /--denylist: a FlowFilter in JSON/],
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

  const trace = { event_type: { type: 4 }, trace_observation_point: 'TO_ENDPOINT' };
  const shown = (more: object, form: Partial<ConstructorParameters<typeof FlowPrinter>[0]>): string[] => {
    const printer = new FlowPrinter({ output: 'dict', printNodeName: false, addresses: false, ...form });
    const lines = [{ ...flow, ...trace }, more].flatMap((each) => [...printer.add(each, '{}')]);
    return [...printer.head(), ...lines, ...printer.end()];
  };

  it('shows a flow by lines with a rule between flows as a dictionary', () => {
    expect(shown({ ...flow, node_name: 'n1' }, { printNodeName: true })).toEqual([
      '  TIMESTAMP: 2026-01-02T15:00:00Z',
      '       NODE: ',
      '     SOURCE: 10.0.0.1:5000',
      'DESTINATION: shop/web,1:80',
      '       TYPE: to-endpoint',
      '    VERDICT: FORWARDED',
      '    SUMMARY: =SUM("a")',
      '------------',
      '  TIMESTAMP: 2026-01-02T15:00:00Z',
      '       NODE: n1',
      '     SOURCE: 10.0.0.1:5000',
      'DESTINATION: shop/web,1:80',
      '       TYPE: event:0',
      '    VERDICT: FORWARDED',
      '    SUMMARY: =SUM("a")',
    ]);
  });

  it('aligns the columns of a table below their heads', () => {
    const http = { ...flow, is_reply: false, l7: { type: 'RESPONSE', http: { code: 200 } }, Summary: 'ok' };
    expect(shown(http, { output: 'table' })).toEqual([
      'TIMESTAMP              SOURCE          DESTINATION     TYPE            VERDICT     SUMMARY',
      '2026-01-02T15:00:00Z   10.0.0.1:5000   shop/web,1:80   to-endpoint     FORWARDED   =SUM("a")',
      '2026-01-02T15:00:00Z   shop/web,1:80   10.0.0.1:5000   http-response   FORWARDED   ok',
    ]);
  });

  it.each([[['--numeric']], [['--ip-translation=false']]])(
    'shows addresses where %j asks for them',
    (words) => {
      const { output, printNodeName, addresses } = readObserveWords(words, NOW_NS);
      const bare = { ...flow, IP: { source: '10.0.0.2', destination: '10.0.0.1' } };
      const [line] = new FlowPrinter({ output, printNodeName, addresses }).add(bare, '{}');
      expect(line).toContain('10.0.0.1:5000 <- 10.0.0.2:80 FORWARDED');
      expect(readObserveWords(['--ip-translation'], NOW_NS).addresses).toBe(false);
    },
  );

  it('holds a thousand rows of a table at most, and prints every one', () => {
    const printer = new FlowPrinter({ output: 'table', printNodeName: false, addresses: false });
    const lines = Array.from({ length: 2500 }, () => printer.add(flow, '{}').length);
    expect(lines.findIndex((count) => count > 0)).toBe(999);
    expect(lines.reduce((sum, count) => sum + count, 0) + printer.end().length).toBe(2501);
  });

  it.each([
    [{ event_type: { type: 1 }, drop_reason_desc: 'POLICY_DENIED' }, 'drop:POLICY_DENIED'],
    [{ event_type: { type: 5 }, traffic_direction: 'EGRESS' }, 'policy-verdict EGRESS'],
    [{ event_type: { type: 7 }, sock_xlate_point: 'SOCK_XLATE_POINT_PRE' }, 'sock-xlate-point-pre'],
    [{ event_type: { type: 129 }, l7: { type: 'REQUEST', dns: { query: 'a.' } } }, 'dns-request'],
  ])('tells the kind of %j', (of, word) => {
    expect(shown(of, {}).findLast((line) => line.includes('TYPE'))).toBe(`       TYPE: ${word}`);
  });

  it('counts by keys, most frequent first', () => {
    const counts = new FlowCounts(['verdict', 'source-namespace']);
    for (const verdict of ['DROPPED', 'FORWARDED', 'FORWARDED']) counts.add({ ...flow, verdict });
    expect(counts.end()).toEqual([
      'flows\tverdict\tsource-namespace',
      '2\tFORWARDED\tshop',
      '1\tDROPPED\tshop',
    ]);
    expect(() => new FlowCounts(['colour'])).toThrow(/--aggregate-by colour: one of/);
  });
});
