import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ContextLabels } from './context-labels.js';
import { HubbleMetrics } from './hubble-metrics.js';
import { parseHandler } from './metric-config.js';
import { flowsOf } from './testing/flow-of.js';

/** A case of the tests of upstream's handlers: flows in, series out. */
interface MetricCase {
  readonly id: string;
  readonly handler: string;
  readonly context_options: Readonly<Record<string, string>>;
  readonly flows: readonly { readonly flow: object }[];
  readonly partial_labels?: boolean;
  readonly expect: readonly Series[];
}
interface Series {
  readonly metric: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value?: number;
  readonly buckets?: Readonly<Record<string, number>>;
  readonly sum?: number;
  readonly count?: number;
}
interface LabelCase {
  readonly context_options: Readonly<Record<string, string>>;
  readonly flow: object;
  readonly want_label_values: readonly string[];
}

const FILE = fileURLToPath(new URL('../../../../shared/data/hubble/metrics-cases.json', import.meta.url));
const recorded = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : undefined;
if (recorded === undefined)
  process.stderr.write('NOT TESTED: ../shared/data/hubble/metrics-cases.json is missing\n');
const cases: readonly MetricCase[] = recorded?.cases ?? [];
const labels: readonly LabelCase[] = recorded?.label_values ?? [];

function entryOf(handler: string, options: Readonly<Record<string, string>>): string {
  return `${handler}:${Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(';')}`;
}

/** One sample as text, its labels sorted. */
function sample(name: string, pairs: Readonly<Record<string, string>>, value: string): string {
  const braces = Object.entries(pairs).map(([label, text]) => `${label}="${text}"`);
  return `${name}{${braces.toSorted().join(',')}} ${value}`;
}

/** Samples of Hubble's series in an exposition. */
function samplesOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.startsWith('hubble_'));
  return lines
    .map((line) => {
      const [, name = '', braces = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
      const pairs = [...braces.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', word = '']) => [
        label,
        word,
      ]);
      return sample(name, Object.fromEntries(pairs), value);
    })
    .toSorted();
}

function wanted({ metric, type, labels: pairs, value, buckets = {}, sum, count }: Series): readonly string[] {
  if (type === 'counter') return [sample(metric, pairs, String(value))];
  return [
    ...Object.entries(buckets).map(([le, seen]) =>
      sample(`${metric}_bucket`, { ...pairs, le }, String(seen)),
    ),
    sample(`${metric}_sum`, pairs, String(sum)),
    sample(`${metric}_count`, pairs, String(count)),
  ];
}

describe('the cases of upstream’s own tests', () => {
  it.runIf(cases.length > 0).each(cases.map((one) => [one.id, one] as const))(
    'has the series of %s',
    (_, one) => {
      const metrics = new HubbleMetrics({
        handlers: [parseHandler(entryOf(one.handler, one.context_options))],
        budget: { maxSeries: 1000, idleMs: 60_000 },
        correct: false,
      });
      for (const flow of flowsOf(one.flows.map(({ flow: json }) => json))) metrics.count(flow, 1000);
      const found = samplesOf(metrics.text(false, 1000));
      if (one.partial_labels !== true) expect(found).toEqual(one.expect.flatMap(wanted).toSorted());
      else {
        // Upstream asserted some of the labels only.
        expect(found).toHaveLength(one.expect.length);
        for (const { labels: pairs } of one.expect)
          expect(found).toContainEqual(
            expect.stringMatching(
              Object.entries(pairs)
                .map(([label, word]) => `(?=.*${label}="${word}")`)
                .join(''),
            ),
          );
      }
    },
  );

  it.runIf(labels.length > 0)('name both ends of a flow as upstream does', () => {
    for (const one of labels) {
      const { contexts } = parseHandler(entryOf('flow', one.context_options));
      const [flow] = flowsOf([one.flow]);
      if (flow === undefined) throw new Error('no flow');
      expect(new ContextLabels(contexts).values(flow), JSON.stringify(one)).toEqual(one.want_label_values);
    }
  });

  it.runIf(recorded !== undefined)('cut the names of pods as upstream does', () => {
    for (const { pod, short } of recorded.short_pod_names) {
      const { contexts } = parseHandler('flow:sourceContext=pod-short');
      const [flow] = flowsOf([{ source: { pod_name: pod } }]);
      if (flow === undefined) throw new Error('no flow');
      expect(new ContextLabels(contexts).values(flow)).toEqual([short]);
    }
  });

  it.runIf(recorded !== undefined)(
    'take the options that upstream takes, and refuse those it refuses',
    () => {
      for (const one of recorded.context_options) {
        // Upstream passes over an option that it does not know; here that is an error, since it has no effect.
        const refused = one.want_error || 'unknown' in one.context_options;
        const parse = (): readonly string[] =>
          new ContextLabels(parseHandler(entryOf('flow', one.context_options)).contexts).names;
        if (refused) expect(parse, JSON.stringify(one)).toThrow('hubbleMetrics.enabled');
        else expect(parse()).toEqual(one.want_label_names);
      }
    },
  );

  it('says loudly when the recorded cases are missing', () => {
    expect(recorded === undefined ? cases.length === 0 : cases.length + labels.length > 30).toBe(true);
  });
});
