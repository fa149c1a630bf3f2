import { AppError, isAppError, withLinkedSignal } from '@flowledger/platform';
import { SerialQueue } from '../embedded/serial-queue.js';
import { checkCommit } from '../embedded/group-offsets.js';
import type { CommittedOffset, LogBatch, PartitionLease, ReadOptions } from '../port.js';
import { isGroupLost, kafkaFacts, kafkaFault, mayTryAgain } from './faults.js';
import { GroupSession, type GroupOptions, type Membership } from './group-session.js';

export interface ConsumerOptions extends GroupOptions {
  readonly read: (partition: number, from: bigint, options: ReadOptions) => Promise<LogBatch>;
  readonly committed: (partition: number) => Promise<CommittedOffset | undefined>;
}

type OnLease = (lease: PartitionLease) => Promise<void>;

/** One partition we own. */
interface Held {
  readonly partition: number;
  readonly ending: AbortController;
  /** Resolves when the handler has returned; never rejects. */
  readonly served: Promise<void>;
}

const leaseLost = (what: string): AppError => new AppError('LEASE_LOST', what, { retry: false });

/** What a handler may well throw because it was told to stop. */
function isParting(error: unknown): boolean {
  return (
    isAppError(error, 'LEASE_LOST') ||
    isAppError(error, 'CANCELLED') ||
    (error instanceof Error && error.name === 'AbortError')
  );
}

/** A member of a consumer group with a lease for each partition that the group gives it. One use. */
export class KafkaConsumer {
  private readonly session: GroupSession;
  private readonly held = new Map<number, Held>();
  private readonly faults: unknown[] = [];
  private readonly leaving = new AbortController();
  private membership: Membership | undefined;
  /** Generation of the last membership in which our leases were ours. */
  private generation = 0;
  /** Ends the heartbeats of the present membership, and so brings about the next join. */
  private beating = new AbortController();
  private readonly settled = new Set<() => void>();

  constructor(
    private readonly options: ConsumerOptions,
    private readonly onLease: OnLease,
  ) {
    this.session = new GroupSession(options);
  }

  /** See `EventLog.consume`. */
  async run(signal: AbortSignal): Promise<void> {
    const leave = (): void => this.leaving.abort();
    if (signal.aborted) return;
    signal.addEventListener('abort', leave, { once: true });
    try {
      await this.stayMember();
    } catch (error) {
      this.faults.unshift(error);
    } finally {
      signal.removeEventListener('abort', leave);
      this.leaving.abort();
      await this.end([...this.held.values()]);
      this.become(undefined);
      await this.session.leave();
    }
    if (this.faults.length > 0) throw this.faults[0];
  }

  private async stayMember(): Promise<void> {
    const { link } = this.options;
    for (let tries = 0; !this.leaving.signal.aborted;) {
      // Nothing is committed while we join: by the time it arrived its generation would be over.
      this.membership = undefined;
      const joined = await this.session.join([...this.held.keys()], this.generation);
      if (typeof joined === 'object') {
        tries = 0;
        this.become(joined);
        if ((await this.serve(joined)) === 'lost') await this.lose();
        continue;
      }
      if (joined === 'lost') await this.lose();
      if (joined !== 'rebalance') await link.pause(tries++, this.leaving.signal);
    }
  }

  /** Works under one membership until something changes. */
  private async serve(joined: Membership): Promise<'again' | 'lost'> {
    const beats = this.session.beat(joined, this.beating.signal);
    // Rejects with a fault that stays; awaited below in every case.
    beats.catch(() => undefined);
    const lost = [...this.held.values()].filter(({ partition }) => !joined.assigned.includes(partition));
    await this.end(lost);
    if (lost.length === 0) {
      for (const partition of joined.assigned) if (!this.held.has(partition)) this.grant(partition, joined);
    } else this.beating.abort();
    return (await beats) === 'lost' ? 'lost' : 'again';
  }

  private become(membership: Membership | undefined): void {
    this.membership = membership;
    if (membership !== undefined) this.generation = membership.generation;
    this.beating = new AbortController();
    if (this.leaving.signal.aborted) this.beating.abort();
    else {
      const { beating } = this;
      this.leaving.signal.addEventListener('abort', () => beating.abort(), { signal: beating.signal });
    }
    for (const wake of this.settled) wake();
  }

  /** Somebody else may own what we owned: everything stops, and we join as a new member. */
  private async lose(): Promise<void> {
    this.become(undefined);
    await this.end([...this.held.values()]);
  }

  private async end(leases: readonly Held[]): Promise<void> {
    for (const { ending } of leases) ending.abort();
    for (const wake of this.settled) wake();
    await Promise.all(leases.map(({ served }) => served));
    for (const { partition } of leases) this.held.delete(partition);
  }

  private grant(partition: number, { generation }: Membership): void {
    const ending = new AbortController();
    const serve = async (): Promise<void> => {
      try {
        const committed = await this.options.committed(partition);
        await this.onLease(this.lease(partition, generation, committed, ending.signal));
      } catch (error) {
        const lost = ending.signal.aborted && !this.leaving.signal.aborted;
        if (lost || (ending.signal.aborted && isParting(error))) return;
        this.faults.push(error);
        this.leaving.abort();
      }
    };
    this.held.set(partition, { partition, ending, served: serve() });
  }

  private lease(
    partition: number,
    generation: number,
    committed: CommittedOffset | undefined,
    signal: AbortSignal,
  ): PartitionLease {
    const commits = new SerialQueue();
    return {
      partition,
      generation,
      committed,
      signal,
      read: (from, options) =>
        withLinkedSignal([signal, options.signal], (either) =>
          this.options.read(partition, from, { ...options, signal: either }),
        ),
      commit: (next) => commits.run(() => this.commit(partition, next, signal)),
    };
  }

  private async commit(partition: number, next: CommittedOffset, signal: AbortSignal): Promise<void> {
    checkCommit(next);
    const { link, requestMs } = this.options;
    const deadline = link.clock.monotonic() + requestMs;
    for (let tries = 0; ; tries++) {
      const membership = await this.settledMembership(signal);
      if (signal.aborted || membership === undefined) throw leaseLost(`partition ${partition} was given up`);
      try {
        return await this.session.commit(membership, partition, next);
      } catch (error) {
        // The generation may have changed while the commit was on its way; the partition is still ours then.
        const changed = this.membership !== membership;
        const rebalancing = kafkaFacts(error).type === 'REBALANCE_IN_PROGRESS';
        if (isGroupLost(error) && !changed) {
          this.giveUpAll();
          throw leaseLost(`another member took partition ${partition} over`);
        }
        const again = changed || rebalancing || mayTryAgain(error);
        if (!again || link.clock.monotonic() >= deadline) throw kafkaFault('commit a consumer offset', error);
        if (rebalancing && !changed) this.rejoin(membership);
        await link.pause(tries, signal);
      }
    }
  }

  /** The present membership; waits while there is none because a join is under way. */
  private async settledMembership(signal: AbortSignal): Promise<Membership | undefined> {
    while (this.membership === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.settled.delete(wake);
          resolve();
        };
        this.settled.add(wake);
      });
    }
    return this.membership;
  }

  /** The coordinator waits for us to join again; nothing may be committed until then. */
  private rejoin(membership: Membership): void {
    if (this.membership !== membership) return;
    this.membership = undefined;
    this.beating.abort();
  }

  private giveUpAll(): void {
    for (const { ending } of this.held.values()) ending.abort();
    this.beating.abort();
  }
}
