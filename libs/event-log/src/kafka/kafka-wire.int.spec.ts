import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isAppError } from '@flowledger/platform';
import {
  announceSkip,
  findKafka,
  startJvmBroker,
  startTcpProxy,
  type JvmBroker,
  type TcpFault,
  type TcpProxy,
} from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../port.js';
import { openKafkaLog } from './open-kafka-log.js';

const source = await findKafka();
// A proxy in front of a broker needs a broker that can be told its address: one of our own.
if (source.kind !== 'jvm') announceSkip('Apache Kafka behind a proxy', 'no broker of our own', 'anywhere');
/** Appends go on for so many turns of the faults, and so many values, at least. */
const TURNS = 15;
const VALUES = 20;

describe.runIf(source.kind === 'jvm')('a Kafka log whose way to the broker is bad', () => {
  let broker: JvmBroker;
  let proxy: TcpProxy;

  beforeAll(async () => {
    proxy = await startTcpProxy();
    broker = await startJvmBroker({
      listeners: { PROXIED: 'PLAINTEXT' },
      advertised: { PROXIED: proxy.port },
    });
    proxy.to(broker.ports['PROXIED'] ?? 0);
  }, 180_000);
  afterAll(async () => {
    await proxy.close();
    await broker.stop();
  });

  function openLog(): Promise<EventLog> {
    return openKafkaLog({
      brokers: [`127.0.0.1:${proxy.port}`],
      mode: 'writer',
      topic: `wire.${randomUUID()}`,
      partitions: 1,
      replicationFactor: 1,
      minInSyncReplicas: 1,
      requestMs: 3_000,
      retentionMs: 86_400_000,
      retentionBytes: 2 ** 30,
      strict: false,
    });
  }

  it.each<[string, readonly TcpFault[]]>([
    ['resets connections', ['refuse', 'pass', 'pass', 'pass', 'pass']],
    ['loses the answers of what was appended (F12)', ['lose-answers', 'pass']],
    ['cuts requests in their middle', [{ cutAfter: 700 }, 'pass']],
    ['stalls', ['stall', 'pass']],
    ['is slow (F13)', [{ drip: 200 }, 'pass']],
    ['does all of it in turn', ['refuse', 'lose-answers', { cutAfter: 300 }, { drip: 50 }, 'stall', 'pass']],
  ])(
    'has every acknowledged record, in order, and no copy but of what was refused, when it %s',
    async (_, faults) => {
      const log = await openLog();
      let [done, turn, values] = [false, 0, 0];
      const before = proxy.hits();
      const chaos = (async () => {
        for (; !done; turn++) {
          proxy.set(faults[turn % faults.length] ?? 'pass');
          await pause(120);
        }
        proxy.set('pass');
      })();
      const refused = new Set<number>();
      try {
        for (; turn < TURNS || values < VALUES; values++) {
          const number = values;
          const value = Buffer.from(`${number} ${'x'.repeat(200)}`);
          for (let placed = false; !placed;)
            placed = await log.append([{ partition: 0, events: 1, value }]).then(
              () => true,
              (error: unknown) => {
                if (!isAppError(error) || !error.retry) throw error;
                refused.add(number);
                return false;
              },
            );
        }
      } finally {
        done = true;
        await chaos;
      }
      const found: number[] = [];
      for (let from = 0n; ;) {
        const { records } = await log.read(0, from, { maxBytes: 1 << 20, maxWaitMs: 2_000 });
        if (records.length === 0) break;
        for (const { value } of records) found.push(Number.parseInt(Buffer.from(value).toString(), 10));
        from = (records.at(-1)?.offset ?? from) + 1n;
      }
      await log.close();
      expect(proxy.hits() - before).toBeGreaterThan(faults.length / 2);
      expect([...new Set(found)]).toEqual(Array.from({ length: values }, (__, i) => i));
      const copies = found.filter((value, at) => found.indexOf(value) !== at);
      expect(copies.filter((value) => !refused.has(value))).toEqual([]);
    },
    120_000,
  );
});
