import { setTimeout as delay } from 'node:timers/promises';
import { announceSkip, findKafka } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBooks } from '../kill/books.js';
import { feedUntil, SESSION_MS, startRig, type KafkaRig } from './rig.js';
import type { Service } from './service.js';

const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');

const PARTITIONS = 4;
const ROUNDS = 6;
const ROUND_MS = 3_000;
const LOADED_MS = 90_000;
const TEST_MS = 240_000;

let rig: KafkaRig;

beforeAll(async () => {
  if (source.kind !== 'none') rig = await startRig(source, PARTITIONS);
}, 400_000);
afterAll(() => rig?.stop(), 60_000);

/** Makes the group rebalance in another way each round; the group never is without a worker for long. */
async function disturb(round: number, workers: Service[]): Promise<void> {
  const victim = workers[0];
  if (victim === undefined) return;
  if (round % 3 === 0) {
    await victim.signal('SIGKILL');
    workers.shift();
    workers.push(await rig.startWorker());
  } else if (round % 3 === 1) {
    workers.push(await rig.startWorker());
  } else {
    // A zombie: silent for longer than its session, then back with everything it had under way.
    victim.pause();
    await delay(SESSION_MS + 1_500);
    victim.resume();
  }
}

describe.runIf(source.kind !== 'none')('several workers on Kafka', () => {
  it(
    'load every accepted event exactly once while workers join, are killed and come back as zombies',
    async () => {
      const workers = [await rig.startWorker(), await rig.startWorker()];
      const stop = new AbortController();
      const feeding = feedUntil(rig.log, 1, stop.signal);
      for (let round = 0; round < ROUNDS; round++) {
        await disturb(round, workers);
        await delay(ROUND_MS);
      }
      stop.abort();
      const { acknowledged, appends } = await feeding;
      await rig.loaded(LOADED_MS);
      const books = await checkBooks(rig.log, rig.store, acknowledged);
      expect(books.missingIds).toEqual([]);
      expect(books.surplusIds).toEqual([]);
      expect(books.missingUuids).toEqual([]);
      expect(Object.values(books.rollupDifferences).every((rows) => rows === 0)).toBe(true);
      expect(acknowledged.size).toBeGreaterThan(1_000);
      process.stdout.write(
        `rebalances: ${ROUNDS} rounds, ${appends} appends, ${books.eventsInLog} events in the log, exact\n`,
      );
      for (const worker of workers) await worker.signal('SIGTERM');
    },
    TEST_MS,
  );

  it.runIf(source.kind === 'jvm')(
    'lose nothing when the broker is killed and restarted',
    async () => {
      const worker = await rig.startWorker();
      const stop = new AbortController();
      const feeding = feedUntil(rig.log, 2, stop.signal);
      await delay(1_500);
      await rig.kafka.process?.kill();
      await delay(1_000);
      await rig.kafka.process?.restart();
      await delay(2_000);
      stop.abort();
      const { acknowledged } = await feeding;
      await rig.loaded(LOADED_MS).catch((error: unknown) => {
        throw new Error(worker.said(), { cause: error });
      });
      const books = await checkBooks(rig.log, rig.store, acknowledged);
      expect([books.missingIds, books.surplusIds, books.missingUuids]).toEqual([[], [], []]);
      expect(acknowledged.size).toBeGreaterThan(400);
      expect(worker.ended).toBe(false);
    },
    TEST_MS,
  );
});
