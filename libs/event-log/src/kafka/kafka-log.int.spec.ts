import { randomUUID } from 'node:crypto';
import { announceSkip, findKafka, startTestKafka, type TestKafka } from '@flowledger/testkit';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeEventLog } from '../contract.js';
import type { EventLog } from '../port.js';
import { openKafkaLog } from './open-kafka-log.js';
import type { KafkaLogOptions } from './options.js';
import { countsTopic } from './topics.js';

const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');

describe.runIf(source.kind !== 'none')('on a real Apache Kafka', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    if (source.kind !== 'none') kafka = await startTestKafka(source);
  }, 400_000);
  afterAll(() => kafka?.stop());

  describeEventLog('kafka', async (partitions) => {
    const topic = `test-${randomUUID()}`;
    const options = { ...optionsFor(topic), partitions };
    let log = await openKafkaLog(options);
    const others: EventLog[] = [];
    const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return {
      log,
      connect: async () => {
        const other = await openKafkaLog({ ...options, mode: 'reader' });
        others.push(other);
        return other;
      },
      reopen: async () => {
        await log.close();
        log = await openKafkaLog(options);
        return log;
      },
      removeBefore: async (partition, before) => {
        // Makes the topic known to the client.
        await admin.fetchTopicOffsets(topic);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: before.toString() }] });
        return (await log.bounds(partition)).start;
      },
      dispose: async () => {
        for (const other of others) await other.close();
        await log.close();
        await admin.deleteTopics({ topics: [topic, countsTopic(topic)] });
        await admin.disconnect();
      },
    };
  });

  it('is made with four partitions when nobody says how many, and one that is there keeps its own', async () => {
    for (const [asked, has] of [
      [undefined, 4],
      [2, 2],
    ] as const) {
      const options = optionsFor(`test-${randomUUID()}`);
      await (
        await openKafkaLog({ ...options, ...(asked === undefined ? {} : { partitions: asked }) })
      ).close();
      const again = await openKafkaLog(options);
      expect(again.partitions).toBe(has);
      await again.close();
    }
  });

  function optionsFor(topic: string): KafkaLogOptions {
    return {
      brokers: kafka.brokers,
      mode: 'writer',
      topic,
      replicationFactor: 1,
      minInSyncReplicas: 1,
      retentionMs: 86_400_000,
      retentionBytes: 2 ** 30,
      strict: false,
    };
  }
});
