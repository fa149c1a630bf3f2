import { status } from '@grpc/grpc-js';
import { ResponseHead } from '@flowledger/model';
import { describeError } from '@flowledger/platform';
import type { AppendTarget, Lane } from '../append/append-queue.js';
import { AppendQueue } from '../append/append-queue.js';
import { fullJitter, type BackOff } from './back-off.js';
import { runFlowSession, type SessionEnd } from './flow-session.js';
import { HubbleClient, type HubbleAddress } from './hubble-client.js';
import { encodeNodeStatus, NODE_STATE, readLostCount, readNodeStatus } from './hubble-messages.js';
import { NodeProgress, type Interruption, type SavedNode } from './node-progress.js';
import { readProgress, writeProgress } from './progress-file.js';
import { RelayCounters, type RelayMetrics } from './relay-metrics.js';
import { SilenceWatch } from './silence-watch.js';

export interface RelaySourceOptions extends AppendTarget {
  readonly address: HubbleAddress;
  /** File that remembers how far each node was read. */
  readonly stateFile: string;
  readonly metrics: RelayMetrics;
  /** Name of the only node behind the address (an agent); undefined for a relay. */
  readonly node?: string;
  /** Bytes of events that may be on their way to the log; beyond, the stream is paused. Default 32 MiB. */
  readonly bufferBytes?: number;
  /** Default 10 min. */
  readonly reopenMs?: number;
  /** How often counts are compared; a node that is silent so long while it observes is read anew. Default 30 s. */
  readonly idleMs?: number;
  /** Without a stream for so long, the log is told that the nodes cannot be read. Default 10 s. */
  readonly outageMs?: number;
  readonly backOff?: BackOff;
  /** Between 0 and 1. */
  readonly random?: () => number;
}

/** What a source does, for `flowledger status`. */
export interface SourceState {
  readonly source: string;
  readonly target: string;
  readonly state: 'connecting' | 'reading' | 'waiting' | 'stopped';
  readonly nodes: number;
  /** Time of the newest flow received. */
  readonly newest: string | null;
  readonly reconnects: number;
  readonly pendingBytes: number;
  /** Why it waits; null when it does not. */
  readonly error: string | null;
}

/** `source` of live envelopes, and of those that may repeat what the store already has from elsewhere. */
export const RELAY_SOURCE = 'relay';
export const RELAY_REPLAY_SOURCE = 'relay-replay';
/** Begins the message of node states that we, not the relay, put into the log. */
export const DISCONNECTED_MESSAGE = 'flowledger: source disconnected';

const MIB = 1024 * 1024;
const USUAL_BACK_OFF: BackOff = { baseMs: 500, capMs: 30_000 };
/** For what a retry will hardly change: a server that is no Hubble, or refuses us. */
const HOPELESS_BACK_OFF: BackOff = { baseMs: 5000, capMs: 60_000, floorMs: 1000 };
const HOPELESS: ReadonlySet<number> = new Set([
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
]);
/** A session that held so long begins the back-off anew. */
const STEADY_MS = 10_000;
const TICK_MS = 250;

/**
 * Reads all flows of a Hubble Relay (or of one agent) into the log, for ever: opens, resumes, and opens again. Nothing
 * that the log acknowledged is asked for in vain, and nothing that it did not is passed over: `since` follows what is
 * durable. What was lost while nobody listened is told to the log as an interruption of the node.
 */
export class RelaySource {
  readonly #options: RelaySourceOptions;
  readonly #queue: AppendQueue<ReadonlyMap<string, SavedNode>>;
  readonly #live: Lane;
  readonly #replay: Lane;
  readonly #head = new ResponseHead();
  readonly #counters: RelayCounters;
  #progress = new NodeProgress();
  #state: SourceState['state'] = 'connecting';
  #error: string | null = null;
  #openedNs = 0n;
  #attempt = 0;
  #reconnects = 0;
  #withoutStreamSince: number;
  #stuckAt: bigint | undefined;
  #saved = '';

