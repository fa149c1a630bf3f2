import type { StoredRecord } from '@flowledger/event-log';
import { DuplicateRule, Projection, type ColumnBatch } from '@flowledger/model';
import { flowsOfBatch, lossesOfBatch, type LabelledFlow, type RecordLoss } from '@flowledger/query';
import type { TailContext } from './tail-context.js';

/** One log record as readers of the tail see it. */
export interface FedRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly flows: readonly LabelledFlow[];
  readonly losses: readonly RecordLoss[];
  /** Bytes that its flows are taken to hold in memory. */
  readonly bytes: number;
  /** Records before this one that retention removed unread; each held one event or more. */
  readonly removed: number;
}

const READ_BYTES = 1024 * 1024;
/** Objects of a decoded flow against its bytes on the wire (measured: 2.1 kB for 1.0 kB; rounded up for what a reader adds). */
const MEMORY_FACTOR = 3;
/** Keys after which the rule forgets those that the store knows by now. */
const TURN_KEYS = 100_000;
/** Keys after which it forgets the oldest even when the loader stands still. */
const MOST_KEYS = 1_000_000;

/**
 * Reads one partition from an offset on and decodes it; what the loader would not store is left out. Knows what was
 * accepted before its first record: from the tables as far as they go, from the log after that.
 */
export class PartitionFeed {
  readonly #rule = new DuplicateRule();
  readonly #projection: Projection;
  #next: bigint;
  #turned: bigint;
  #seeded = false;
  /** Records that retention removed unread and no reader was told of. */
  #removed = 0;

  constructor(
    private readonly context: TailContext,
    private readonly partition: number,
    from: bigint,
  ) {
    this.#next = from;
    this.#turned = from;
    this.#projection = new Projection({
      logEpoch: context.log.epoch,
      partition,
      rawTtlMs: context.rawTtlMs,
      isDuplicate: (stream, key, timeKept) => this.#rule.isDuplicate(stream, key, timeKept),
    });
  }

  /** The next offset that {@link read} looks for. */
  get next(): bigint {
    return this.#next;
  }

  /** The next records, waiting at most `maxWaitMs` for the first; empty when none came or `signal` aborted. */
  async read(maxWaitMs: number, signal: AbortSignal): Promise<readonly FedRecord[]> {
    if (!this.#seeded) await this.#seed(signal);
    return this.#readFrom(maxWaitMs, signal);
  }

  async #seed(signal: AbortSignal): Promise<void> {
    const { log, group, keys } = this.context;
    const wanted = this.#next;
    const committed = (await log.committed(group, this.partition))?.offset ?? 0n;
    const { start } = await log.bounds(this.partition);
    const known = committed < wanted ? committed : wanted;
    this.#rule.seed(await keys.before(this.#place(), known, signal));
    this.#next = known < start ? start : known;
    this.#turned = this.#next;
    while (this.#next < wanted && !signal.aborted) {
      const records = await this.#readFrom(0, signal, wanted);
      if (records.length === 0) break;
    }
    this.#next = wanted;
    this.#seeded = !signal.aborted;
  }

  async #readFrom(maxWaitMs: number, signal: AbortSignal, until?: bigint): Promise<readonly FedRecord[]> {
    const options = { maxBytes: READ_BYTES, maxWaitMs, signal };
    const { records, truncated } = await this.context.log.read(this.partition, this.#next, options);
    const taken = until === undefined ? records : records.filter((record) => record.offset < until);
    if (truncated !== undefined && until === undefined) this.#skip(truncated);
    const last = taken.at(-1);
    if (last === undefined) return [];
    await this.#prepare(taken, signal);
    const { fed, endpoints } = this.#decode(taken);
    await this.context.endpoints?.take(
      fed.flatMap(({ flows }) => flows),
      endpoints,
    );
    this.#next = last.offset + 1n;
    return fed;
  }

  #skip({ from, to }: { readonly from: bigint; readonly to: bigint }): void {
    this.#removed += Number(to - from);
    this.#next = to;
  }

  /** Brings the keys that imports among the records might repeat. */
  async #prepare(records: readonly StoredRecord[], signal: AbortSignal): Promise<void> {
    const first = records[0]?.offset ?? this.#next;
    if (this.#rule.accepted > TURN_KEYS) await this.#turn(first);
    const ranges = this.#rule.secondsOf(records);
    if (ranges.length === 0) return;
    this.#rule.supply(await this.context.keys.within(this.#place(), first, ranges, signal));
  }

  async #turn(at: bigint): Promise<void> {
    const committed = await this.context.log.committed(this.context.group, this.partition);
    if ((committed?.offset ?? 0n) < this.#turned && this.#rule.accepted < MOST_KEYS) return;
    this.#rule.turnBatch();
    this.#turned = at;
  }

  #decode(records: readonly StoredRecord[]): {
    readonly fed: readonly FedRecord[];
    readonly endpoints: ColumnBatch;
  } {
    for (const record of records) {
      this.#rule.beginRecord(record);
      this.#projection.add(record);
    }
    const batches = this.#projection.take();
    const { tenant } = this.context;
    const flows = new Map(flowsOfBatch(batches, tenant).map((found) => [found.offset, found.flows]));
    const losses = lossesOfBatch(batches, tenant);
    this.context.events.decoded(batches.flows.rows);
    const removed = this.#removed;
    this.#removed = 0;
    const fed = records.map(({ offset, value }, i) => ({
      partition: this.partition,
      offset,
      flows: flows.get(offset) ?? [],
      losses: losses.filter((loss) => loss.offset === offset),
      bytes: value.length * MEMORY_FACTOR,
      removed: i === 0 ? removed : 0,
    }));
    return { fed, endpoints: batches.endpoints };
  }

  #place(): { readonly epoch: bigint; readonly partition: number } {
    return { epoch: this.context.log.epoch, partition: this.partition };
  }
}
