import { systemClock } from '@flowledger/platform';
import type { Clock, Log } from '@flowledger/platform';

/** How clients prove who they are. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** TLS of the connection to the brokers; texts are PEM. */
export interface KafkaTls {
  /** Certificates that sign the brokers'; empty: those of the system. */
  readonly ca: string;
  /** Our own certificate and key for mutual TLS; empty: none. */
  readonly cert: string;
  readonly key: string;
  /** Name the broker's certificate must carry; empty: the host name. */
  readonly serverName: string;
}

/** Where the brokers are and how to talk to them. */
export interface KafkaConnection {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
}

/** How the topics are made, and what they are held against when they exist. */
export interface KafkaTopicOptions {
  /** Topic of the envelopes. */
  readonly topic: string;
  /** Must match an existing topic; undefined takes its number, and makes a new topic with four. */
  readonly partitions?: number;
  readonly replicationFactor: number;
  readonly minInSyncReplicas: number;
  /** Age limit, ms. */
  readonly retentionMs: number;
  /** Limit of all partitions together, bytes. */
  readonly retentionBytes: number;
  /** Refuse a topic that breaks a promise of ours; false: only warn. */
  readonly strict: boolean;
}

export interface KafkaLogOptions extends KafkaConnection, KafkaTopicOptions {
  /** `writer` may create the topics; `reader` waits `openWaitMs` for them. Both may append. */
  readonly mode: 'writer' | 'reader';
  readonly openWaitMs?: number;
  /** zstd needs Node.js 22.15. Default lz4. */
  readonly compression?: 'lz4' | 'zstd';
  /** How long a member of a group may be silent before its partitions go to others. 10 s. */
  readonly sessionTimeoutMs?: number;
  /** How long one append is tried again while no broker takes it. 120 s. */
  readonly deliveryMs?: number;
  /** How long reads and commits are tried again. 30 s. */
  readonly requestMs?: number;
  /** Bytes of values that may wait for durability; further appends wait. 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Largest value. 16 MiB; the topic is created to take it. */
  readonly maxRecordBytes?: number;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** Options with every default filled in. */
export interface ResolvedKafkaOptions extends KafkaLogOptions {
  readonly clientId: string;
  readonly openWaitMs: number;
  readonly compression: 'lz4' | 'zstd';
  readonly sessionTimeoutMs: number;
  readonly deliveryMs: number;
  readonly requestMs: number;
  readonly maxPendingBytes: number;
  readonly maxRecordBytes: number;
  readonly clock: Clock;
}

const MIB = 1024 * 1024;

/** Fills in the defaults documented at {@link KafkaLogOptions}. */
export function resolveKafkaOptions(options: KafkaLogOptions): ResolvedKafkaOptions {
  return {
    clientId: 'flowledger',
    openWaitMs: 0,
    compression: 'lz4',
    sessionTimeoutMs: 10_000,
    deliveryMs: 120_000,
    requestMs: 30_000,
    maxPendingBytes: 64 * MIB,
    maxRecordBytes: 16 * MIB,
    clock: systemClock,
    ...options,
  };
}
