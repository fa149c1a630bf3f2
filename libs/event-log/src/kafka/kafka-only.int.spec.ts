import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isAppError, systemClock } from '@flowledger/platform';
import { announceSkip, findKafka, startTestKafka, type TestKafka } from '@flowledger/testkit';
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, PartitionLease } from '../port.js';
import { zstdAvailable } from './codecs.js';
import { KafkaLink } from './kafka-link.js';
import { openKafkaLog } from './open-kafka-log.js';
import type { KafkaLogOptions } from './options.js';
import { countsTopic } from './topics.js';

const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');
const DEADLINE_MS = 30_000;
const READ = { maxBytes: 1 << 20, maxWaitMs: 5_000 };

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await pause(20);
  }
}

const rec = (partition: number, text: string, events = 1): Parameters<EventLog['append']>[0][number] => ({
  partition,
  events,
  value: Buffer.from(text),
});

/** A member that keeps its leases until it is told to leave. */
function join(log: EventLog): { leases: PartitionLease[]; mine: () => number[]; leave: () => Promise<void> } {
  const leases: PartitionLease[] = [];
  const leaving = new AbortController();
  const consuming = log.consume(
    'loader',
    (lease) => {
      leases.push(lease);
      return new Promise((resolve) =>
        lease.signal.addEventListener('abort', () => resolve(), { once: true }),
      );
    },
    leaving.signal,
  );
  consuming.catch(() => undefined);
  return {
    leases,
    mine: () => leases.filter(({ signal }) => !signal.aborted).map(({ partition }) => partition),
    leave: () => {
      leaving.abort();
      return consuming;
    },
  };
}

