import type { PartitionLease } from '@flowledger/event-log';
import { keptSince } from '../retention/kept-since.js';
import { Deduplicator, type FormerKeys, type LogPlace } from '../dedup/deduplicator.js';
import { BatchCollector } from './batch-collector.js';
import { BatchWriter } from './batch-writer.js';
import { sameCounts, type LoadIntent } from './intent.js';
import { intentOf, type BatchAccount, type LoadBatch } from './load-batch.js';
import type { LoaderContext } from './loader-context.js';
import type { PartitionStatus } from './loader-status.js';
import { Patience } from './patience.js';
import { findDoubtfulBatches, findStartPoint, findUnsyncedHours, type StartPoint } from './start-point.js';
import type { WriteOrder } from './fact-writer.js';
import { WritePlace } from './write-place.js';

/** What a replay tells beside the lease. */
export interface ReplayBounds {
  /** One past the last offset to load. */
  readonly until: bigint;
  /** Tables that know what was accepted before the first offset of the replay. */
  readonly former: FormerKeys | undefined;
}

/** How long a write that is on its way may go on after the lease ended. */
const PARTING_MS = 5_000;

/**
 * Loads one partition for as long as the lease lasts, or up to an offset: finds out what predecessors did,
 * finishes it, then goes on batch by batch. Rejects when the lease is lost or a defect shows; store faults are waited
 * out.
 */
export async function loadPartition(
  lease: PartitionLease,
  context: LoaderContext,
  status: PartitionStatus,
  replay?: ReplayBounds,
): Promise<void> {
  const { clock, logger } = context;
  const parting = partingSignal(lease.signal);
  try {
    const patience = new Patience({ clock, log: logger, status, signal: lease.signal });
    await new PartitionLoader(lease, context, status, patience, parting.signal, replay).run(replay?.until);
  } finally {
    parting.cancel();
  }
}

class PartitionLoader {
  readonly #writer: BatchWriter;
  readonly #place: LogPlace;
  readonly #former: FormerKeys | undefined;
  /** A batch was loaded and the cursor does not say so yet. */
  #cursorBehind = false;

  constructor(
    private readonly lease: PartitionLease,
    private readonly context: LoaderContext,
    private readonly status: PartitionStatus,
    private readonly patience: Patience,
    signal: AbortSignal,
    replay: ReplayBounds | undefined,
  ) {
    this.#place = { epoch: context.log.epoch, partition: lease.partition };
    this.#writer = new BatchWriter(context, lease, patience, signal);
    this.#former = replay?.former;
  }

  async run(until: bigint | undefined): Promise<void> {
    const { lease, status, patience, context } = this;
    await this.#writer.settle();
    const start = await patience.until('start_point', () =>
      findStartPoint(context.store, this.#place, lease.committed, lease.signal),
    );
    this.#tellStart(start);
    // Where nothing was booked, there is nothing to doubt.
    if (start.next > 0n) await this.#recheck(start.next);
    const collector = await this.#collectorAt(start.next);
    try {
      while (!lease.signal.aborted && (until === undefined || status.next < until))
        await this.#turn(collector, start);
    } finally {
      collector.close();
    }
    await this.#commitCursor();
  }

  /** Loads one batch, or commits the cursor when there is nothing to load. */
  async #turn(collector: BatchCollector, start: StartPoint): Promise<void> {
    const { status } = this;
    const recovering = status.next <= start.uncertainTo;
    status.state = recovering ? 'recovering' : 'idle';
    const open = start.open?.from === status.next ? start.open : undefined;
    const batch = await collector.collect(status.next, open?.to);
    if (batch === undefined) await this.#commitCursor();
    else {
      await this.#load(batch, recovering ? trustIn(batch, open) : 'fresh', collector);
      collector.giveBack();
    }
  }

