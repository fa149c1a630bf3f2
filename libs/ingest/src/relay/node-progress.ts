/** How far one node's flows have been brought into the log; what survives a restart. */
export interface SavedNode {
  /** Time of its newest durable flow, ns since 1970. */
  readonly timeNs: bigint;
  /** An interruption that the log already tells of: which stream says so, and since when. */
  readonly mark?: Mark;
}

/** Where the log says that a node cannot be read. */
export interface Mark {
  /** Node that said so, or the node itself when we did: the stream, so that the end goes into the same partition. */
  readonly stream: string;
  readonly atNs: bigint;
}

/** An interruption of one node that is over. */
export interface Interruption {
  readonly node: string;
  /** Time of the last flow before it. */
  readonly fromNs: bigint;
  /** Time of the first flow after it; `fromNs` when the ring still held everything and nothing was lost. */
  readonly toNs: bigint;
  /** What the log says about it so far. */
  readonly mark: Mark | undefined;
}

interface Resume {
  /** Newest flow that was received before the interruption. */
  readonly fromNs: bigint;
  /** Oldest flow received since; undefined before the first. */
  firstNs: bigint | undefined;
  /** When that first flow came, ms of a monotonic clock. */
  atMs: number;
}

interface Node {
  seenNs: bigint;
  resume: Resume | undefined;
  mark: Mark | undefined;
  /** Flows up to here, when they come now, are replays. */
  replayedNs: bigint;
  fresh: number;
  lost: bigint;
}

/** Names beyond this are a fault of the source; their flows are kept, but not watched. */
const MOST_NODES = 10_000;
/** Flows of one node come in the order of its ring, give or take what relay sorts wrongly. */
const SETTLE_MS = 2000;
/** Taken off every resume: agents stamp a few flows late. */
const MARGIN_NS = 5_000_000_000n;
/** A node that is further behind the newest does not hold the resume back. */
const IDLE_NS = 3_600_000_000_000n;

/**
 * What a source knows of each node: the newest flow received, and whether an interruption lost any. `since` is inclusive
 * and goes back to a flow that was received, so a node whose ring still holds that flow sends it again: when the first
 * flow after a reconnect is newer than the last one before it, the ring was overwritten (or emptied) meanwhile. Pure: time
 * comes in as arguments.
 */
export class NodeProgress {
  readonly #nodes = new Map<string, Node>();
  #ended: Interruption[] = [];

  constructor(saved: ReadonlyMap<string, SavedNode> = new Map()) {
    for (const [name, { timeNs, mark }] of saved) {
      const node = this.#add(name, timeNs);
      if (node !== undefined) node.mark = mark;
    }
  }

  get size(): number {
    return this.#nodes.size;
  }

  has(name: string): boolean {
    return this.#nodes.has(name);
  }

  /** Newest flow of all nodes, ns since 1970. */
  get newestNs(): bigint | undefined {
    let newest: bigint | undefined;
    for (const { seenNs } of this.#nodes.values())
      if (newest === undefined || seenNs > newest) newest = seenNs;
    return newest;
  }

  /** A stream is about to be opened; returns its `since`. `skipToNs` begins later, and says what that leaves out. */
  open(firstStartNs: bigint, skipToNs?: bigint): bigint {
    const sinceNs = skipToNs ?? this.#resumeFrom(firstStartNs);
    for (const [name, node] of this.#nodes) {
      this.#interrupt(name, node, skipToNs !== undefined || node.seenNs >= sinceNs);
      node.replayedNs = node.seenNs;
    }
    return sinceNs;
  }

  #resumeFrom(firstStartNs: bigint): bigint {
    const newest = this.newestNs;
    if (newest === undefined) return firstStartNs;
    let oldest = newest;
    for (const { seenNs } of this.#nodes.values())
      if (seenNs < oldest && newest - seenNs <= IDLE_NS) oldest = seenNs;
    return oldest - MARGIN_NS;
  }

  /** A flow came; `atMs` is monotonic. */
  flow(name: string, timeNs: bigint, atMs: number): void {
    const node = this.#nodes.get(name) ?? this.#add(name, timeNs);
    if (node === undefined) return;
    const { resume } = node;
    if (resume !== undefined) this.#resumed(name, node, resume, timeNs, atMs);
    if (timeNs > node.replayedNs) node.fresh++;
    if (timeNs > node.seenNs) node.seenNs = timeNs;
  }

  #resumed(name: string, node: Node, resume: Resume, timeNs: bigint, atMs: number): void {
    if (timeNs <= resume.fromNs) this.#end(name, node, resume.fromNs, resume.fromNs);
    else if (resume.firstNs === undefined) {
      resume.firstNs = timeNs;
      resume.atMs = atMs;
    } else if (timeNs < resume.firstNs) resume.firstNs = timeNs;
  }

