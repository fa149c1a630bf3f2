import { join } from 'node:path';
import { describeError, withLinkedSignal } from '@flowledger/platform';
import { fullJitter } from './back-off.js';
import { HubbleClient, type HubbleAddress, type TlsSettings } from './hubble-client.js';
import { decodeChange, type PeerChange } from './hubble-messages.js';
import { RelaySource, type RelaySourceOptions, type SourceState } from './relay-source.js';
import { agentServerName, peerServerName } from './server-name.js';

export interface PeerSourceOptions extends Omit<RelaySourceOptions, 'stateFile' | 'node'> {
  /** Directory of one state file a node. */
  readonly stateDirectory: string;
  /** How long after a reconnect a node that is not announced again may stay. Default 30 s. */
  readonly confirmMs?: number;
}

interface Agent {
  readonly source: RelaySource;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  readonly change: PeerChange;
  confirmed: boolean;
}

const MIB = 1024 * 1024;
const BACK_OFF = { baseMs: 500, capMs: 30_000 };
const AGENT_PORT = 4244;
/** The byte bound is shared by the agents that are likely to wait at the same time. */
const SHARES = 16;

/**
 * Reads every agent of a cluster directly: `Peer.Notify` says which there are, each gets a stream of its own with its own
 * resume, so that no relay sorts, drops or forgets in between.
 */
export class PeerSource {
  readonly #options: PeerSourceOptions;
  readonly #agents = new Map<string, Agent>();
  #error: string | null = null;
  #connected = false;
  #reconnects = 0;

  constructor(options: PeerSourceOptions) {
    this.#options = options;
  }

  /** The peer service's own state, then those of the agents. */
  get states(): readonly SourceState[] {
    const own: SourceState = {
      source: 'peers',
      target: this.#options.address.target,
      state: this.#connected ? 'reading' : 'waiting',
      parts: this.#agents.size,
      newest: null,
      reconnects: this.#reconnects,
      pendingBytes: 0,
      error: this.#error,
    };
    return [own, ...[...this.#agents.values()].map(({ source }) => source.state)];
  }

  /** Reads until `signal` aborts; resolves when every agent's flows are in the log. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random = Math.random, backOff = BACK_OFF, address } = this.#options;
    for (let attempt = 0; !signal.aborted;) {
      const heard = await this.#listen(signal);
      if (signal.aborted) break;
      this.#reconnects++;
      attempt = heard ? 0 : attempt + 1;
      const waitMs = fullJitter(attempt, backOff, random());
      log.warn(
        { target: address.target, cause: this.#error, waitMs: Math.round(waitMs) },
        'peer service ended',
      );
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
    await Promise.all([...this.#agents.values()].map((agent) => this.#end(agent)));
  }

  /** One Notify stream; true when it said anything. */
  async #listen(signal: AbortSignal): Promise<boolean> {
    const client = new HubbleClient(this.#peerAddress());
    const over = new AbortController();
    for (const agent of this.#agents.values()) agent.confirmed = false;
    const stream = client.notify();
    let heard = false;
    stream.on('data', (bytes: Buffer) => {
      if (over.signal.aborted) return;
      heard = true;
      this.#connected = true;
      this.#error = null;
      const change = decodeChange(bytes);
      if (change !== undefined) this.#change(change, signal);
    });
    const dropping = withLinkedSignal([signal, over.signal], (either) => this.#dropUnconfirmed(either));
    await new Promise<void>((resolve) => {
      stream.on('error', (error: unknown) => {
        this.#error = describeError(error);
        resolve();
      });
      stream.on('end', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true, signal: over.signal });
      if (signal.aborted) resolve();
    });
    this.#connected = false;
    over.abort();
    stream.cancel();
    client.close();
    await dropping;
    return heard;
  }

  #change(change: PeerChange, signal: AbortSignal): void {
    const known = this.#agents.get(change.name);
    if (known !== undefined && !change.gone && sameAddress(known.change, change)) {
      known.confirmed = true;
      return;
    }
    if (known !== undefined) {
      this.#agents.delete(change.name);
      if (change.gone) known.source.leave();
      void this.#end(known);
    }
    // A former source of this node goes first: the two share the state file.
    if (!change.gone) this.#agents.set(change.name, this.#start(change, signal, known?.done));
  }

  #start(change: PeerChange, signal: AbortSignal, former = Promise.resolve()): Agent {
    const { stateDirectory, bufferBytes = 32 * MIB, log } = this.#options;
    const source = new RelaySource({
      ...this.#options,
      node: change.name,
      address: this.#agentAddress(change),
      stateFile: join(stateDirectory, `${encodeURIComponent(change.name)}.json`),
      bufferBytes: Math.max(MIB, Math.floor(bufferBytes / SHARES)),
    });
    const stop = new AbortController();
    const done = former
      .then(() => withLinkedSignal([signal, stop.signal], (either) => source.run(either)))
      .catch((error: unknown) => log.error({ error: describeError(error) }, 'agent cannot be read'));
    return { source, stop, done, change, confirmed: true };
  }

  async #end({ stop, done }: Agent): Promise<void> {
    stop.abort();
    await done;
  }

  /** A node that went while nobody listened is not announced again; one that still sends is kept. */
  async #dropUnconfirmed(signal: AbortSignal): Promise<void> {
    const { clock, confirmMs = 30_000 } = this.#options;
    try {
      await clock.sleep(confirmMs, signal);
    } catch {
      return;
    }
    if (!this.#connected) return;
    for (const [name, agent] of this.#agents) {
      if (agent.confirmed || agent.source.state.state === 'reading') continue;
      this.#agents.delete(name);
      agent.source.leave();
      await this.#end(agent);
    }
  }

  #peerAddress(): HubbleAddress {
    const { address, cluster } = this.#options;
    return address.tls === undefined ? address : named(address.target, address.tls, peerServerName(cluster));
  }

  #agentAddress({ name, address: peer, serverName }: PeerChange): HubbleAddress {
    const { tls } = this.#options.address;
    const { cluster } = this.#options;
    const target = /:\d+$/.test(peer) || peer.startsWith('unix:') ? peer : `${peer}:${AGENT_PORT}`;
    if (tls === undefined) return { target };
    // The configured name is the peer service's; an agent's own follows Cilium's rule.
    return { target, tls: { ...tls, serverName: serverName ?? agentServerName(name, cluster) } };
  }
}

function named(target: string, tls: TlsSettings, name: string): HubbleAddress {
  return { target, tls: { ...tls, serverName: tls.serverName ?? name } };
}

function sameAddress(a: PeerChange, b: PeerChange): boolean {
  return a.address === b.address && a.serverName === b.serverName;
}
