import { createHash } from 'node:crypto';
import { AppError } from '@flowledger/platform';
import { isUnknownTopic } from './kafka-link.js';
import { kafkaFacts } from './faults.js';
import type { KafkaLink } from './kafka-link.js';
import type { ResolvedKafkaOptions } from './options.js';
import { topicIdentityRequest } from './raw-requests.js';

/** Topic beside the log's that remembers how many events lie before some offsets; see `event-counts.ts`. */
export function countsTopic(topic: string): string {
  return `${topic}.counts`;
}

const TOPIC_RESOURCE = 2;
const CREATE_LIMIT_MS = 15_000;
/** Partitions of a new topic when nobody says how many: that many workers can share it. */
const NEW_PARTITIONS = 4;
/** What "durable" means with Kafka (reliability note 2.1): one broker may be lost without losing what was accepted. */
const SAFE_REPLICAS = 3;
const SAFE_IN_SYNC = 2;

function logTopicConfig(options: ResolvedKafkaOptions, partitions: number): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': String(options.minInSyncReplicas),
    'unclean.leader.election.enable': 'false',
    'retention.ms': String(options.retentionMs),
    'retention.bytes': String(Math.max(1, Math.floor(options.retentionBytes / partitions))),
    // A batch holds at least one record; its own header and the record's go on top.
    'max.message.bytes': String(options.maxRecordBytes + 64 * 1024),
  };
}

function countsTopicConfig(options: ResolvedKafkaOptions): Record<string, string> {
  return {
    'cleanup.policy': 'compact',
    'min.insync.replicas': String(options.minInSyncReplicas),
    'unclean.leader.election.enable': 'false',
    'segment.ms': '3600000',
  };
}

/** Makes the topics known to `link`; a writer creates those that are missing, a reader waits for them. */
export async function openTopics(link: KafkaLink, options: ResolvedKafkaOptions): Promise<void> {
  const names = [options.topic, countsTopic(options.topic)];
  const deadline = link.clock.monotonic() + options.openWaitMs;
  for (;;) {
    try {
      for (const name of names) await link.follow([name], { what: `find topic ${name}`, ms: 0 });
      return;
    } catch (error) {
      if (!isUnknownTopic(error)) throw error;
      if (options.mode === 'writer') await createTopics(link, options);
      else if (link.clock.monotonic() >= deadline)
        throw new AppError('LOG_UNAVAILABLE', `there is no topic ${options.topic} yet`, { retry: true });
    }
    await link.clock.sleep(100);
  }
}

async function createTopics(link: KafkaLink, options: ResolvedKafkaOptions): Promise<void> {
  const entries = (config: Record<string, string>): { name: string; value: string }[] =>
    Object.entries(config).map(([name, value]) => ({ name, value }));
  const { partitions = NEW_PARTITIONS, replicationFactor, topic } = options;
  const wanted = [
    { topic: countsTopic(topic), numPartitions: 1, configEntries: entries(countsTopicConfig(options)) },
    { topic, numPartitions: partitions, configEntries: entries(logTopicConfig(options, partitions)) },
  ];
  for (const one of wanted) {
    const request = { topics: [{ ...one, replicationFactor }], timeout: CREATE_LIMIT_MS };
    await link.request('controller', { what: `create topic ${one.topic}`, ms: options.requestMs }, (broker) =>
      broker.createTopics(request).catch((error: unknown) => {
        if (!alreadyThere(error)) throw error;
      }),
    );
  }
}

/** kafkajs wraps the errors of single topics into an aggregate. */
function alreadyThere(error: unknown): boolean {
  if (kafkaFacts(error).type === 'TOPIC_ALREADY_EXISTS') return true;
  const errors: unknown = error instanceof Error && 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) && errors.some((one) => kafkaFacts(one).type === 'TOPIC_ALREADY_EXISTS');
}

/** The epoch of a log: 63 bits of a hash of what names its topic for ever. Rejects CONFIG_INVALID before Kafka 2.8. */
export async function readEpoch(link: KafkaLink, options: ResolvedKafkaOptions): Promise<bigint> {
  const { topic } = options;
  const patience = { what: 'tell the id of its topic', ms: options.requestMs };
  const identity = await link.request({ topic, leaderOf: 0 }, patience, async (broker) => {
    const answer = await broker.connectionPool.send(topicIdentityRequest(topic));
    if (answer.errorCode === 0) return answer;
    throw Object.assign(new Error(`error code ${answer.errorCode}`), { type: 'LEADER_NOT_AVAILABLE' });
  });
  if (identity.topicId.every((byte) => byte === 0))
    throw new AppError('CONFIG_INVALID', 'the brokers give topics no id: Kafka 2.8 or newer is needed', {
      retry: false,
    });
  return epochOf(identity.clusterId, identity.topicId);
}

