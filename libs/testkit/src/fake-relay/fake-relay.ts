import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Server, ServerCredentials, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { FlowStream, type OpenedStream, type RawCall } from './flow-stream.js';
import { NodeRing, type RingEvent } from './node-ring.js';
import {
  decodeFlowsRequest,
  encodeChange,
  encodeNodes,
  encodeServerStatus,
  encodeStatus,
  NODE_STATE,
  PEER_CHANGE,
  type NodeFacts,
} from './relay-messages.js';
import { rawService, unary } from './raw-service.js';
import type { TlsPair } from './certificates.js';

export interface FakeRelayOptions {
  /** Names as flows say them, `cluster/node`. */
  readonly nodes: readonly string[];
  /** Events each node keeps. Default 4,095, Hubble's own. */
  readonly ring?: number;
  /** Events that may overtake one event. Default 0. */
  readonly disorder?: number;
  /** Chooses among the events that may go next; needed with `disorder`. */
  readonly random?: () => number;
  /** An agent: no node status, no GetNodes. Default false. */
  readonly agent?: boolean;
  /** Port to listen on; default a free one. */
  readonly port?: number;
  readonly tls?: TlsPair & { readonly clientCa?: string };
  /** Time of the relay's own messages, ns since 1970. */
  readonly nowNs?: () => bigint;
}

/** A peer as `Peer.Notify` tells it. */
export interface FakePeer {
  readonly name: string;
  readonly address: string;
  readonly serverName?: string;
}

/**
 * A Hubble Relay (or agent) over real gRPC that serves what a simulation made, byte for byte, from rings of the real size, and
 * misbehaves on demand in the ways the real one does. One process, loopback only. Call `close` in `afterEach`.
 */
export class FakeRelay {
  readonly #rings = new Map<string, NodeRing>();
  readonly #away = new Set<string>();
  readonly #streams: FlowStream[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<RawCall>();
  readonly #peers = new Map<string, FakePeer>();
  readonly #server = new Server();
  #listener: NetServer | undefined;
  #port = 0;
  #stalled = false;
  #refusal: number | undefined;

  private constructor(private readonly options: FakeRelayOptions) {
    for (const node of options.nodes)
      this.#rings.set(node, new NodeRing(node, options.ring ?? 4095, this.#nowNs()));
  }

  static async start(options: FakeRelayOptions): Promise<FakeRelay> {
    const relay = new FakeRelay(options);
    await relay.#listen();
    return relay;
  }