  /** A collector that decides about duplicates as if it had loaded everything before `next`. */
  async #collectorAt(next: bigint): Promise<BatchCollector> {
    const { context, lease, patience } = this;
    const dedup = new Deduplicator(context.store, this.#place, this.#former);
    await patience.until('dedup_seed', () => dedup.seed(next, lease.signal));
    return new BatchCollector(context, lease, dedup, patience, (range) => this.#truncated(range));
  }

  /** Looks at what was booked last, and brings in again what the store has lost of it. */
  async #recheck(next: bigint): Promise<void> {
    const { context, lease, patience, status } = this;
    const horizon = await patience.until('cut_until', () =>
      keptSince(context.store, context.clock.now(), context.rawTtlMs, lease.signal),
    );
    const doubtful = await patience.until('recheck', () =>
      findDoubtfulBatches(context.store, this.#place, next, horizon, lease.signal),
    );
    const hours = await patience.until('unsynced_hours', () =>
      findUnsyncedHours(context.store, this.#place, next, context.bootedMs, lease.signal),
    );
    await this.#writer.repairRollups(hours);
    const { start } = await context.log.bounds(lease.partition);
    for (const { from, to } of doubtful) {
      const facts = { partition: lease.partition, from: from.toString(), to: to.toString() };
      context.logger.warn(facts, 'the store lost rows of a booked batch');
      if (from < start)
        status.lastError = `the store lost rows of offsets ${from} to ${to}, which the log no longer holds`;
      else await this.#reload(from, to);
    }
  }

  async #reload(from: bigint, to: bigint): Promise<void> {
    const collector = await this.#collectorAt(from);
    try {
      const batch = await collector.collect(from, to);
      if (batch === undefined || this.lease.signal.aborted) return;
      await this.#writer.load(batch, 'unknown');
    } finally {
      collector.close();
    }
    this.status.repairs++;
  }

  async #load(batch: LoadBatch, trust: WriteOrder['trust'], collector: BatchCollector): Promise<void> {
    const { status, context, lease } = this;
    if (lease.signal.aborted) return;
    if (trust === 'fresh') status.state = 'loading';
    status.oldestAppendedMs = batch.appendedMs;
    const account = await this.#write(batch, trust, collector);
    status.next = batch.to + 1n;
    status.eventsBefore += BigInt(account.events);
    status.rows += account.flows + account.otherEvents;
    status.batches++;
    status.oldestAppendedMs = undefined;
    if (trust !== 'fresh') status.repairs++;
    this.#cursorBehind = true;
    context.events.loaded(lease.partition, account);
  }

  async #write(
    batch: LoadBatch,
    trust: WriteOrder['trust'],
    collector: BatchCollector,
  ): Promise<BatchAccount> {
    if (!collector.hasTurn) return this.#writer.load(batch, trust);
    const place = new WritePlace(this.context.writing, collector, this.lease.signal);
    try {
      return await this.#writer.load(batch, trust, place);
    } finally {
      place.leave();
    }
  }

  async #commitCursor(): Promise<void> {
    if (!this.#cursorBehind || this.lease.signal.aborted) return;
    await this.context.failpoint('before-commit');
    await this.lease.commit({ offset: this.status.next, metadata: '' });
    this.#cursorBehind = false;
  }

  #tellStart(start: StartPoint): void {
    const { status, context } = this;
    const { next, cursorAhead, open } = start;
    status.next = next;
    status.eventsBefore = start.eventsBefore;
    const openTo = open?.to ?? -1n;
    if (cursorAhead === undefined || cursorAhead <= openTo + 1n) return;
    const facts = { partition: status.partition, ledger: next.toString(), cursor: cursorAhead.toString() };
    context.logger.warn(facts, 'the cursor is ahead of the ledger: loading from the ledger on');
  }

  /** Retention removed records before they were loaded: said loudly, and loading goes on behind the gap. */
  #truncated(range: { from: bigint; to: bigint }): void {
    const facts = { partition: this.status.partition, from: range.from.toString(), to: range.to.toString() };
    this.context.logger.error(facts, 'log records were removed before they were loaded');
    this.status.lastError = `log records ${range.from} to ${range.to - 1n} were removed before they were loaded`;
  }
}

/** Batches that reach into the uncertain range are verified; the announced one may use its token again. */
function trustIn(batch: LoadBatch, open: LoadIntent | undefined): WriteOrder['trust'] {
  const same = open !== undefined && batch.to === open.to && sameCounts(open.counts, intentOf(batch).counts);
  return same ? 'announced' : 'unknown';
}

function partingSignal(signal: AbortSignal): { signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), PARTING_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    cancel: () => {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    },
  };
}
