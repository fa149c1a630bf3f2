import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock, type Clock } from '@flowledger/platform';
import { FakeKubeApi } from '@flowledger/testkit';
import { KubeClient } from './kube-client.js';
import { watchResource, type ResourceState } from './watch-resource.js';

const PATH = '/apis/networking.k8s.io/v1/networkpolicies';
const policy = (name: string, more: object = {}) => ({
  metadata: { name, namespace: 'shop' },
  spec: { podSelector: {}, ...more },
});

describe('a watch of Kubernetes', () => {
  let api: FakeKubeApi;
  let stop = new AbortController();
  let watching: Promise<void> = Promise.resolve();
  const states: ResourceState[] = [];
  const waits: number[] = [];

  beforeEach(async () => {
    api = await FakeKubeApi.start();
    stop = new AbortController();
    states.length = 0;
    waits.length = 0;
  });
  afterEach(async () => {
    stop.abort();
    await watching;
    await api.close();
  });

  function watch(): void {
    // Waits are noted and short.
    const sleep: Clock['sleep'] = (ms, signal) => {
      waits.push(ms);
      return systemClock.sleep(5, signal);
    };
    watching = watchResource({
      client: new KubeClient({ server: api.url }),
      path: PATH,
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      clock: { ...systemClock, sleep },
      random: () => 1,
      logger: silentLog,
      signal: stop.signal,
      changed: (state) => states.push(state),
    });
  }
  const names = (): readonly unknown[] =>
    (states.at(-1)?.objects ?? []).map((object) => (object['metadata'] as { name: string }).name).toSorted();
  const until = (test: () => unknown) => expect.poll(test, { timeout: 5_000, interval: 10 });
  const counted = (word: string): number => api.asked.filter((text) => text.startsWith(word)).length;

  it('knows what the list had and every change after it, with kind and without what the server keeps for itself', async () => {
    api.apply(PATH, policy('a'));
    watch();
    await until(() => api.watching).toBe(1);
    expect(states.map(({ known }) => known)).toEqual([true]);
    api.apply(PATH, policy('b', { note: 'żółć' }));
    await until(names).toEqual(['a', 'b']);
    api.apply(PATH, policy('a', { changed: true }));
    api.remove(PATH, 'shop', 'b');
    await until(names).toEqual(['a']);
    expect(states.at(-1)?.objects[0]).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'a', namespace: 'shop', resourceVersion: expect.any(String) },
      spec: { podSelector: {}, changed: true },
    });
    const wide = states
      .flatMap(({ objects }) => objects)
      .find((object) => JSON.stringify(object).includes('note'));
    expect(wide).toMatchObject({ spec: { note: 'żółć' } });
    expect([counted('list'), counted('watch')]).toEqual([1, 1]);
  });

  it('lists by pages', async () => {
    for (let i = 0; i < 1200; i++) api.apply(PATH, policy(`p${i}`));
    watch();
    await until(() => names().length).toBe(1200);
    expect(counted('list')).toBe(3);
    expect(states).toHaveLength(1);
  });

  it('takes a watch up where it was cut, and loses nothing that happened in between', async () => {
    watch();
    await until(() => api.watching).toBe(1);
    api.apply(PATH, policy('a'));
    await until(names).toEqual(['a']);
    api.killWatches();
    api.apply(PATH, policy('b'));
    await until(names).toEqual(['a', 'b']);
    api.endWatches();
    api.apply(PATH, policy('c'));
    await until(names).toEqual(['a', 'b', 'c']);
    expect(counted('list')).toBe(1);
    expect(states.at(-1)?.problem).toBeUndefined();
  });

  it('goes on from a bookmark after a compaction, without a list', async () => {
    watch();
    await until(() => api.watching).toBe(1);
    api.bookmark();
    api.apply(PATH, policy('a'));
    await until(names).toEqual(['a']);
    api.bookmark();
    api.compact();
    api.endWatches();
    await until(() => counted('watch')).toBe(2);
    api.apply(PATH, policy('b'));
    await until(names).toEqual(['a', 'b']);
    expect(counted('list')).toBe(1);
  });

  it.each([true, false])('lists anew when its version is gone (said in the stream: %s)', async (inStream) => {
    api.apply(PATH, policy('a'));
    api.apply(PATH, policy('b'));
    watch();
    await until(names).toEqual(['a', 'b']);
    await until(() => api.watching).toBe(1);
    api.refusal = 500;
    if (!inStream) api.killWatches();
    else api.compact(true);
    await until(() => states.at(-1)?.problem !== undefined).toBe(true);
    expect(names()).toEqual(['a', 'b']);
    api.remove(PATH, 'shop', 'a');
    api.compact();
    api.refusal = undefined;
    await until(names).toEqual(['b']);
    await until(() => api.watching).toBe(1);
    expect(states.at(-1)?.problem).toBeUndefined();
    expect(counted('list')).toBe(2);
  });

  it('waits longer after each fault, up to a minute, keeps what it knew and says what is wrong', async () => {
    api.apply(PATH, policy('a'));
    watch();
    await until(() => api.watching).toBe(1);
    api.refusal = 403;
    api.killWatches();
    await until(() => waits.length > 9).toBe(true);
    expect(waits.slice(1, 9)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(states.at(-1)).toMatchObject({
      known: true,
      problem: expect.stringContaining('status 403 made to fail'),
    });
    expect(names()).toEqual(['a']);
    api.refusal = undefined;
    await until(() => states.at(-1)?.problem).toBeUndefined();
  });

  it('takes a resource that the cluster does not have for one without objects, until there is one', async () => {
    api.absent.add(PATH);
    watch();
    await until(() => states.at(-1)).toMatchObject({ known: true, objects: [], problem: expect.any(String) });
    api.apply(PATH, policy('a'));
    api.absent.delete(PATH);
    await until(names).toEqual(['a']);
    await until(() => states.at(-1)?.problem).toBeUndefined();
  });
});