/** Pure part of {@link readEpoch}. */
export function epochOf(clusterId: string, topicId: Uint8Array): bigint {
  const digest = createHash('sha256').update(clusterId).update('\0').update(topicId).digest();
  const epoch = digest.readBigUInt64BE() & ((1n << 63n) - 1n);
  return epoch === 0n ? 1n : epoch;
}

/** One setting of an existing topic that breaks a promise. */
export interface TopicFinding {
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
  readonly breaks: string;
}

/** Compares a topic's settings with what our promises need. Pure. */
export function judgeTopic(
  config: ReadonlyMap<string, string>,
  replicas: number,
  options: Pick<ResolvedKafkaOptions, 'retentionMs' | 'maxRecordBytes'>,
): readonly TopicFinding[] {
  const findings: TopicFinding[] = [];
  const check = (setting: string, found: string, ok: boolean, wanted: string, breaks: string): void => {
    if (!ok) findings.push({ setting, found, wanted, breaks });
  };
  const value = (name: string): string => config.get(name) ?? '';
  const whole = (name: string): number => Number(value(name));
  const unlimited = (name: string): boolean => whole(name) < 0;
  check(
    'cleanup.policy',
    value('cleanup.policy'),
    value('cleanup.policy') === 'delete',
    'delete',
    'compaction removes records that were accepted',
  );
  check(
    'replication factor',
    String(replicas),
    replicas >= SAFE_REPLICAS,
    `at least ${SAFE_REPLICAS}`,
    'losing brokers loses accepted events',
  );
  check(
    'min.insync.replicas',
    value('min.insync.replicas'),
    whole('min.insync.replicas') >= SAFE_IN_SYNC,
    `at least ${SAFE_IN_SYNC}`,
    'an append is acknowledged by too few replicas',
  );
  check(
    'unclean.leader.election.enable',
    value('unclean.leader.election.enable'),
    value('unclean.leader.election.enable') === 'false',
    'false',
    'a stale replica may lead and cut accepted events off',
  );
  check(
    'retention.ms',
    value('retention.ms'),
    unlimited('retention.ms') || whole('retention.ms') >= options.retentionMs,
    `at least ${options.retentionMs}`,
    'records are removed before the configured age',
  );
  check(
    'message.timestamp.type',
    value('message.timestamp.type'),
    value('message.timestamp.type') === 'LogAppendTime',
    'LogAppendTime',
    'retention and lag follow the clocks of senders',
  );
  check(
    'max.message.bytes',
    value('max.message.bytes'),
    whole('max.message.bytes') >= options.maxRecordBytes,
    `at least ${options.maxRecordBytes}`,
    'large envelopes are refused',
  );
  return findings;
}

/** Holds the existing topic against the options: warns, or in strict mode rejects CONFIG_INVALID naming every finding. */
export async function checkTopic(link: KafkaLink, options: ResolvedKafkaOptions): Promise<void> {
  const { topic } = options;
  const partitions = link.partitionsOf(topic);
  if (options.partitions !== undefined && options.partitions !== partitions)
    throw new AppError(
      'CONFIG_INVALID',
      `topic ${topic} has ${partitions} partitions, not ${options.partitions}: the number is fixed for the life of a log`,
      { retry: false },
    );
  const patience = { what: `read the settings of topic ${topic}`, ms: options.requestMs };
  const resources = [{ type: TOPIC_RESOURCE, name: topic, configNames: [] }];
  const answer = await link.request('controller', patience, (broker) =>
    broker.describeConfigs({ resources }),
  );
  const config = new Map(
    answer.resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue ?? '']),
  );
  const findings = judgeTopic(config, link.replicasOf(topic), options);
  for (const finding of findings) options.log?.warn({ topic, ...finding }, 'the topic breaks a promise');
  if (!options.strict || findings.length === 0) return;
  const text = findings.map(
    ({ setting, found, wanted, breaks }) => `${setting} is ${found}, wanted ${wanted}: ${breaks}`,
  );
  throw new AppError('CONFIG_INVALID', `topic ${topic}: ${text.join('; ')}`, { retry: false });
}
