import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEnvelope } from '@flowledger/model';
import { Simulation } from '@flowledger/simulator';
import { silentLog, type Clock } from '@flowledger/platform';
import type { AppendRecord } from '@flowledger/event-log';
import { nextWindow, openDemo, playDemo, type DemoOptions, type DemoState } from './demo.js';

const NOW_MS = 1_795_000_000_000;
const MINUTE_MS = 60_000;
let directory: string;
let log: AppendRecord[];
let now: number;

const clock: Clock = { now: () => now, monotonic: () => now, sleep: async (ms) => void (now += ms) };
const options = (): DemoOptions => ({
  tenant: 't',
  cluster: 'c',
  partitions: 2,
  append: async (records) => void log.push(...records),
  clock,
  log: silentLog,
  stateFile: join(directory, 'demo.json'),
  historyMs: 30 * MINUTE_MS,
  callsPerSecond: 2,
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-demo-'));
  log = [];
  now = NOW_MS;
});
afterEach(() => rm(directory, { recursive: true }));

/** Plays until the history is complete and `liveSeconds` more. */
async function play(liveSeconds: number): Promise<DemoState> {
  const stop = new AbortController();
  const patient: Clock = {
    ...clock,
    sleep: async (ms) => {
      now += ms;
      if (now >= NOW_MS + liveSeconds * 1000) stop.abort();
    },
  };
  const state = await openDemo(options());
  await playDemo(state, { ...options(), clock: patient }, stop.signal);
  return openDemo(options());
}

function events(): string[] {
  return log.flatMap(({ value }) => {
    const envelope = decodeEnvelope(value);
    if (!envelope.ok) throw new Error(envelope.reason);
    return envelope.value.events.map((event) => Buffer.from(event).toString('latin1'));
  });
}

describe('the demo', () => {
  it('plays up to now first, then the older history backwards, then nothing until a second has passed', () => {
    const minute = 60n * 1_000_000_000n;
    const state = { seed: 1, from: 0n, incidentStart: 0n, since: 25n * minute, until: 25n * minute };
    expect(nextWindow(state, 36n * minute)).toEqual({ from: 25n * minute, to: 35n * minute });
    expect(nextWindow({ ...state, until: 35n * minute }, 36n * minute)).toEqual({
      from: 35n * minute,
      to: 36n * minute,
    });
    expect(nextWindow({ ...state, until: 36n * minute }, 36n * minute)).toEqual({
      from: 15n * minute,
      to: 25n * minute,
    });
    expect(nextWindow({ ...state, since: 5n * minute, until: 36n * minute }, 36n * minute)).toEqual({
      from: 0n,
      to: 5n * minute,
    });
    expect(nextWindow({ ...state, since: 0n, until: 36n * minute }, 36n * minute)).toBeUndefined();
  });

  it('gives every event of the cluster once, over a restart too, and then goes on live', async () => {
    const state = await play(5);
    expect(state.since).toBe(state.from);
    expect(state.until).toBe(BigInt(NOW_MS + 4000) * 1_000_000n);
    now += 3000;
    const before = log.length;
    await play(10);
    expect(log.length).toBeGreaterThan(before);
    const end = await openDemo(options());
    const once = new Simulation({ ...end, to: end.until, callsPerSecond: 2, scenario: 'demo' });
    const expected = [...once.events()].map((event) => Buffer.from(event.bytes).toString('latin1'));
    expect(expected.length).toBeGreaterThan(5000);
    expect(events().sort()).toEqual(expected.sort());
  });

  it('begins anew when its state cannot be read', async () => {
    await writeFile(join(directory, 'demo.json'), '{"seed":"x"}');
    expect((await openDemo(options())).since).toBe((await openDemo(options())).until);
    await play(1);
    expect(await readFile(join(directory, 'demo.json'), 'utf8')).toContain('"seed":20');
  });
});
