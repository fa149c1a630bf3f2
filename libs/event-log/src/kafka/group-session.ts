import kafkajs from 'kafkajs';
import type { CommittedOffset } from '../port.js';
import { assignPartitions, type MemberClaim } from './group-assignment.js';
import { isGroupLost, kafkaFacts, kafkaFault, mayTryAgain } from './faults.js';
import type { KafkaLink } from './kafka-link.js';
import type { JoinAnswer } from './protocol.js';

export interface GroupOptions {
  /** Connections of this member alone: a join holds them up for as long as the slowest member takes. */
  readonly link: KafkaLink;
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  readonly requestMs: number;
}

/** What a member may do since it joined. */
export interface Membership {
  readonly memberId: string;
  readonly generation: number;
  readonly assigned: readonly number[];
}

/** Why a member has to act. `lost`: everything it owned is, or may be, somebody else's. */
export type Interruption = 'rebalance' | 'lost' | 'stopped';

const PROTOCOL = 'flowledger-cooperative';
/** Members wait this long for one that has to finish its work first. */
const REBALANCE_LIMIT_MS = 60_000;
const LEAVE_LIMIT_MS = 3_000;

/** The group protocol of one member: joins, says that it lives, commits, leaves. Knows nothing of leases. */
export class GroupSession {
  private memberId = '';
  /** When the coordinator last accepted us, by the clock that never jumps. */
  private heardMs: number;

  constructor(private readonly options: GroupOptions) {
    this.heardMs = options.link.clock.monotonic();
  }

  /** Whether the coordinator may by now have given our partitions away without our hearing of it. */
  get silent(): boolean {
    const { link, sessionTimeoutMs } = this.options;
    return link.clock.monotonic() - this.heardMs >= sessionTimeoutMs;
  }

  /**
   * One attempt to become a member of the next generation, claiming what we own. Resolves with the membership, or with
   * why there is none yet. Rejects with a fault that stays.
   */
  async join(owned: readonly number[], generation: number): Promise<Membership | Interruption> {
    try {
      const answer = await this.sendJoin(owned, generation);
      this.memberId = answer.memberId;
      const assigned = await this.sync(answer);
      this.heardMs = this.options.link.clock.monotonic();
      return { memberId: answer.memberId, generation: answer.generationId, assigned };
    } catch (error) {
      return this.interruption(error, 'join a consumer group');
    }
  }

  /** Says that we live until told otherwise. */
  async beat(membership: Membership, signal: AbortSignal): Promise<Interruption> {
    const { link, groupId, sessionTimeoutMs } = this.options;
    const { memberId, generation: groupGenerationId } = membership;
    const interval = Math.min(1_000, sessionTimeoutMs / 6);
    for (;;) {
      await link.clock.sleep(interval, signal).catch(() => undefined);
      if (signal.aborted) return 'stopped';
      try {
        await link.once({ coordinatorOf: groupId }, (broker) =>
          broker.heartbeat({ groupId, memberId, groupGenerationId }),
        );
        this.heardMs = link.clock.monotonic();
      } catch (error) {
        const why = this.interruption(error, 'stay in a consumer group');
        if (why !== 'stopped') return why;
      }
    }
  }

  /** Commits under a membership. Rejects with kafkajs's error. */
  async commit(membership: Membership, partition: number, next: CommittedOffset): Promise<void> {
    const { link, groupId, topic } = this.options;
    const { memberId, generation: groupGenerationId } = membership;
    const partitions = [{ partition, offset: next.offset.toString(), metadata: next.metadata }];
    await link.once({ coordinatorOf: groupId }, (broker) =>
      broker.offsetCommit({ groupId, memberId, groupGenerationId, topics: [{ topic, partitions }] }),
    );
  }

  /** Tells the coordinator that we are gone, so that nobody waits for our session to end. Best effort. */
  async leave(): Promise<void> {
    const { link, groupId } = this.options;
    const { memberId } = this;
    if (memberId === '') return;
    this.memberId = '';
    const patience = { what: 'leave a consumer group', ms: LEAVE_LIMIT_MS };
    await link
      .request({ coordinatorOf: groupId }, patience, (broker) => broker.leaveGroup({ groupId, memberId }))
      .catch(() => undefined);
  }

  /** What an error means for the membership; `stopped` here means: nothing yet, try again. Throws faults that stay. */
  private interruption(error: unknown, what: string): Interruption {
    if (isGroupLost(error)) {
      this.memberId = '';
      return 'lost';
    }
    if (kafkaFacts(error).type === 'REBALANCE_IN_PROGRESS') return 'rebalance';
    if (!mayTryAgain(error)) throw kafkaFault(what, error);
    return this.silent ? 'lost' : 'stopped';
  }

  private sendJoin(owned: readonly number[], generation: number): Promise<JoinAnswer> {
    const { link, groupId, topic, sessionTimeoutMs } = this.options;
    const claim = Buffer.from(JSON.stringify({ owned, generation }));
    const metadata = kafkajs.AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: [topic],
      userData: claim,
    });
    return link.once({ coordinatorOf: groupId }, (broker) =>
      broker.joinGroup({
        groupId,
        memberId: this.memberId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: REBALANCE_LIMIT_MS,
        groupProtocols: [{ name: PROTOCOL, metadata }],
      }),
    );
  }

  private async sync(answer: JoinAnswer): Promise<readonly number[]> {
    const { link, groupId, topic } = this.options;
    const { memberId, generationId } = answer;
    const groupAssignment = answer.leaderId === memberId ? this.assign(answer) : [];
    const { memberAssignment } = await link.once({ coordinatorOf: groupId }, (broker) =>
      broker.syncGroup({ groupId, memberId, generationId, groupAssignment }),
    );
    if (memberAssignment.length === 0) return [];
    return kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[topic] ?? [];
  }

  /** The leader's part. */
  private assign(answer: JoinAnswer): { memberId: string; memberAssignment: Buffer }[] {
    const { topic, partitions } = this.options;
    const claims = answer.members.map(({ memberId, memberMetadata }) => ({
      memberId,
      ...decodeClaim(memberMetadata),
    }));
    return [...assignPartitions(claims, partitions)].map(([memberId, own]) => ({
      memberId,
      memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: { [topic]: [...own] },
        userData: Buffer.alloc(0),
      }),
    }));
  }
}

/** What a member claims; nothing when its metadata are not ours. */
function decodeClaim(metadata: Buffer): Omit<MemberClaim, 'memberId'> {
  const nothing = { owned: [], generation: 0 };
  try {
    const text = kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString() ?? '';
    const claim: unknown = JSON.parse(text);
    if (typeof claim !== 'object' || claim === null) return nothing;
    const { owned, generation } = claim as Readonly<Record<string, unknown>>;
    if (!Array.isArray(owned) || typeof generation !== 'number') return nothing;
    return { owned: owned.filter((partition) => Number.isInteger(partition)), generation };
  } catch {
    return nothing;
  }
}
