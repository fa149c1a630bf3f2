import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withArchive } from '@flowledger/event-log';
import { silentLog } from '@flowledger/platform';
import { startTestStore, type TestStore } from '@flowledger/testkit';
import { madeRecord } from '../testing/made-flows.js';
import { GROUP, migrateRig, openRig, RAW_TTL_DAYS, type SinkRig } from '../testing/sink-rig.js';
import { replay } from './replay.js';

const NOW = Date.now();
/** A segment a record, so that retention can remove single ones. */
const SMALL_SEGMENTS = 1024;
const DATABASE = 'archived';
let testStore: TestStore;
let rig: SinkRig;
let archive: string;

beforeAll(async () => {
  archive = mkdtempSync(join(tmpdir(), 'flowledger-archive-'));
  testStore = await startTestStore();
  rig = await openRig({ testStore, database: DATABASE, segmentBytes: SMALL_SEGMENTS, archive });
});
afterAll(async () => {
  await rig.stop();
  await testStore.stop();
  rmSync(archive, { recursive: true, force: true });
});

it('rebuilds tables from segments that retention has moved to the archive, and puts them in place', async () => {
  const made = { startMs: NOW - 3_600_000, stepMs: 100, receivedMs: NOW, count: 200 };
  const records = Array.from({ length: 8 }, (_, i) =>
    madeRecord({ ...made, node: `node-${i % 2}`, partition: i % 2, first: i * 200 }),
  );
  for (const one of records) await rig.append([one]);
  await rig.load();
  await rig.log.trim(0, 3n);
  await rig.log.trim(1, 2n);
  await rig.command('DELETE FROM flows WHERE _lo = 0');
  expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(1200);
  const options = {
    live: rig.store,
    group: GROUP,
    database: `${DATABASE}_replay`,
    openReplay: async (database: string) => {
      await migrateRig(testStore, database, RAW_TTL_DAYS);
      return testStore.store('writer', database);
    },
    rawTtlDays: RAW_TTL_DAYS,
    logger: silentLog,
  };
  const signal = new AbortController().signal;
  const without = await replay({ ...options, log: rig.log, swap: false }, signal);
  expect(without.refused.map(({ partition }) => partition)).toEqual([0, 1]);

  const log = await withArchive(rig.log, archive);
  const report = await replay({ ...options, log, swap: true }, signal);
  expect(report).toMatchObject({ swapped: true, refused: [], rows: 1600 });
  expect(report.differences.map(({ table }) => table)).toContain('flows');
  expect(await rig.number('SELECT toString(count()) FROM flows')).toBe(1600);
  expect(await rig.number('SELECT toString(uniqExact(_lp, _lo, _li)) FROM flows')).toBe(1600);
}, 60_000);
