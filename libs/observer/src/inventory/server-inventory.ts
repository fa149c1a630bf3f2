import {
  planFlowTotals,
  planFlows,
  planNamespaces,
  planNodes,
  readFlow,
  readNamespaces,
  readNodes,
  type FlowRow,
  type FlowTotalsRow,
  type NamespaceRow,
  type NodeAnswer,
  type NodeRow,
  type Window,
} from '@flowledger/query';
import { granted } from '../server/grpc-errors.js';
import { NODE_CONNECTED, NODE_UNAVAILABLE, type ObserverNode, type ServerStatus } from '../wire/responses.js';
import type { ClusterList } from '../flows/cluster-list.js';
import type { StoreReader } from '../flows/store-reader.js';

const HOUR_NS = 3_600_000_000_000n;
/** A node that sent nothing for so long counts as unavailable. */
const SILENT_NS = 300_000_000_000n;
/** Clients ask every five seconds; what an hour holds need not be counted more often than this, ms. */
const KEPT_MS = 10_000;

/** An answer that all callers of some seconds share. */
class Kept<T> {
  #made: Promise<T> | undefined;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly nowMs: () => number,
    private readonly make: () => Promise<T>,
  ) {}

  get(): Promise<T> {
    if (this.#made !== undefined && this.nowMs() - this.#atMs < KEPT_MS) return this.#made;
    this.#atMs = this.nowMs();
    const made = this.make();
    this.#made = made;
    made.catch(() => {
      if (this.#made === made) this.#made = undefined;
    });
    return made;
  }
}

/**
 * What the server says about itself, its nodes and namespaces. "The last hour" ends with the newest flow, so that an
 * import of old files has nodes too.
 */
export class ServerInventory {
  readonly #startedNs: bigint;
  readonly #hour: Kept<Window | undefined>;
  readonly #nodes: Kept<readonly NodeAnswer[]>;
  readonly #namespaces: Kept<readonly { readonly cluster: string; readonly name: string }[]>;
  readonly #totals: Kept<{ readonly stored: bigint; readonly seen: bigint; readonly lastMinute: number }>;
  readonly #signal = new AbortController().signal;

  constructor(
    private readonly reader: StoreReader,
    private readonly clusters: ClusterList,
    private readonly version: string,
  ) {
    const { clock } = reader.options;
    const nowMs = (): number => clock.monotonic();
    this.#startedNs = reader.context().nowNs;
    this.#hour = new Kept(nowMs, () => this.#lastHour());
    this.#nodes = new Kept(nowMs, () => this.#readNodes());
    this.#namespaces = new Kept(nowMs, () => this.#readNamespaces());
    this.#totals = new Kept(nowMs, () => this.#readTotals());
  }

  /** `uptime` is that of this process, and `seen` what was observed since: the UI divides the one by the other. */
  async status(): Promise<ServerStatus> {
    const [nodes, totals] = await Promise.all([this.nodes(), this.#totals.get()]);
    return {
      numFlows: totals.stored,
      maxFlows: 0n,
      seenFlows: totals.seen,
      uptimeNs: this.reader.context().nowNs - this.#startedNs,
      connectedNodes: nodes.filter(({ state }) => state === NODE_CONNECTED).length,
      unavailableNodes: nodes.filter(({ state }) => state !== NODE_CONNECTED).map(({ name }) => name),
      version: this.version,
      flowsRate: totals.lastMinute / 60,
    };
  }

  /** Nodes that sent flows in the last hour of flows, by name. */
  async nodes(): Promise<readonly ObserverNode[]> {
    const [nodes, hour] = await Promise.all([this.#nodes.get(), this.#hour.get()]);
    const newestNs = hour?.toNs ?? 0n;
    return nodes.map((node) => {
      const flows = BigInt(Math.round(node.flowsPerSecond * 3600));
      return {
        name: `${node.cluster}/${node.name}`,
        state: newestNs - node.lastSeenNs > SILENT_NS ? NODE_UNAVAILABLE : NODE_CONNECTED,
        uptimeNs: HOUR_NS,
        numFlows: flows,
        seenFlows: flows,
      };
    });
  }

  /** Namespaces of the last hour of flows, by cluster and name. */
  namespaces(): Promise<readonly { readonly cluster: string; readonly name: string }[]> {
    return this.#namespaces.get();
  }

  async #lastHour(): Promise<Window | undefined> {
    const context = this.reader.context();
    const whole = { fromNs: context.nowNs - context.retention.rawNs, toNs: context.nowNs + HOUR_NS };
    const clusters = await this.clusters.of(whole, this.#signal);
    const { plan } = granted(planFlows({ window: whole, last: 1, parts: [], clusters }, context));
    const [row] = await this.reader.rows<FlowRow>(plan, this.#signal);
    if (row === undefined) return undefined;
    const toNs = readFlow(row).position.bucketNs + 1n;
    return { fromNs: toNs - HOUR_NS, toNs };
  }

  async #readNodes(): Promise<readonly NodeAnswer[]> {
    const window = await this.#hour.get();
    if (window === undefined) return [];
    const plan = granted(planNodes(window, this.reader.context()));
    const rows = await this.reader.rows<NodeRow>(plan.plan, this.#signal);
    return readNodes(rows, plan).toSorted((a, b) => byName(a, b));
  }

  async #readNamespaces(): Promise<readonly { readonly cluster: string; readonly name: string }[]> {
    const window = await this.#hour.get();
    if (window === undefined) return [];
    const plan = granted(planNamespaces(window, this.reader.context()));
    return readNamespaces(await this.reader.rows<NamespaceRow>(plan.plan, this.#signal)).toSorted(byName);
  }

  async #readTotals() {
    const context = this.reader.context();
    const plan = planFlowTotals(this.#startedNs, context);
    const [row] = await this.reader.rows<FlowTotalsRow>(plan, this.#signal);
    return {
      stored: BigInt(row?.stored ?? '0'),
      seen: BigInt(row?.seen ?? '0'),
      lastMinute: Number(row?.last_minute ?? '0'),
    };
  }
}

type Named = { readonly cluster: string; readonly name: string };

function byName(a: Named, b: Named): number {
  return a.cluster < b.cluster || (a.cluster === b.cluster && a.name < b.name) ? -1 : 1;
}
