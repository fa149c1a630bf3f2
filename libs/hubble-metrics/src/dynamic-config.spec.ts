import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, type Clock } from '@flowledger/platform';
import { parseDynamicConfig } from './dynamic-config.js';
import { followConfigFile, readConfigFile } from './follow-config-file.js';
import { HubbleMetrics } from './hubble-metrics.js';
import { flowsOf } from './testing/flow-of.js';

const between = (from: string, to: string): object => ({
  verdict: 'DROPPED',
  event_type: { type: 1 },
  drop_reason_desc: 'POLICY_DENIED',
  l4: { TCP: { source_port: 1, destination_port: 80 } },
  source: { namespace: from, pod_name: 'a' },
  destination: { namespace: to, pod_name: 'b' },
});
const flows = flowsOf([between('shop', 'db'), between('shop', 'kube-system'), between('web', 'db')]);

const config = (more: string): string => `
metrics:
  - name: drop
    contextOptions:
      - name: sourceContext
        values: [namespace]
      - name: labelsContext
        values: [destination_namespace]
${more}`;
const INCLUDE = '    includeFilters:\n      - source_pod: ["shop/"]\n';
const EXCLUDE = '    excludeFilters:\n      - destination_pod: ["kube-system/"]\n';

function metricsOf(text: string): HubbleMetrics {
  const handlers = parseDynamicConfig(text);
  return new HubbleMetrics({ handlers, budget: { maxSeries: 100, idleMs: 60_000 }, correct: false });
}

/** `source>destination count` of `hubble_drop_total`. */
function drops(metrics: HubbleMetrics): readonly string[] {
  const series =
    /^hubble_drop_total\{source="(\w*)",destination_namespace="([\w-]*)",reason="POLICY_DENIED",protocol="TCP"\} (\d+)$/gm;
  const text = metrics.text(false, 0);
  return [...text.matchAll(series)].map(([, from, to, count]) => `${from}>${to} ${count}`).toSorted();
}

describe('a metric of the dynamic configuration', () => {
  it('counts every flow without filters', () => {
    const metrics = metricsOf(config(''));
    for (const flow of flows) metrics.count(flow, 0);
    expect(drops(metrics)).toEqual(['shop>db 1', 'shop>kube-system 1', 'web>db 1']);
  });

  it('counts what an include filter takes and no exclude filter does', () => {
    const metrics = metricsOf(config(INCLUDE + EXCLUDE));
    for (const flow of flows) metrics.count(flow, 0);
    expect(drops(metrics)).toEqual(['shop>db 1']);
  });

  it('takes filters with values of every form: numbers and names of enums, nested messages, CEL', () => {
    const forms = [
      '{ verdict: [2] }',
      '{ verdict: [DROPPED] }',
      '{ event_type: [{ type: 1 }] }',
      '{ destinationPort: ["80"] }',
      '{ experimental: { cel_expression: ["_flow.verdict == Verdict.DROPPED"] } }',
    ];
    for (const form of forms) {
      const metrics = metricsOf(config(`    includeFilters:\n      - ${form}\n`));
      for (const flow of flows) metrics.count(flow, 0);
      expect(drops(metrics), form).toHaveLength(3);
      const none = metricsOf(config(`    excludeFilters:\n      - ${form}\n`));
      for (const flow of flows) none.count(flow, 0);
      expect(drops(none), form).toEqual([]);
    }
  });

  it('is refused with its place when something in it is not understood', () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['metrics: {}', 'metrics: a list'],
      ['metric: []', 'metric is none of metrics'],
      ['metrics:\n  - name: drops', 'metrics[0]: drops is none of'],
      ['metrics:\n  - name: drop\n    includes: []', 'metrics[0]: includes is none of'],
      [config('    includeFilters:\n      - source_pood: [a]\n'), 'includeFilters[0].source_pood'],
      [config('    excludeFilters:\n      - source_ip: [nothing]\n'), 'excludeFilters[0].sourceIp'],
      [config('    excludeFilters:\n      - source_pod: [{ a: 1 }]\n'), 'excludeFilters[0].source_pod'],
      [config('    excludeFilters:\n      - source_port: [80]\n'), 'excludeFilters[0].sourcePort'],
      [config('  - name: drop\n'), 'drop: given twice'],
      ['metrics: [', 'hubbleMetrics.configFile'],
    ];
    for (const [text, place] of wrong) expect(() => parseDynamicConfig(text), text).toThrow(place);
  });
});

describe('the file', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'metrics-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Follows the file for one look a step; each step changes the file before the look. */
  async function follow(steps: readonly (() => Promise<void>)[], first: string): Promise<HubbleMetrics> {
    const path = join(directory, 'metrics.yaml');
    await writeFile(path, first);
    const file = await readConfigFile(path);
    const metrics = metricsOf(first);
    const stop = new AbortController();
    const left = [...steps];
    const sleep = async (): Promise<void> => {
      const step = left.shift();
      if (step === undefined) stop.abort();
      else await step();
    };
    const clock: Clock = { now: () => 0, monotonic: () => 0, sleep };
    await followConfigFile(file, { metrics, clock, logger: silentLog, signal: stop.signal });
    return metrics;
  }
  const write = (text: string) => () => writeFile(join(directory, 'metrics.yaml'), text);
  const holds = (metrics: HubbleMetrics): string =>
    /^flowledger_hubble_metrics_config_file_holds (\d)$/m.exec(metrics.text(false, 0))?.[1] ?? '';

  it('is put in force when it changes, and counters whose labels stay go on', async () => {
    const metrics = await follow([write(config(INCLUDE))], config(''));
    for (const flow of flows) metrics.count(flow, 0);
    expect(drops(metrics)).toEqual(['shop>db 1', 'shop>kube-system 1']);
    metrics.configure(parseDynamicConfig(config(EXCLUDE)));
    for (const flow of flows) metrics.count(flow, 0);
    expect(drops(metrics)).toEqual(['shop>db 2', 'shop>kube-system 1', 'web>db 1']);
    metrics.configure(parseDynamicConfig('metrics: [{ name: drop }]'));
    for (const flow of flows) metrics.count(flow, 0);
    expect(metrics.text(false, 0)).toContain('hubble_drop_total{reason="POLICY_DENIED",protocol="TCP"} 3\n');
  });

  it('leaves what was in force when it is bad or gone, says so, and is taken again when it is good', async () => {
    const bad = await follow([write(config(INCLUDE)), write('metrics: [')], config(''));
    for (const flow of flows) bad.count(flow, 0);
    expect([drops(bad), holds(bad)]).toEqual([['shop>db 1', 'shop>kube-system 1'], '0']);
    const gone = await follow([() => rm(join(directory, 'metrics.yaml'))], config(INCLUDE));
    for (const flow of flows) gone.count(flow, 0);
    expect([drops(gone), holds(gone)]).toEqual([['shop>db 1', 'shop>kube-system 1'], '0']);
    const good = await follow([write('metrics: ['), write(config(INCLUDE))], config(''));
    for (const flow of flows) good.count(flow, 0);
    expect([drops(good), holds(good)]).toEqual([['shop>db 1', 'shop>kube-system 1'], '1']);
  });

  it('stops the start when it is bad', async () => {
    await expect(readConfigFile(join(directory, 'none'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