  /** Where it listens, `127.0.0.1:port`. */
  get target(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Every GetFlows call so far, oldest first. */
  get opened(): readonly OpenedStream[] {
    return this.#streams;
  }

  /** GetFlows calls that are open now. */
  get open(): number {
    return this.#streams.filter((stream) => !stream.over).length;
  }

  /** The nodes observe events: flows and losses go into the rings; what a relay would not pass on is left out. */
  publish(events: Iterable<RingEvent>): void {
    for (const event of events) {
      if (event.kind === 'flow' || event.kind === 'lost_events') this.#rings.get(event.node)?.push(event);
    }
    this.#wake();
  }

  /** Cuts every connection as a crash does (TCP reset). */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Connections stay, streams send nothing, other calls are answered; `false` ends it. */
  stall(on: boolean): void {
    this.#stalled = on;
    for (const stream of this.#streams) stream.stalled = on;
    this.#wake();
  }

  /** Open streams forget a node without a word, as relay does when an agent ends its stream cleanly. */
  silence(node: string): void {
    for (const stream of this.#streams) stream.remove(node);
  }

  /** Sends bytes as the next message of every open stream. */
  inject(bytes: Uint8Array): void {
    for (const stream of this.#streams) stream.say(bytes);
  }

  /** Ends every open stream with a status. */
  fail(code: number, details = 'made to fail'): void {
    for (const stream of this.#streams.filter(({ over }) => !over)) stream.fail(code, details);
  }

  /** Answers new GetFlows calls with this status; `undefined` ends it. */
  refuse(code: number | undefined): void {
    this.#refusal = code;
  }

  /** A node is out of reach of the relay; it goes on observing. */
  loseNode(node: string): void {
    this.#away.add(node);
    this.silence(node);
    this.inject(encodeStatus(this.#self(), this.#nowNs(), NODE_STATE.unavailable, [node]));
  }

  /** It is back: open streams read it anew with their first request, and nobody says so. */
  returnNode(node: string): void {
    this.#away.delete(node);
    const ring = this.#rings.get(node);
    if (ring !== undefined) for (const stream of this.#streams) if (!stream.over) stream.add(ring);
  }

  /** An agent starts again: its ring is empty. */
  restartNode(node: string): void {
    this.#rings.get(node)?.restart(this.#nowNs());
  }

  /** Tells watchers of `Peer.Notify` that a peer came, or that it went. */
  announce(peer: FakePeer, change: 'added' | 'deleted' = 'added'): void {
    if (change === 'added') this.#peers.set(peer.name, peer);
    else this.#peers.delete(peer.name);
    for (const call of this.#watchers) call.write(encodePeerChange(peer, change));
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) =>
      this.#listener === undefined ? resolve() : this.#listener.close(() => resolve()),
    );
  }

  async #listen(): Promise<void> {
    const { tls, port = 0 } = this.options;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(
            tls.clientCa === undefined ? null : Buffer.from(tls.clientCa),
            [{ cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) }],
            tls.clientCa !== undefined,
          );
    this.#server.addService(rawService, this.#handlers());
    const injector = this.#server.createConnectionInjector(credentials);
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
    const address = listener.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : port;
  }

  #handlers(): UntypedServiceImplementation {
    const unimplemented = (): never => {
      throw new Error('not implemented by an agent');
    };
    return {
      GetFlows: (call: RawCall) => this.#getFlows(call),
      ServerStatus: unary(() => encodeServerStatus(this.#facts())),
      GetNodes: unary(this.options.agent === true ? unimplemented : () => encodeNodes(this.#facts())),
      Notify: (call: RawCall) => this.#notify(call),
    };
  }

  #getFlows(call: RawCall): void {
    const { disorder = 0, random = () => 0, agent = false } = this.options;
    const stream = new FlowStream(call, decodeFlowsRequest(call.request), disorder, random);
    if (this.#refusal !== undefined || (stream.request.first && stream.request.follow)) {
      stream.fail(this.#refusal ?? status.INVALID_ARGUMENT, 'refused');
      return;
    }
    this.#streams.push(stream);
    stream.stalled = this.#stalled;
    if (!agent) this.#greet(stream);
    for (const [name, ring] of this.#rings) if (!this.#away.has(name)) stream.add(ring);
    void stream.run();
  }

  /** What relay says first: the nodes it reads, then those it cannot reach. */
  #greet(stream: FlowStream): void {
    const names = [...this.#rings.keys()];
    const [here, away] = [names.filter((n) => !this.#away.has(n)), names.filter((n) => this.#away.has(n))];
    if (here.length > 0) stream.say(encodeStatus(this.#self(), this.#nowNs(), NODE_STATE.connected, here));
    if (away.length > 0) stream.say(encodeStatus(this.#self(), this.#nowNs(), NODE_STATE.unavailable, away));
  }

  #notify(call: RawCall): void {
    this.#watchers.add(call);
    call.on('close', () => this.#watchers.delete(call));
    call.on('cancelled', () => this.#watchers.delete(call));
    for (const peer of this.#peers.values()) call.write(encodePeerChange(peer, 'added'));
  }

  #facts(): NodeFacts[] {
    return [...this.#rings.values()].map((ring) => ({
      name: ring.name,
      address: this.target,
      connected: !this.#away.has(ring.name),
      uptimeNs: this.#nowNs() - ring.startedNs,
      numFlows: ring.next - ring.oldest,
      maxFlows: ring.capacity,
      seenFlows: ring.seenFlows,
    }));
  }

  /** Node that the relay runs on. */
  #self(): string {
    return this.options.nodes[0] ?? '';
  }

  #nowNs(): bigint {
    return this.options.nowNs?.() ?? BigInt(Date.now()) * 1_000_000n;
  }

  #wake(): void {
    for (const stream of this.#streams) stream.wake();
  }
}

function encodePeerChange(peer: FakePeer, change: 'added' | 'deleted'): Buffer {
  return Buffer.from(encodeChange(PEER_CHANGE[change], peer.name, peer.address, peer.serverName));
}
