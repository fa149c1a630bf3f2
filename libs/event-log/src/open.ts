import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, isAppError, systemClock, type Config, type Log } from '@flowledger/platform';
import { openEmbeddedLog } from './embedded/embedded-log.js';
import type { EmbeddedLogEvent } from './embedded/options.js';
import { openKafkaLog } from './kafka/open-kafka-log.js';
import type { KafkaConnection, KafkaLogOptions } from './kafka/options.js';
import type { EventLog } from './port.js';

/** The consumer group of the loaders; retention never removes what it has not committed. */
export const LOADER_GROUP = 'loader';

const WRITER_WAIT_MS = 15_000;
const READER_WAIT_MS = 30_000;

/**
 * The log that the configuration names, for appending. Embedded: a previous writer that is still ending is waited for, at
 * most 15 s; then CONFLICT. Kafka: the topics are created when they are missing. Rejects CONFIG_INVALID.
 */
export async function openLogWriter(config: Config, log: Log): Promise<EventLog> {
  if (config.log.kind === 'kafka') return openKafkaLog(await kafkaOptions(config, 'writer', log));
  const deadline = systemClock.monotonic() + WRITER_WAIT_MS;
  for (;;) {
    try {
      return await openEmbeddedWriter(config, log);
    } catch (error) {
      if (!isAppError(error, 'CONFLICT') || !error.retry || systemClock.monotonic() > deadline) throw error;
      await systemClock.sleep(100);
    }
  }
}

function openEmbeddedWriter(config: Config, log: Log): Promise<EventLog> {
  const { segmentSize, retentionSize, retentionAge, fullPolicy, minFree, durability } = config.log;
  return openEmbeddedLog({
    directory: join(config.data.dir, 'log'),
    mode: 'writer',
    ...askedPartitions(config),
    segmentBytes: segmentSize,
    retention: { maxBytes: retentionSize, maxAgeMs: retentionAge, groups: [LOADER_GROUP] },
    fullPolicy,
    minFreeBytes: minFree,
    archive: config.log.archive,
    durability,
    onEvent: (event) => report(event, log),
  });
}

/** The same log for reading and consuming; waits for the writer to create it, at most 30 s. */
export async function openLogReader(config: Config, log?: Log): Promise<EventLog> {
  if (config.log.kind === 'kafka') return openKafkaLog(await kafkaOptions(config, 'reader', log));
  return openEmbeddedLog({
    directory: join(config.data.dir, 'log'),
    mode: 'reader',
    openWaitMs: READER_WAIT_MS,
  });
}

/** 0 asks for nothing: the number of the log that is there, or the adapter's own for a new one. */
function askedPartitions({ log: { partitions } }: Config): { readonly partitions?: number } {
  return partitions === 0 ? {} : { partitions };
}

async function kafkaOptions(
  config: Config,
  mode: 'writer' | 'reader',
  log: Log | undefined,
): Promise<KafkaLogOptions> {
  const { topic, replicationFactor, minInSyncReplicas, retentionAge, retentionSize } = config.log;
  return {
    ...(await kafkaConnection(config)),
    mode,
    topic,
    ...askedPartitions(config),
    replicationFactor,
    minInSyncReplicas,
    retentionMs: retentionAge,
    retentionBytes: retentionSize,
    strict: config.log.strict,
    compression: config.log.compression,
    sessionTimeoutMs: config.log.sessionTimeout,
    openWaitMs: READER_WAIT_MS,
    ...(log === undefined ? {} : { log }),
  };
}

async function kafkaConnection(config: Config): Promise<KafkaConnection> {
  const { brokers, tls, tlsCa, tlsCert, tlsKey, tlsServerName } = config.log;
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = config.log;
  const problem = kafkaProblem(config);
  if (problem !== undefined) throw new AppError('CONFIG_INVALID', problem, { retry: false });
  const pem = (path: string): Promise<string> => (path === '' ? Promise.resolve('') : readPem(path));
  const files = tls ? { ca: await pem(tlsCa), cert: await pem(tlsCert), key: await pem(tlsKey) } : undefined;
  return {
    brokers,
    ...(files === undefined ? {} : { tls: { ...files, serverName: tlsServerName } }),
    ...(mechanism === 'none' ? {} : { sasl: { mechanism, username, password } }),
  };
}

function kafkaProblem({ log }: Config): string | undefined {
  if (log.brokers.length === 0) return 'log.kind is kafka: log.brokers must name at least one broker';
  const odd = log.brokers.find((broker) => !/^[^\s:]+:\d{1,5}$/.test(broker));
  if (odd !== undefined) return `log.brokers: ${odd} is not host:port`;
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(log.topic)) return `log.topic: ${log.topic} is no name of a topic`;
  if (log.saslMechanism !== 'none' && log.saslUsername === '')
    return 'log.saslMechanism needs log.saslUsername';
  const files = log.tlsCa + log.tlsCert + log.tlsKey;
  if (!log.tls && files !== '') return 'log.tlsCa, log.tlsCert and log.tlsKey need log.tls';
  if ((log.tlsCert === '') !== (log.tlsKey === '')) return 'log.tlsCert and log.tlsKey belong together';
  return undefined;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `cannot read ${path}`, { retry: false, cause });
  }
}

function report(event: EmbeddedLogEvent, log: Log): void {
  if (event.kind === 'fault') log.error({ code: event.error.code, error: event.error.message }, 'log fault');
  else if (event.kind === 'removed') log.info({ ...event.range }, 'log retention removed records');
  else log.warn({ ...event.note }, 'log repaired at open');
}
