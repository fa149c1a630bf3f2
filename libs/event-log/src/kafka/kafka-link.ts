import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import { kafkaFacts, kafkaFault, mayTryAgain } from './faults.js';
import type { KafkaConnection } from './options.js';
import { newCluster } from './cluster.js';
import type { Broker, Cluster } from './protocol.js';

/** Which broker a request is for. */
export type Target =
  { readonly leaderOf: number; readonly topic: string } | { readonly coordinatorOf: string } | 'controller';

/** How long a request is tried again, and what for. */
export interface Patience {
  /** Completes "the Kafka log could not …". */
  readonly what: string;
  readonly ms: number;
  readonly signal?: AbortSignal;
}

const FIRST_PAUSE_MS = 30;
const LONGEST_PAUSE_MS = 1_000;

/**
 * The connections of one handle. Finds the broker a request belongs to and tries again, with growing jittered pauses,
 * while brokers restart, leaders move and connections break.
 */
export class KafkaLink {
  private readonly cluster: Cluster;
  private readonly coordinators = new Map<string, number | string>();
  private closed = false;

  constructor(
    connection: KafkaConnection,
    readonly clock: Clock,
  ) {
    this.cluster = newCluster(connection);
  }

  /** Connects to any of the brokers. Tried again until `patience` ends. */
  async connect(patience: Patience): Promise<void> {
    await this.retry(patience, () => this.cluster.connect());
  }

  /** Makes the leaders of these topics known; each must exist. */
  async follow(topics: readonly string[], patience: Patience): Promise<void> {
    await this.retry(patience, () => this.cluster.addMultipleTargetTopics([...topics]));
  }

  /** Number of partitions of a followed topic. */
  partitionsOf(topic: string): number {
    return this.cluster.findTopicPartitionMetadata(topic).length;
  }

  /** Smallest number of replicas of any partition of a followed topic. */
  replicasOf(topic: string): number {
    const counts = this.cluster.findTopicPartitionMetadata(topic).map(({ replicas }) => replicas.length);
    return Math.min(...counts);
  }

  /** Node that leads a partition of a followed topic, as far as we know; undefined when it has none. */
  leaderOf(topic: string, partition: number): number | undefined {
    const found = this.cluster
      .findTopicPartitionMetadata(topic)
      .find(({ partitionId }) => partitionId === partition);
    return found === undefined || found.leader < 0 ? undefined : found.leader;
  }

  /** Sends to the target's broker until it answers, `patience` ends or the answer is one that stays. */
  async request<Answer>(
    target: Target,
    patience: Patience,
    send: (broker: Broker) => Promise<Answer>,
  ): Promise<Answer> {
    return this.retry(patience, async () => send(await this.broker(target)));
  }

  /** Sends once. Rejects with kafkajs's error, after which what is known of leaders has been refreshed if that may help. */
  async once<Answer>(target: Target, send: (broker: Broker) => Promise<Answer>): Promise<Answer> {
    if (this.closed) throw closedFault();
    try {
      return await send(await this.broker(target));
    } catch (error) {
      if (mayTryAgain(error)) await this.lookAround();
      throw error;
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.cluster.disconnect();
  }

  private async retry<Answer>(patience: Patience, attempt: () => Promise<Answer>): Promise<Answer> {
    const deadline = this.clock.monotonic() + patience.ms;
    for (let tries = 0; ; tries++) {
      if (this.closed) throw closedFault();
      try {
        return await attempt();
      } catch (error) {
        const late = this.clock.monotonic() >= deadline;
        if (!mayTryAgain(error) || late || patience.signal?.aborted === true)
          throw kafkaFault(patience.what, error);
        await this.lookAround();
        await this.pause(tries, patience.signal);
      }
    }
  }

  /** Waits before the next attempt: growing, jittered, at most a second; ends early with the signal. */
  async pause(tries: number, signal?: AbortSignal): Promise<void> {
    const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
    await this.clock.sleep(full * (0.5 + Math.random() / 2), signal).catch(() => undefined);
  }

  /** Learns anew who leads what; failing to is no fault, the next attempt will tell. */
  private async lookAround(): Promise<void> {
    this.coordinators.clear();
    await this.cluster.refreshMetadata().catch(() => undefined);
  }

  private async broker(target: Target): Promise<Broker> {
    if (target === 'controller') return this.cluster.findControllerBroker();
    if ('coordinatorOf' in target) return this.coordinator(target.coordinatorOf);
    const nodeId = this.leaderOf(target.topic, target.leaderOf);
    if (nodeId === undefined)
      throw Object.assign(new Error('the partition has no leader'), { type: 'LEADER_NOT_AVAILABLE' });
    return this.cluster.findBroker({ nodeId });
  }

  private async coordinator(groupId: string): Promise<Broker> {
    const known = this.coordinators.get(groupId);
    if (known !== undefined) return this.cluster.findBroker({ nodeId: known });
    const broker = await this.cluster.findGroupCoordinator({ groupId });
    if (broker.nodeId !== null) this.coordinators.set(groupId, broker.nodeId);
    return broker;
  }
}

function closedFault(): AppError {
  return new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
}

/** Whether a topic does not exist (yet). */
export function isUnknownTopic(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return kafkaFacts(cause).type === 'UNKNOWN_TOPIC_OR_PARTITION';
}