describe.runIf(source.kind !== 'none')('the Kafka log', () => {
  let kafka: TestKafka;
  let admin: Admin;
  let client: Kafka;
  const opened: EventLog[] = [];

  beforeAll(async () => {
    if (source.kind === 'none') return;
    kafka = await startTestKafka(source);
    client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
    admin = client.admin();
    await admin.connect();
  }, 400_000);
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await kafka?.stop();
  });

  function optionsFor(partitions: number, topic = `only-${randomUUID()}`): KafkaLogOptions {
    return {
      brokers: kafka.brokers,
      mode: 'writer',
      topic,
      partitions,
      replicationFactor: 1,
      minInSyncReplicas: 1,
      retentionMs: 86_400_000,
      retentionBytes: 2 ** 30,
      strict: false,
      sessionTimeoutMs: 2_000,
    };
  }

  async function open(options: KafkaLogOptions): Promise<EventLog> {
    const log = await openKafkaLog(options);
    opened.push(log);
    return log;
  }

  it('counts exactly with several writers, for a handle that has seen nothing of it', async () => {
    const options = optionsFor(1);
    const writers = [await open(options), await open(options), await open(options)];
    let events = 0;
    const append = async (log: EventLog, at: number): Promise<void> => {
      events += at % 7;
      await log.append([rec(0, `r${at}`, at % 7)]);
    };
    for (let round = 0; round < 20; round++)
      await Promise.all(writers.map((log, at) => append(log, round * 3 + at)));
    const fresh = await open({ ...options, mode: 'reader' });
    expect(await fresh.bounds(0)).toMatchObject({ end: 60n, eventsBeforeEnd: BigInt(events) });
  });

  it('still knows the counts when retention has removed every record', async () => {
    const options = optionsFor(1);
    const log = await open(options);
    await log.append([rec(0, 'a', 5), rec(0, 'b', 6)]);
    await log.close();
    await admin.fetchTopicOffsets(options.topic);
    await admin.deleteTopicRecords({ topic: options.topic, partitions: [{ partition: 0, offset: '2' }] });
    const again = await open(options);
    const all = { start: 2n, end: 2n, eventsBeforeStart: 11n, eventsBeforeEnd: 11n };
    expect(await again.bounds(0)).toMatchObject(all);
    await again.append([rec(0, 'c', 1)]);
    expect(await again.bounds(0)).toMatchObject({ eventsBeforeStart: 11n, eventsBeforeEnd: 12n });
  });

  it('has another epoch when the topic is created anew, and counts from nothing', async () => {
    const options = optionsFor(1);
    const first = await open(options);
    await first.append([rec(0, 'a', 5)]);
    const { epoch } = first;
    await first.close();
    await admin.deleteTopics({ topics: [options.topic] });
    await eventually(async () => !(await admin.listTopics()).includes(options.topic));
    const second = await open(options);
    expect(second.epoch).not.toBe(epoch);
    expect(await second.bounds(0)).toMatchObject({ end: 0n, eventsBeforeEnd: 0n });
  });

  it('shares partitions among members, and moves only what must move', async () => {
    const options = optionsFor(4);
    const one = join(await open(options));
    await eventually(() => one.mine().length === 4);
    const two = join(await open(options));
    await eventually(() => one.mine().length === 2 && two.mine().length === 2);
    expect([...one.mine(), ...two.mine()].sort()).toEqual([0, 1, 2, 3]);
    // What stayed was leased once and went on without a pause.
    for (const partition of one.mine())
      expect(one.leases.filter((lease) => lease.partition === partition).length).toBe(1);
    const kept = one.leases.find(({ partition }) => partition === one.mine()[0]);
    await kept?.commit({ offset: 3n, metadata: 'still mine' });
    await two.leave();
    await eventually(() => one.mine().length === 4);
    await one.leave();
  });

  it('refuses a commit of a member that was thought dead, and takes that of its successor', async () => {
    const options = optionsFor(1);
    const [a, b] = [await open(options), await open(options)];
    const zombie = join(a);
    await eventually(() => zombie.mine().length === 1);
    const [former] = zombie.leases;
    await former?.commit({ offset: 1n, metadata: '' });
    const heir = join(b);
    // The coordinator is told that the member is gone, behind its back.
    const groupId = `${options.topic}.loader`;
    const { groups } = await admin.describeGroups([groupId]);
    const ids = groups[0]?.members.map(({ memberId }) => memberId) ?? [];
    expect(ids.length).toBeGreaterThan(0);
    await removeMembers(groupId, ids);
    // It does not know yet: the coordinator refuses it.
    const fault = await former?.commit({ offset: 99n, metadata: '' }).catch((error: unknown) => error);
    expect(isAppError(fault, 'LEASE_LOST') && !fault.retry).toBe(true);
    expect(former?.signal.aborted).toBe(true);
    await eventually(() => zombie.mine().length + heir.mine().length === 1);
    const owner = [...heir.leases, ...zombie.leases].find(({ signal }) => !signal.aborted);
    expect(owner?.committed?.offset).toBe(1n);
    await owner?.commit({ offset: 2n, metadata: '' });
    expect((await a.committed('loader', 0))?.offset).toBe(2n);
    await zombie.leave();
    await heir.leave();
  });

  /** Leaves the group in the name of its members. */
  async function removeMembers(groupId: string, memberIds: readonly string[]): Promise<void> {
    const link = new KafkaLink({ brokers: kafka.brokers }, systemClock);
    const patience = { what: 'remove members', ms: 5_000 };
    await link.connect(patience);
    await link.follow([groupId.replace(/\.loader$/, '')], patience);
    for (const memberId of memberIds)
      await link.request({ coordinatorOf: groupId }, patience, (broker) =>
        broker.leaveGroup({ groupId, memberId }),
      );
    await link.close();
  }

  it.each(['gzip', 'snappy', 'lz4', ...(zstdAvailable ? ['zstd'] : [])])(
    'reads what the broker keeps as %s',
    async (codec) => {
      const options = optionsFor(1);
      const log = await open(options);
      const configEntries = [{ name: 'compression.type', value: codec }];
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: options.topic, configEntries }],
      });
      const text = 'flow '.repeat(2_000);
      await log.append([rec(0, text), rec(0, 'short')]);
      const { records } = await log.read(0, 0n, READ);
      expect(records.map(({ value }) => Buffer.from(value).toString())).toEqual([text, 'short']);
    },
  );

  it('reads what another client wrote, without a count', async () => {
    const options = optionsFor(1);
    const log = await open(options);
    const producer = client.producer({ createPartitioner: () => () => 0 });
    await producer.connect();
    await producer.send({
      topic: options.topic,
      compression: CompressionTypes.GZIP,
      messages: [{ value: 'foreign', partition: 0 }],
    });
    await producer.disconnect();
    expect((await log.read(0, 0n, READ)).records).toMatchObject([{ offset: 0n, events: 0 }]);
  });

  it.runIf(zstdAvailable)('writes zstd where Node has it', async () => {
    const log = await open({ ...optionsFor(1), compression: 'zstd' });
    await log.append([rec(0, 'z'.repeat(5_000))]);
    expect((await log.read(0, 0n, READ)).records[0]?.value.byteLength).toBe(5_000);
  });

  it.runIf(!zstdAvailable)('says that zstd needs a newer Node where it does', async () => {
    const fault = await open({ ...optionsFor(1), compression: 'zstd' }).catch((error: unknown) => error);
    expect(isAppError(fault, 'CONFIG_INVALID')).toBe(true);
  });

  it('refuses a topic that breaks a promise in strict mode, and another number of partitions always', async () => {
    const options = optionsFor(2);
    await open(options);
    const strict = await open({ ...options, strict: true }).catch((error: unknown) => error);
    expect(isAppError(strict, 'CONFIG_INVALID') && !strict.retry).toBe(true);
    expect(String(strict)).toMatch(/replication factor is 1.*min\.insync\.replicas is 1/);
    const grown = await open({ ...options, partitions: 3 }).catch((error: unknown) => error);
    expect(isAppError(grown, 'CONFIG_INVALID')).toBe(true);
  });

  it('creates its topics with what its promises need', async () => {
    const options = optionsFor(1);
    await open(options);
    const resources = [options.topic, countsTopic(options.topic)].map((name) => ({
      type: ConfigResourceTypes.TOPIC,
      name,
    }));
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    const config = described.resources.map(
      ({ configEntries }) =>
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    );
    expect(config[0]?.get('message.timestamp.type')).toBe('LogAppendTime');
    expect(config[0]?.get('unclean.leader.election.enable')).toBe('false');
    expect(config[0]?.get('retention.ms')).toBe('86400000');
    expect(config[1]?.get('cleanup.policy')).toBe('compact');
  });

  it('says LOG_UNAVAILABLE with retry when no broker answers', async () => {
    const nowhere = { ...optionsFor(1), brokers: ['127.0.0.1:9'], requestMs: 300 };
    const fault = await open(nowhere).catch((error: unknown) => error);
    expect(isAppError(fault, 'LOG_UNAVAILABLE') && fault.retry).toBe(true);
  });
});
