import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import { FakeKubeApi, unusedPort } from '@flowledger/testkit';
import { ask, eventually, run, start, temporary, type Started } from './command.js';

const NETPOL = '/apis/networking.k8s.io/v1/networkpolicies';
const policy = (name: string) => ({
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { podSelector: {}, policyTypes: ['Ingress'] },
});
const METRICS = { metrics: [{ name: 'flow', includeFilters: [{ verdict: ['DROPPED'] }] }] };

let directory: Awaited<ReturnType<typeof temporary>>;
let kube: FakeKubeApi;
let group: Started;
let metricsPort: number;
let data: string;

beforeAll(async () => {
  directory = await temporary();
  data = join(directory.path, 'data');
  kube = await FakeKubeApi.start({ token: () => 'secret' });
  metricsPort = await unusedPort();
  const kubeconfig = join(directory.path, 'kubeconfig');
  const content = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: kube.url } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  const metrics = join(directory.path, 'metrics.yaml');
  await writeFile(metrics, JSON.stringify(METRICS));
  kube.apply(NETPOL, policy('closed'));
  const listening = ['--data-dir', data, '--port', '0', '--observer-port', '0', '--no-demo'];
  const following = ['--policy-kubernetes', 'kubeconfig', '--policy-kubeconfig', kubeconfig];
  const counting = ['--hubble-metrics-config-file', metrics, '--hubble-metrics-port', String(metricsPort)];
  group = await start([...listening, ...following, ...counting]);
  const to = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
  const simulation = new Simulation({
    seed: 7,
    from: to - 60_000_000_000n,
    to,
    callsPerSecond: 20,
    scenario: 'test',
  });
  const file = join(directory.path, 'flows.jsonl');
  await writeFile(file, [...simulation.events()].map(toJsonLine).join('\n'));
  expect((await run(['import', file, '--data-dir', data])).code).toBe(0);
}, 120_000);
afterAll(async () => {
  await group.stop();
  await kube.close();
  await directory.remove();
});

describe('a running Flowledger', () => {
  it('writes a Parquet file of what observe would print', async () => {
    const words = ['observe', '--data-dir', data, '--since', '10m', '--verdict', 'DROPPED'];
    const printed = await run([...words, '-o', 'json']);
    expect(printed.out.trim().split('\n').length).toBeGreaterThan(5);
    const file = await run([...words, '-o', 'parquet']);
    expect([file.code, file.err]).toEqual([0, '']);
    expect([file.out.slice(0, 4), file.out.slice(-4)]).toEqual(['PAR1', 'PAR1']);
    // Names of columns stand in a file's foot as they are.
    for (const column of ['drop_reason', 'src_workload', 'latency_ns']) expect(file.out).toContain(column);
    expect(file.out).toContain('DROPPED');
    expect(file.out).not.toContain('FORWARDED');
  });

  it('refuses an export that it cannot make, in one line', async () => {
    const bad = await run(['observe', '--data-dir', data, '--from-ip', 'nothing', '-o', 'parquet']);
    expect(bad.code).not.toBe(0);
    expect(bad.out).toBe('');
    expect(bad.err).toMatch(/^flowledger: .*sourceIp.*\n$/);
  });

  it('follows the policies of Kubernetes', async () => {
    const names = async (): Promise<readonly string[]> => {
      const { policies } = await ask<{ policies: { policies: { policy: { name: string } }[] } }>(
        group.url,
        '{ policies { policies { policy { name } } } }',
      );
      return policies.policies.map((one) => one.policy.name).toSorted();
    };
    await eventually('the list', 10_000, async () => (await names()).join(' ') === 'closed');
    kube.apply(NETPOL, policy('another'));
    await eventually('the change', 10_000, async () => (await names()).join(' ') === 'another closed');
    const listed = await run(['policy', 'list', '--data-dir', data]);
    expect(listed.out).toContain('NetworkPolicy shop/another');
  });

  it('counts what the filters of Hubble’s dynamic configuration take', async () => {
    const counted = async (): Promise<readonly string[]> => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return text.split('\n').filter((line) => line.startsWith('hubble_flows_processed_total{'));
    };
    await eventually('series', 10_000, async () => (await counted()).length > 0);
    for (const line of await counted()) expect(line).toContain('verdict="DROPPED"');
  });
});
