import type { StringTable } from '../batch/string-table.js';
import type { EnvelopeHeader } from '../envelope.js';
import type { StreamKey } from '../projected-batches.js';

/** A node as rows name it. */
export interface NodeScope {
  /** String ids of the columns `cluster` and `node`. */
  readonly cluster: number;
  readonly node: number;
  /** Whether the columns give `node_name` back as it was sent (`cluster/node`). */
  readonly exact: boolean;
  readonly stream: StreamKey;
}

const HOUR_S = 3600;

/**
 * What all events of one log record share: its position, tenant, received time, and how node names are read. One
 * object, moved from record to record.
 */
export class RecordScope {
  offsetLo = 0;
  offsetHi = 0;
  tenant = 0;
  receivedMs = 0;
  /** Received time, s and ns within it, and as ns since 1970 in two halves. */
  receivedS = 0;
  receivedNanos = 0;
  receivedLo = 0;
  receivedHi = 0;
  /** Bounds of believable event times, s; the fraction is that of the received time. */
  oldestS = 0;
  newestS = 0;
  header: EnvelopeHeader | undefined;
  readonly #scopes = new Map<string, Map<number, NodeScope>>();
  #nodes = new Map<number, NodeScope>();
  #lastName = -1;
  #last: NodeScope | undefined;
  readonly #streams = new Map<string, StreamKey>();

  constructor(
    private readonly strings: StringTable,
    private readonly rawTtlMs: number,
  ) {}

  begin(offset: bigint, header: EnvelopeHeader): void {
    this.offsetLo = Number(offset & 0xffff_ffffn);
    this.offsetHi = Number((offset >> 32n) & 0xffff_ffffn);
    this.header = header;
    this.tenant = this.strings.idOfText(header.tenant);
    this.receivedMs = header.receivedMs;
    this.receivedS = Math.floor(header.receivedMs / 1000);
    this.receivedNanos = (header.receivedMs - this.receivedS * 1000) * 1_000_000;
    const ns = BigInt(header.receivedMs) * 1_000_000n;
    this.receivedLo = Number(ns & 0xffff_ffffn);
    this.receivedHi = Number((ns >> 32n) & 0xffff_ffffn);
    this.oldestS = this.receivedS - Math.floor(this.rawTtlMs / 1000);
    this.newestS = this.receivedS + HOUR_S;
    this.#useScope(`${header.tenant}\0${header.cluster}\0${header.stream}`);
  }

  #useScope(key: string): void {
    let nodes = this.#scopes.get(key);
    if (nodes === undefined) this.#scopes.set(key, (nodes = new Map()));
    this.#nodes = nodes;
    this.#lastName = -1;
  }

  /** The node that `node_name` (string id, 0 = absent) names. */
  node(name: number): NodeScope {
    if (name === this.#lastName && this.#last !== undefined) return this.#last;
    let node = this.#nodes.get(name);
    if (node === undefined) this.#nodes.set(name, (node = this.#resolve(name)));
    this.#lastName = name;
    this.#last = node;
    return node;
  }

  /** `cluster/node` is split at the first slash; a bare name is of the envelope's cluster; no name is the stream's. */
  #resolve(name: number): NodeScope {
    const header = this.header;
    const sent = this.strings.textOf(name);
    const text = sent === '' ? (header?.stream ?? '') : sent;
    const slash = text.indexOf('/');
    const cluster = (slash > 0 ? text.slice(0, slash) : '') || header?.cluster || 'default';
    const node = (slash < 0 ? text : text.slice(slash + 1)) || 'unknown';
    return {
      cluster: this.strings.idOfText(cluster),
      node: this.strings.idOfText(node),
      exact: sent === '' || sent === `${cluster}/${node}`,
      stream: this.#stream(header?.tenant ?? '', cluster, node),
    };
  }

  #stream(tenant: string, cluster: string, node: string): StreamKey {
    const id = `${tenant}\0${cluster}\0${node}`;
    let stream = this.#streams.get(id);
    if (stream === undefined) this.#streams.set(id, (stream = { tenant, cluster, node, id }));
    return stream;
  }

  /** Forgets what names other ids of the string table; stream keys stay the same objects. */
  adopt(former: RecordScope): void {
    for (const [id, stream] of former.#streams) this.#streams.set(id, stream);
  }
}
