import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '@flowledger/platform';
import { audit } from '../audit/audit.js';
import { madeRecord } from '../testing/made-flows.js';
import { openRig, RAW_TTL_DAYS, type SinkRig } from '../testing/sink-rig.js';
import { keepOnce } from './size-keeper.js';

const DAY_MS = 86_400_000;
/** Noon, so that no record crosses midnight. */
const NOON = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;
const signal = new AbortController().signal;
let rig: SinkRig;
let nowMs = Date.now();

beforeAll(async () => {
  rig = await openRig();
  const days = [4, 3, 2, 1].map((ago, i) =>
    madeRecord({
      node: 'node-0',
      partition: 0,
      startMs: NOON - ago * DAY_MS,
      stepMs: 100,
      receivedMs: Date.now(),
      count: 500,
      first: i * 500,
    }),
  );
  await rig.append(days);
  await rig.load();
});
afterAll(() => rig.stop());

function keep(raw: number): Promise<void> {
  const limits = { bytes: { raw, rollup: 0 }, minFree: 0 };
  const clock = { ...systemClock, now: () => nowMs };
  return keepOnce({ store: rig.store, limits, clock, logger: silentLog }, signal);
}

const rows = (table: string) => rig.number(`SELECT toString(count()) FROM ${table}`);
const isClean = async (): Promise<boolean> =>
  (await audit({ log: rig.log, store: rig.store, rawTtlDays: RAW_TTL_DAYS, nowMs }, signal)).ok;

describe('tables with a size', () => {
  it('announce the oldest days first, and lose them five minutes later, books and rollups in peace', async () => {
    const size = await rig.number(
      "SELECT toString(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'flows'",
    );
    const [requests, flows] = [await rows('edges_1m FINAL'), await rows('flows')];
    expect(flows).toBe(2000);
    await keep(Math.ceil(size * 0.6));
    expect(await rows('flows')).toBe(2000);
    expect(await rig.number("SELECT toString(countIf(class = 'raw')) FROM retention_cuts FINAL")).toBe(1);
    expect(await isClean()).toBe(true);
    nowMs += 6 * 60_000;
    await keep(Math.ceil(size * 0.6));
    expect(await rows('flows')).toBe(1000);
    expect(await rows('edges_1m FINAL')).toBe(requests);
    expect(await isClean()).toBe(true);
  }, 60_000);

  it('do not have the rollups of days that are gone repaired away by the next loader', async () => {
    const before = await rows('edges_1m FINAL');
    const late = {
      node: 'node-0',
      partition: 0,
      startMs: NOON - 4 * DAY_MS,
      stepMs: 100,
      receivedMs: Date.now(),
    };
    await rig.append([madeRecord({ ...late, count: 100, first: 90_000 })]);
    // As after a start of the machine: every hour of the last batches is looked at again.
    await rig.load({ bootedMs: Date.now() + DAY_MS });
    expect(await rows('edges_1m FINAL')).toBeGreaterThanOrEqual(before);
    expect(await isClean()).toBe(true);
    await keep(2 ** 40);
    expect(await rows('flows')).toBe(1000);
  }, 60_000);
});
