import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeClient } from '@flowledger/kubernetes';
import { silentLog, systemClock } from '@flowledger/platform';
import { policiesAsOf } from '@flowledger/policy';
import { FakeKubeApi } from '@flowledger/testkit';
import { readPolicyDocuments } from './policy-documents.js';
import type { PolicyState } from './policy-source.js';
import { openWatchedPolicies, type WatchedPolicies } from './watched-policies.js';

const CNP = '/apis/cilium.io/v2/ciliumnetworkpolicies';
const CCNP = '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies';
const NETPOL = '/apis/networking.k8s.io/v1/networkpolicies';
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 22);

const cnp = (name: string, app: string) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { endpointSelector: { matchLabels: { app } }, ingress: [{ fromEntities: ['cluster'] }] },
});
const netpol = (name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] },
});

describe('policies that follow Kubernetes', () => {
  let api: FakeKubeApi;
  let directory = '';
  let source: WatchedPolicies | undefined;
  let nowMs = START_MS;

  beforeEach(async () => {
    api = await FakeKubeApi.start();
    directory = await mkdtemp(join(tmpdir(), 'states-'));
    nowMs = START_MS;
  });
  afterEach(async () => {
    await source?.close();
    await api.close();
    await rm(directory, { recursive: true });
  });

  async function open(): Promise<WatchedPolicies> {
    source = await openWatchedPolicies({
      client: new KubeClient({ server: api.url }),
      cluster: 'eu',
      directory,
      keepMs: 10 * DAY_MS,
      // Waits are short, and the time is the test's.
      clock: {
        ...systemClock,
        now: () => nowMs,
        sleep: (_ms, signal) => systemClock.sleep(10, signal),
      },
      random: () => 0,
      logger: silentLog,
    });
    return source;
  }
  const names = ({ snapshots }: PolicyState, atMs: number): readonly string[] =>
    policiesAsOf(snapshots, 'eu', BigInt(atMs) * 1_000_000n, [])
      .policies.map(({ name }) => name)
      .toSorted();
  const until = (test: () => unknown) => expect.poll(test, { timeout: 5_000, interval: 10 });

  it('are the same objects as those of a file, from all three resources', async () => {
    const objects = [cnp('a', 'web'), netpol('c')];
    const wide = { ...cnp('b', 'db'), kind: 'CiliumClusterwideNetworkPolicy', metadata: { name: 'b' } };
    api.apply(CNP, cnp('a', 'web'));
    api.apply(CCNP, wide);
    api.apply(NETPOL, netpol('c'));
    const watched = await open();
    await until(async () => names(await watched.state(), nowMs)).toEqual(['a', 'b', 'c']);
    const file = readPolicyDocuments(JSON.stringify({ items: [...objects, wide] }), 'dump.json').snapshot;
    const [state] = (await watched.state()).snapshots;
    const rulesOf = (policies: PolicyState['snapshots'][number]['policies'] = []): unknown =>
      policies
        .map(({ kind, namespace, name, createdNs, rules }) => ({ kind, namespace, name, createdNs, rules }))
        .toSorted((a, b) => a.name.localeCompare(b.name));
    expect(rulesOf(state?.policies)).toEqual(rulesOf(file.policies));
    expect(state).toMatchObject({ origin: 'kubernetes', cluster: 'eu', problems: [] });
    expect((await watched.state()).problems).toEqual([]);
  });

  it('are a state for each change, by which a flow of that time is judged', async () => {
    api.apply(CNP, cnp('a', 'web'));
    const watched = await open();
    await until(async () => (await watched.state()).snapshots.length).toBe(1);
    nowMs += 60_000;
    api.apply(CNP, cnp('b', 'web'));
    await until(async () => (await watched.state()).snapshots.length).toBe(2);
    nowMs += 60_000;
    api.remove(CNP, 'shop', 'a');
    await until(async () => (await watched.state()).snapshots.length).toBe(3);
    const state = await watched.state();
    const at = [START_MS + 1, START_MS + 60_001, START_MS + 120_001].map((ms) => names(state, ms));
    expect(at).toEqual([['a'], ['a', 'b'], ['b']]);
  });

  it('are known again after a restart, with what changed meanwhile as a new state', async () => {
    api.apply(CNP, cnp('a', 'web'));
    const first = await open();
    await until(async () => (await first.state()).snapshots.length).toBe(1);
    await first.close();
    api.refusal = 503;
    nowMs += 1_000;
    const second = await open();
    await until(async () => (await second.state()).problems.length).toBe(3);
    expect(names(await second.state(), nowMs)).toEqual(['a']);
    api.apply(CNP, cnp('b', 'web'));
    api.refusal = undefined;
    await until(async () => names(await second.state(), nowMs)).toEqual(['a', 'b']);
    expect((await second.state()).snapshots).toHaveLength(2);
    expect(names(await second.state(), START_MS + 1)).toEqual(['a']);
  });

  it('are not recorded before every resource was listed: half a list would look like deletions', async () => {
    api.apply(CNP, cnp('a', 'web'));
    api.apply(NETPOL, netpol('c'));
    api.broken.add(NETPOL);
    const watched = await open();
    await until(() => api.watching).toBe(2);
    await until(async () => (await watched.state()).problems.length).toBe(1);
    expect((await watched.state()).snapshots).toEqual([]);
    api.broken.delete(NETPOL);
    await until(async () => names(await watched.state(), nowMs)).toEqual(['a', 'c']);
    expect((await watched.state()).snapshots).toHaveLength(1);
  });

  it('are without Cilium’s kinds where the cluster does not have them, and say so', async () => {
    api.absent.add(CNP);
    api.absent.add(CCNP);
    api.apply(NETPOL, netpol('c'));
    const watched = await open();
    await until(async () => names(await watched.state(), nowMs)).toEqual(['c']);
    expect((await watched.state()).problems.map(({ origin }) => origin)).toEqual([
      'kubernetes CiliumNetworkPolicy',
      'kubernetes CiliumClusterwideNetworkPolicy',
    ]);
  });

  it('forget what was over before the oldest flow, also on disk, and pass over a damaged file', async () => {
    api.apply(CNP, cnp('a', 'web'));
    const watched = await open();
    await until(async () => (await watched.state()).snapshots.length).toBe(1);
    for (const day of [3, 20, 21]) {
      nowMs = START_MS + day * DAY_MS;
      api.apply(CNP, cnp(`day-${day}`, 'web'));
      await until(async () => names(await watched.state(), nowMs)).toContain(`day-${day}`);
    }
    await watched.close();
    expect((await watched.state()).snapshots).toHaveLength(3);
    expect(await readdir(directory)).toHaveLength(3);
    await writeFile(join(directory, '00001700000000000000.json'), '[{');
    const again = await open();
    const origins = (await again.state()).problems.map(({ origin }) => origin);
    expect(origins).toContain('00001700000000000000.json');
    expect((await again.state()).snapshots).toHaveLength(3);
  });
});
