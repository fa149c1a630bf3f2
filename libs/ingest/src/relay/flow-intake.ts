import { ResponseHead } from '@flowledger/model';
import { describeError } from '@flowledger/platform';
import { AppendQueue, type AppendTarget } from '../append/append-queue.js';
import { FlowSampler, SampledLanes, type SamplingOptions } from '../policy/flow-sampler.js';
import { encodeNodeStatus, NODE_STATE, readLostCount, readNodeStatus } from './hubble-messages.js';
import { NodeProgress, type Interruption, type SavedNode } from './node-progress.js';
import { readProgress, writeProgress } from './progress-file.js';
import { RelayCounters, type RelayMetrics } from './relay-metrics.js';
import type { Received } from './silence-watch.js';

export interface FlowIntakeOptions extends AppendTarget {
  /** File that remembers how far each node was read. */
  readonly stateFile: string;
  readonly metrics: RelayMetrics;
  /** Name of the only node behind the address (an agent); undefined for a relay. */
  readonly node?: string;
  /** Bytes of events that may be on their way to the log; beyond, the stream is paused. Default 32 MiB. */
  readonly bufferBytes?: number;
  /** Which flows are taken in. Default: all. */
  readonly sampling?: SamplingOptions;
  /** Between 0 and 1. */
  readonly random: () => number;
}

/** `source` of live envelopes, and of those that may repeat what the store already has from elsewhere. */
export const RELAY_SOURCE = 'relay';
export const RELAY_REPLAY_SOURCE = 'relay-replay';
/** Begins the message of node states that we, not the relay, put into the log. */
export const DISCONNECTED_MESSAGE = 'flowledger: source disconnected';

const MIB = 1024 * 1024;

/**
 * What happens to the messages of a Hubble server on their way into the log: each is looked at (never decoded), counted,
 * packed as it came; how far each node was read is remembered when the log has it; interruptions are told to the log.
 */
export class FlowIntake {
  readonly queue: AppendQueue<ReadonlyMap<string, SavedNode>>;
  readonly #options: FlowIntakeOptions;
  readonly #live: SampledLanes;
  readonly #replay: SampledLanes;
  readonly #sampler: FlowSampler | undefined;
  readonly #head = new ResponseHead();
  readonly #counters: RelayCounters;
  #progress = new NodeProgress();
  #openedNs = 0n;
  #saved = '';

  constructor(options: FlowIntakeOptions) {
    this.#options = options;
    this.#counters = new RelayCounters(options.metrics);
    this.queue = new AppendQueue<ReadonlyMap<string, SavedNode>>({
      ...options,
      maxBytes: options.bufferBytes ?? 32 * MIB,
      mark: () => this.#progress.saved(),
      onDurable: (saved) => this.#save(saved),
    });
    const codec = 'hubble.get_flows_response';
    const lanes = (source: string): SampledLanes =>
      new SampledLanes((samplingRate) => this.queue.lane({ source, codec, samplingRate }));
    this.#live = lanes(RELAY_SOURCE);
    this.#replay = lanes(RELAY_REPLAY_SOURCE);
    this.#sampler = options.sampling === undefined ? undefined : new FlowSampler(options.sampling);
  }

  get nodes(): number {
    return this.#progress.size;
  }

  /** Time of the newest flow received, ns since 1970. */
  get newestNs(): bigint | undefined {
    return this.#progress.newestNs;
  }

  get counters(): RelayCounters {
    return this.#counters;
  }

  /** Takes up where the last run of this source ended. */
  async load(): Promise<void> {
    this.#progress = new NodeProgress(await readProgress(this.#options.stateFile));
  }

  /**
   * A stream is about to be opened; returns its `since`. Events up to now may be in the store by another way, so they
   * are packed apart, for the loader to look up. `skip` passes over what there is, and says so.
   */
  open(skip: boolean): bigint {
    this.#openedNs = this.#nowNs();
    return this.#progress.open(0n, skip ? this.#openedNs : undefined);
  }