  constructor(options: RelaySourceOptions) {
    this.#options = options;
    this.#counters = new RelayCounters(options.metrics);
    this.#queue = new AppendQueue<ReadonlyMap<string, SavedNode>>({
      ...options,
      maxBytes: options.bufferBytes ?? 32 * MIB,
      mark: () => this.#progress.saved(),
      onDurable: (saved) => this.#save(saved),
      random: this.#random,
    });
    const codec = 'hubble.get_flows_response';
    this.#live = this.#queue.lane({ source: RELAY_SOURCE, codec });
    this.#replay = this.#queue.lane({ source: RELAY_REPLAY_SOURCE, codec });
    this.#withoutStreamSince = options.clock.monotonic();
  }

  get states(): readonly SourceState[] {
    return [this.state];
  }

  get state(): SourceState {
    const newest = this.#progress.newestNs;
    return {
      source: this.#options.node === undefined ? 'relay' : 'agent',
      target: this.#options.address.target,
      state: this.#state,
      nodes: this.#progress.size,
      newest: newest === undefined ? null : new Date(Number(newest / 1_000_000n)).toISOString(),
      reconnects: this.#reconnects,
      pendingBytes: this.#queue.pendingBytes,
      error: this.#error,
    };
  }

  /** Reads until `signal` aborts; resolves when what was received is in the log. Rejects CONFIG_INVALID for bad certificates. */
  async run(signal: AbortSignal): Promise<void> {
    this.#progress = new NodeProgress(await readProgress(this.#options.stateFile));
    const reading = new AbortController();
    const stop = (): void => reading.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const appending = this.#queue.run(reading.signal);
    const ticking = this.#tickUntil(reading.signal);
    try {
      while (!signal.aborted) await this.#session(signal);
    } finally {
      this.#state = 'stopped';
      reading.abort();
      await Promise.all([appending, ticking]);
    }
  }

  get #random(): () => number {
    return this.#options.random ?? Math.random;
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { clock, address, reopenMs = 600_000, idleMs = 30_000 } = this.#options;
    this.#state = this.#error === null ? 'connecting' : 'waiting';
    const client = new HubbleClient(address);
    const watch = new SilenceWatch();
    const began = clock.monotonic();
    try {
      const end = await runFlowSession(
        {
          client,
          sinceNs: this.#open(),
          clock,
          reopenMs,
          lookMs: idleMs,
          look: (counts) => {
            const verdict = watch.look(counts, (name) => this.#progress.counted(this.#nodeOf(name)));
            this.#counters.unexplained(verdict.unexplained);
            return verdict.silent.length > 0;
          },
          onMessage: (bytes) => this.#take(bytes),
          full: () => this.#queue.full,
          room: () => this.#queue.room(),
        },
        signal,
      );
      await this.#ended(end, clock.monotonic() - began, signal);
    } finally {
      client.close();
    }
  }

  /** Where the next stream begins. A message that cannot be received is passed over once it has ended two streams. */
  #open(): bigint {
    const { clock } = this.#options;
    const nowNs = BigInt(Math.floor(clock.now())) * 1_000_000n;
    this.#openedNs = nowNs;
    const newest = this.#progress.newestNs;
    const skip = this.#stuckAt !== undefined && this.#stuckAt === newest ? nowNs : undefined;
    return this.#progress.open(0n, skip);
  }

  #take(bytes: Buffer): void {
    const head = this.#head;
    head.read(bytes);
    if (this.#state !== 'reading') this.#heard();
    this.#withoutStreamSince = Infinity;
    const node = head.node === '' ? (this.#options.node ?? '') : head.node;
    const { timeNs } = head;
    if (head.kind === 'flow') {
      if (timeNs !== undefined && node !== '')
        this.#progress.flow(node, timeNs, this.#options.clock.monotonic());
    } else this.#takeOther(bytes, node, timeNs);
    this.#counters.received(head.kind);
    const lane = timeNs !== undefined && timeNs > this.#openedNs ? this.#live : this.#replay;
    lane.add(node, bytes, timeNs);
  }

  /** The first message of a stream. An agent says nothing of its state itself, as relay does of its nodes. */
  #heard(): void {
    this.#state = 'reading';
    this.#error = null;
    const { node } = this.#options;
    if (node !== undefined) this.#note(node, node, this.#openedNs, NODE_STATE.connected);
  }

  /** The node behind this source is no more: says so in the log. To be called before the source is stopped. */
  leave(): void {
    const { node, clock } = this.#options;
    if (node !== undefined)
      this.#note(node, node, BigInt(Math.floor(clock.now())) * 1_000_000n, NODE_STATE.gone);
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

  async #ended(end: SessionEnd, lastedMs: number, signal: AbortSignal): Promise<void> {
    if (end.kind === 'stopped' || signal.aborted) return;
    const { clock, log, backOff = USUAL_BACK_OFF, address } = this.#options;
    if (this.#withoutStreamSince === Infinity) this.#withoutStreamSince = clock.monotonic();
    if (end.kind === 'reopen') return;
    this.#reconnects++;
    const failed = end.kind === 'failed';
    this.#counters.reconnected(failed ? 'failed' : end.kind);
    this.#stuckAt =
      failed && end.code === status.RESOURCE_EXHAUSTED ? (this.#progress.newestNs ?? -1n) : undefined;
    if (lastedMs >= STEADY_MS) this.#attempt = 0;
    const hopeless = failed && HOPELESS.has(end.code);
    const waitMs = fullJitter(this.#attempt++, hopeless ? HOPELESS_BACK_OFF : backOff, this.#random());
    this.#state = 'waiting';
    this.#error = failed ? end.details : `stream ${end.kind}`;
    const facts = {
      target: address.target,
      cause: this.#error,
      waitMs: Math.round(waitMs),
      received: end.received,
    };
    if (hopeless) log.error(facts, 'no flows can be read there: is it a Hubble Relay that lets us in?');
    else log.warn(facts, 'flow stream ended, opening it again');
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }

  /** Tells the log of interruptions, and the metrics what was counted. */
  async #tickUntil(signal: AbortSignal): Promise<void> {
    const { clock, outageMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      const nowMs = clock.monotonic();
      if (nowMs - this.#withoutStreamSince >= outageMs)
        for (const { node, atNs } of this.#progress.silent())
          this.#note(node, node, atNs, NODE_STATE.unavailable);
      for (const interruption of this.#progress.ended(nowMs)) this.#tell(interruption);
      this.#counters.flush(this.#queue.pendingBytes);
      await clock.sleep(TICK_MS, signal).catch(() => undefined);
    }
    this.#counters.flush(this.#queue.pendingBytes);
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
    this.#live.add(stream, encodeNodeStatus(stream, timeNs, state, node, DISCONNECTED_MESSAGE), timeNs);
  }

  /** Name of a node in counts as flows spell it: an agent asked directly is the only one. */
  #nodeOf(name: string): string {
    return this.#options.node ?? name;
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
