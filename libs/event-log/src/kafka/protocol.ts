/**
 * The part of kafkajs this library stands on: connections, TLS, SASL, metadata and the wire format of single requests.
 * Its producer, consumer and admin client are not used; ADR 8 says why. kafkajs is pinned, and nothing of it is seen
 * outside this folder.
 */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  addMultipleTargetTopics(topics: string[]): Promise<void>;
  findBroker(node: { nodeId: number | string }): Promise<Broker>;
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>;
  findTopicPartitionMetadata(
    topic: string,
  ): readonly { partitionId: number; leader: number; replicas: readonly number[] }[];
}

/** A partition within a request or an answer; which further members there are depends on the request. */
interface OfTopic<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

/** A record as a fetch brings it. */
export interface FetchedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly isControlRecord?: boolean;
}

export interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly FetchedRecord[];
    }[];
  }[];
}

export interface JoinAnswer {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly groupProtocol: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** One configuration entry of a topic as the broker tells it. */
export interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
}

interface GroupMemberId {
  readonly groupId: string;
  readonly memberId: string;
}

/** Requests to one broker. Each resolves with the answer or rejects with kafkajs's error for the answer's code. */
export interface Broker {
  readonly nodeId: number | string | null;
  readonly connectionPool: {
    send<Answer>(request: RawRequest<Answer>): Promise<Answer>;
  };
  initProducerId(request: {
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: readonly OfTopic<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<FetchAnswer>;
  listOffsets(request: { topics: readonly OfTopic<{ partition: number; timestamp: string }>[] }): Promise<{
    responses: readonly OfTopic<{ partition: number; offset: string }>[];
  }>;
  offsetFetch(request: { groupId: string; topics: readonly OfTopic<{ partition: number }>[] }): Promise<{
    responses: readonly OfTopic<{ partition: number; offset: string; metadata: string | null }>[];
  }>;
  offsetCommit(
    request: GroupMemberId & {
      groupGenerationId: number;
      topics: readonly OfTopic<{ partition: number; offset: string; metadata: string }>[];
    },
  ): Promise<unknown>;
  joinGroup(
    request: GroupMemberId & {
      sessionTimeout: number;
      rebalanceTimeout: number;
      groupProtocols: readonly { name: string; metadata: Buffer }[];
    },
  ): Promise<JoinAnswer>;
  syncGroup(
    request: GroupMemberId & {
      generationId: number;
      groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
    },
  ): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: GroupMemberId & { groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: GroupMemberId): Promise<unknown>;
  createTopics(request: {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout: number;
  }): Promise<unknown>;
  describeConfigs(request: {
    resources: readonly { type: number; name: string; configNames: readonly string[] }[];
  }): Promise<{
    resources: readonly { configEntries: readonly ConfigEntry[] }[];
  }>;
}

/** A request kafkajs has no method for; see `raw-requests.ts`. */
export interface RawRequest<Answer> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer; size(): number }>;
  };
  readonly response: {
    decode(bytes: Buffer): Promise<Answer>;
    parse(answer: Answer): Promise<Answer>;
  };
}