  /** Takes one message; its bytes are copied. */
  take(bytes: Buffer): void {
    const head = this.#head;
    head.read(bytes);
    const node = head.node === '' ? (this.#options.node ?? '') : head.node;
    const { timeNs } = head;
    if (head.kind !== 'flow') this.#takeOther(bytes, node, timeNs);
    else if (timeNs !== undefined && node !== '')
      this.#progress.flow(node, timeNs, this.#options.clock.monotonic());
    this.#counters.received(head.kind);
    const rate = head.kind === 'flow' ? (this.#sampler?.flow(bytes, head.start, head.end) ?? 1) : 1;
    if (rate === 0) return;
    const lanes = timeNs !== undefined && timeNs > this.#openedNs ? this.#live : this.#replay;
    lanes.at(rate).add(node, bytes, timeNs);
  }

  #takeOther(bytes: Buffer, node: string, timeNs: bigint | undefined): void {
    const { kind, start, end } = this.#head;
    if (kind === 'lost_events') {
      const count = readLostCount(bytes, start, end);
      this.#progress.losses(node, count);
      this.#counters.lost(count);
    } else if (kind === 'node_status') {
      const { state, names } = readNodeStatus(bytes, start, end);
      for (const name of names) {
        if (state === NODE_STATE.gone) this.#progress.forget(name);
        else if (state !== NODE_STATE.connected && timeNs !== undefined)
          this.#progress.unavailable(name, { stream: node, atNs: timeNs });
      }
    }
  }

  /**
   * What was received of a node as the server's counts name it. Counts say `cluster/node` where older agents' flows say
   * `node`. Undefined as long as no flow named the node: it may have a name that we cannot guess.
   */
  received(name: string): Received | undefined {
    const progress = this.#progress;
    // An agent asked directly is the only one, whatever it calls itself; so are all nodes together.
    if (name === '' || this.#options.node !== undefined) return progress.counted(this.#options.node ?? '');
    const bare = name.slice(name.indexOf('/') + 1);
    const known = [name, bare, `${this.#options.cluster}/${name}`].find((candidate) =>
      progress.has(candidate),
    );
    return known === undefined ? undefined : progress.counted(known);
  }

  /** A stream brought its first message. An agent says nothing of its state itself, as relay does of its nodes. */
  heard(): void {
    const { node } = this.#options;
    if (node !== undefined) this.#note(node, node, this.#openedNs, NODE_STATE.connected);
  }

  /** The node behind this source is no more. */
  leave(): void {
    const { node } = this.#options;
    if (node !== undefined) this.#note(node, node, this.#nowNs(), NODE_STATE.gone);
  }

  /** Tells the log of interruptions, and the metrics what was counted. `outage`: there has been no stream for long. */
  tick(outage: boolean): void {
    if (outage)
      for (const { node, atNs } of this.#progress.silent())
        this.#note(node, node, atNs, NODE_STATE.unavailable);
    for (const interruption of this.#progress.ended(this.#options.clock.monotonic()))
      this.#tell(interruption);
    this.#counters.flush(this.queue.pendingBytes);
  }

  #tell({ node, fromNs, toNs, mark }: Interruption): void {
    const kept = toNs === fromNs;
    if (!kept) this.#counters.interrupted();
    if (!kept && (mark === undefined || mark.atNs > fromNs))
      this.#note(node, node, fromNs, NODE_STATE.unavailable);
    // Where nothing was lost the end falls on the beginning, so that no time is missing.
    const endNs = mark === undefined ? toNs : kept || mark.atNs > toNs ? mark.atNs : toNs;
    this.#note(mark?.stream ?? node, node, endNs, NODE_STATE.connected);
  }

  #note(stream: string, node: string, timeNs: bigint, state: number): void {
    this.#live.at(1).add(stream, encodeNodeStatus(stream, timeNs, state, node, DISCONNECTED_MESSAGE), timeNs);
  }

  #nowNs(): bigint {
    return BigInt(Math.floor(this.#options.clock.now())) * 1_000_000n;
  }

  async #save(saved: ReadonlyMap<string, SavedNode>): Promise<void> {
    const key = [...saved].map(([name, { timeNs, mark }]) => `${name}${timeNs}${mark?.atNs ?? ''}`).join();
    if (key === this.#saved) return;
    try {
      await writeProgress(this.#options.stateFile, saved);
      this.#saved = key;
    } catch (error) {
      // Without it the next start asks for more than it needs; the loader takes the copies away.
      this.#options.log.warn({ error: describeError(error) }, 'progress was not saved');
    }
  }
}
