import { status } from '@grpc/grpc-js';
import { fullJitter, type BackOff } from './back-off.js';
import { FlowIntake, type FlowIntakeOptions } from './flow-intake.js';
import { runFlowSession, type SessionEnd } from './flow-session.js';
import { HubbleClient, type HubbleAddress } from './hubble-client.js';
import { SilenceWatch } from './silence-watch.js';

export interface RelaySourceOptions extends Omit<FlowIntakeOptions, 'random'> {
  readonly address: HubbleAddress;
  /** Default 10 min. */
  readonly reopenMs?: number;
  /** How often counts are compared; a node that is silent so long while it observes is read anew. Default 30 s. */
  readonly idleMs?: number;
  /** Without a stream for so long, the log is told that the nodes cannot be read. Default 10 s. */
  readonly outageMs?: number;
  readonly backOff?: BackOff;
  /** Between 0 and 1. Default Math.random. */
  readonly random?: () => number;
}

/** What a source does, for `flowledger status`. */
export interface SourceState {
  readonly source: string;
  /** Address, or pattern of files. */
  readonly target: string;
  readonly state: 'connecting' | 'reading' | 'waiting' | 'stopped';
  /** Nodes, or files. */
  readonly parts: number;
  /** Time of the newest flow received. */
  readonly newest: string | null;
  readonly reconnects: number;
  readonly pendingBytes: number;
  /** Why it waits; null when it does not. */
  readonly error: string | null;
}

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
const MOST_SILENCES = 3;

/**
 * Reads all flows of a Hubble Relay (or of one agent) into the log, for ever: opens, resumes, and opens again. Nothing
 * that the log acknowledged is asked for in vain, and nothing that it did not is passed over: `since` follows what is
 * durable. What was lost while nobody listened is told to the log as an interruption of the node.
 */
export class RelaySource {
  readonly #options: RelaySourceOptions;
  readonly #intake: FlowIntake;
  readonly #random: () => number;
  #state: SourceState['state'] = 'connecting';
  #error: string | null = null;
  #attempt = 0;
  #reconnects = 0;
  /** Since when there is no stream, monotonic ms; Infinity while there is one. */
  #withoutStream: number;
  /** Newest flow when a message that is too large ended a stream. */
  #stuckAt: bigint | undefined;
  #skip = false;
  /** How often in a row nodes were found silent. */
  readonly #silences = new Map<string, number>();

  constructor(options: RelaySourceOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#intake = new FlowIntake({ ...options, random: this.#random });
    this.#withoutStream = options.clock.monotonic();
  }

  get states(): readonly SourceState[] {
    return [this.state];
  }

  get state(): SourceState {
    const newest = this.#intake.newestNs;
    return {
      source: this.#options.node === undefined ? 'relay' : 'agent',
      target: this.#options.address.target,
      state: this.#state,
      parts: this.#intake.nodes,
      newest: newest === undefined ? null : new Date(Number(newest / 1_000_000n)).toISOString(),
      reconnects: this.#reconnects,
      pendingBytes: this.#intake.queue.pendingBytes,
      error: this.#error,
    };
  }

  /** Reads until `signal` aborts; resolves when what was received is in the log. Rejects CONFIG_INVALID for bad certificates. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#intake.load();
    const reading = new AbortController();
    const stop = (): void => reading.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const appending = this.#intake.queue.run(reading.signal);
    const ticking = this.#tickUntil(reading.signal);
    try {
      while (!signal.aborted) await this.#session(signal);
    } finally {
      this.#state = 'stopped';
      signal.removeEventListener('abort', stop);
      reading.abort();
      await Promise.all([appending, ticking]);
    }
  }

  /** The node behind this source is no more: says so in the log. To be called before the source is stopped. */
  leave(): void {
    this.#intake.leave();
  }

  async #session(signal: AbortSignal): Promise<void> {
    const { clock, address, reopenMs = 600_000, idleMs = 30_000 } = this.#options;
    const intake = this.#intake;
    const client = new HubbleClient(address);
    const watch = new SilenceWatch();
    const began = clock.monotonic();
    if (this.#error === null) this.#state = 'connecting';
    let heard = false;
    try {
      const end = await runFlowSession(
        {
          client,
          sinceNs: intake.open(this.#skip),
          clock,
          reopenMs,
          lookMs: idleMs,
          look: (counts) => {
            const verdict = watch.look(counts, (name) => intake.received(name));
            intake.counters.unexplained(verdict.unexplained);
            return this.#isSilent(verdict.silent);
          },
          onMessage: (bytes) => {
            if (!heard) this.#heard();
            heard = true;
            intake.take(bytes);
          },
          full: () => intake.queue.full,
          room: () => intake.queue.room(),
        },
        signal,
      );
      await this.#ended(end, clock.monotonic() - began, signal);
    } finally {
      client.close();
    }
  }

  /** A node that stays silent however often it is read anew is left to the usual reopening. */
  #isSilent(nodes: readonly string[]): boolean {
    for (const known of this.#silences.keys()) if (!nodes.includes(known)) this.#silences.delete(known);
    const again = nodes.filter((node) => (this.#silences.get(node) ?? 0) < MOST_SILENCES);
    for (const node of again) this.#silences.set(node, (this.#silences.get(node) ?? 0) + 1);
    return again.length > 0;
  }

  #heard(): void {
    this.#state = 'reading';
    this.#error = null;
    this.#withoutStream = Infinity;
    this.#intake.heard();
  }

  async #ended(end: SessionEnd, lastedMs: number, signal: AbortSignal): Promise<void> {
    if (end.kind === 'stopped' || signal.aborted) return;
    const { clock, log, backOff = USUAL_BACK_OFF, address } = this.#options;
    if (this.#withoutStream === Infinity) this.#withoutStream = clock.monotonic();
    this.#skip = false;
    if (end.kind === 'reopen') return;
    const failed = end.kind === 'failed';
    this.#reconnects++;
    this.#intake.counters.reconnected(failed ? 'failed' : end.kind);
    // Once may be chance; a message that ends a second stream without progress is passed over, and the log is told.
    const newest = this.#intake.newestNs ?? 0n;
    const tooLarge = failed && end.code === status.RESOURCE_EXHAUSTED;
    this.#skip = tooLarge && this.#stuckAt === newest;
    this.#stuckAt = tooLarge ? newest : undefined;
    if (lastedMs >= STEADY_MS) this.#attempt = 0;
    const hopeless = failed && HOPELESS.has(end.code);
    const waitMs = fullJitter(this.#attempt++, hopeless ? HOPELESS_BACK_OFF : backOff, this.#random());
    this.#state = 'waiting';
    this.#error = failed ? end.details : `stream ${end.kind}`;
    const facts = { target: address.target, cause: this.#error, waitMs: Math.round(waitMs) };
    if (hopeless) log.error(facts, 'no flows can be read there: is it a Hubble Relay that lets us in?');
    else log.warn(facts, 'flow stream ended, opening it again');
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }

  async #tickUntil(signal: AbortSignal): Promise<void> {
    const { clock, outageMs = 10_000 } = this.#options;
    while (!signal.aborted) {
      this.#intake.tick(clock.monotonic() - this.#withoutStream >= outageMs);
      await clock.sleep(TICK_MS, signal).catch(() => undefined);
    }
    this.#intake.tick(false);
  }
}