  /** A node said that it lost events. */
  losses(name: string, count: bigint): void {
    const node = this.#nodes.get(name);
    if (node !== undefined) node.lost += count;
  }

  /** The server cannot read a node for now; `stream` is who said so. It goes on from the ring when the node is back. */
  unavailable(name: string, mark: Mark): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    this.#interrupt(name, node, true);
    node.replayedNs = node.seenNs;
    node.mark = mark;
  }

  /** A node left the cluster for good. */
  forget(name: string): void {
    this.#nodes.delete(name);
  }

  /** No stream has been open for a while: the nodes about which the log says nothing yet, with their last flow. */
  silent(): readonly { readonly node: string; readonly atNs: bigint }[] {
    const newest = this.newestNs ?? 0n;
    const found: { node: string; atNs: bigint }[] = [];
    for (const [name, node] of this.#nodes) {
      if (node.mark !== undefined || newest - node.seenNs > IDLE_NS) continue;
      const atNs = node.resume?.fromNs ?? node.seenNs;
      node.mark = { stream: name, atNs };
      found.push({ node: name, atNs });
    }
    return found;
  }

  /** Interruptions that ended since the last call. */
  ended(nowMs: number): readonly Interruption[] {
    for (const [name, node] of this.#nodes) {
      const { resume } = node;
      if (resume?.firstNs !== undefined && nowMs - resume.atMs >= SETTLE_MS)
        this.#end(name, node, resume.fromNs, resume.firstNs);
    }
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** What to keep for the next start, as of now. */
  saved(): ReadonlyMap<string, SavedNode> {
    const saved = new Map<string, SavedNode>();
    for (const [name, { seenNs, resume, mark }] of this.#nodes) {
      // While it is open whether an interruption lost flows, a restart must ask the same question again.
      const timeNs = resume?.firstNs === undefined ? seenNs : resume.fromNs;
      saved.set(name, mark === undefined ? { timeNs } : { timeNs, mark });
    }
    return saved;
  }

  /** Flows received for the first time, and losses reported, since the source started. */
  counted(name: string): { readonly fresh: bigint; readonly lost: bigint } {
    let fresh = 0;
    let lost = 0n;
    for (const [node, counts] of this.#nodes) {
      if (name !== '' && node !== name) continue;
      fresh += counts.fresh;
      lost += counts.lost;
    }
    return { fresh: BigInt(fresh), lost };
  }

  #add(name: string, seenNs: bigint): Node | undefined {
    if (this.#nodes.size >= MOST_NODES) return undefined;
    const node: Node = {
      seenNs,
      resume: undefined,
      mark: undefined,
      replayedNs: -1n,
      fresh: 0,
      lost: 0n,
    };
    this.#nodes.set(name, node);
    return node;
  }

  /** From here on the node's next flow decides; an interruption whose first flow came already is decided now. */
  #interrupt(name: string, node: Node, decidable: boolean): void {
    const { resume } = node;
    if (resume?.firstNs !== undefined) this.#end(name, node, resume.fromNs, resume.firstNs);
    else if (resume !== undefined) return;
    node.resume = decidable ? { fromNs: node.seenNs, firstNs: undefined, atMs: 0 } : undefined;
  }

  #end(name: string, node: Node, fromNs: bigint, toNs: bigint): void {
    node.resume = undefined;
    if (toNs > fromNs || node.mark !== undefined)
      this.#ended.push({ node: name, fromNs, toNs, mark: node.mark });
    node.mark = undefined;
  }
}
