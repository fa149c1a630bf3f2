import { Random } from '../random.js';
import { traceIdText, uuidText } from '../topology/names.js';
import type { Cluster } from '../topology/cluster.js';
import type { Party } from '../topology/party.js';
import { Call, type Denial, type HttpRequest, type Request } from './call.js';
import { EDGES, type Edge } from './edge.js';
import { INCIDENT_POLICY } from '../topology/plan.js';
import { lookUp } from './name-lookup.js';
import { staticDenial } from './denials.js';

/** What a decision depends on besides seed and second. */
export interface DecisionSettings {
  readonly seed: number;
  /** Second and nanosecond at which the incident's policy takes effect; Infinity = never. */
  readonly incidentSecond: number;
  readonly incidentNanos: number;
  /** Share of calls that an aggregating exporter reports as one record for several. */
  readonly aggregatedShare: number;
}

/** How a call came to be. */
export interface Cause {
  readonly parent?: Call;
  readonly retryOf?: Call;
  /** Refusal that the script wants. */
  readonly denial?: Denial;
}

const MS = 1e6;
const SYN_RETRY_NS = 1000 * MS;
const CONNECT_TIMEOUT_NS = 1500 * MS;
const STALE_SECONDS = 3;

/** Decides the calls that start in one second. Everything comes from (seed, second): no clock, no other state. */
export class Decision {
  readonly calls: Call[] = [];
  readonly random: Random;

  constructor(
    readonly cluster: Cluster,
    readonly second: number,
    readonly settings: DecisionSettings,
  ) {
    this.random = new Random(settings.seed, second, 1);
  }

  /** A call up to the point where the server has the request, or the client has given up (`denial` is set). */
  begin(
    edge: Edge,
    request: Request | undefined,
    from: Party | ((server: Party) => Party),
    atNs: number,
    cause: Cause = {},
  ): Call {
    const server = this.serverOf(edge);
    const client = typeof from === 'function' ? from(server) : from;
    const call = new Call(this.second, this.calls.length, edge, client, server, request, atNs);
    this.calls.push(call);
    call.retryOf = cause.retryOf;
    call.attempt = (cause.retryOf?.attempt ?? 0) + 1;
    if (edge.service !== undefined) call.service = this.cluster.service(edge.service);
    else if (edge.server.startsWith('service:')) call.service = this.cluster.service(edge.server.slice(8));
    call.denial =
      cause.denial ?? staticDenial(edge, this.random) ?? this.incidentDenial(call) ?? this.staleDenial(call);
    this.connect(call);
    this.identify(call, cause.parent);
    const ready = call.newConnection ? this.open(call) : atNs;
    call.clientRequestNs = ready;
    call.serverRequestNs = ready + this.oneWay(call) + (call.egressProxied ? 90_000 : 0);
    if (call.denial?.kind === 'packet') this.giveUp(call, call.denial);
    else if (call.denial !== undefined) call.clientResponseNs = call.serverRequestNs + this.oneWay(call);
    return call;
  }

  /** The server answers a begun call once it has all it needs, at `readyNs`. */
  answer(call: Call, readyNs: number, status?: number): void {
    const { edge } = call;
    if (call.denial !== undefined) return;
    const own = this.random.logNormal(edge.medianMs * MS, edge.sigma);
    call.status = status ?? this.statusOf(edge);
    call.unanswered = edge.oneWay === true;
    call.serverResponseNs = Math.round(readyNs + Math.min(own, 2000 * MS));
    call.clientResponseNs = call.serverResponseNs + this.oneWay(call) + (call.egressProxied ? 70_000 : 0);
    this.reportLatency(call);
  }

  /** A call from begin to answer by a server that needs nobody else. */
  ask(
    edge: Edge,
    request: Request | undefined,
    from: Party | ((server: Party) => Party),
    atNs: number,
    cause: Cause = {},
  ): Call {
    const call = this.begin(edge, request, from, atNs, cause);
    this.answer(call, call.serverRequestNs);
    return call;
  }

  /** The pod of a workload that acts now, one of its replicas. */
  pod(workload: string): Party {
    return this.cluster.podAt(this.random.pick(this.cluster.replicas(workload)), this.second);
  }

  /** Travel time of a packet between the two ends, ns. */
  oneWay(call: Call): number {
    const { client, server } = call;
    const spread = 0.8 + 0.6 * this.random.unit();
    if (client.node < 0 || server.node < 0) return Math.round(9 * MS * spread);
    return Math.round((client.node === server.node ? 30_000 : 140_000) * spread);
  }

  private serverOf(edge: Edge): Party {
    const { outside } = this.cluster;
    const { server } = edge;
    if (server.startsWith('host:')) return this.random.pick(outside.host(server.slice(5)));
    if (server.startsWith('service:')) return this.cluster.service(server.slice(8)).party;
    if (server === 'partner') return outside.partnerRange;
    if (server === 'metadata') return outside.metadata;
    if (server === 'kube-apiserver') return outside.apiServer;
    if (server === 'health') return this.random.pick(outside.healthEndpoints);
    if (server === 'internet')
      return edge.port === 0 && edge.transport === 'TCP'
        ? outside.nobody
        : outside.user(this.random.below(200));
    return this.pod(server);
  }

  private connect(call: Call): void {
    const { edge, denial } = call;
    call.egressPolicy = edge.egressPolicy ?? '';
    if (edge.ingressPolicy !== undefined) call.ingressPolicy = edge.ingressPolicy;
    call.newConnection = denial?.kind === 'packet' || this.random.chance(edge.newShare);
    call.closes = call.newConnection && denial === undefined && this.random.chance(0.4);
    call.resets = call.closes && this.random.chance(0.02);
    call.translated = call.newConnection && call.service !== undefined && this.random.chance(0.3);
    call.tunnelSeen = call.newConnection && this.random.chance(0.03);
    call.audited = edge.audited === true && call.newConnection;
    call.clientPort = edge.port === 0 ? 0 : this.ephemeral();
    if (call.egressProxied) call.egressProxyPort = this.ephemeral();
    if (call.ingressProxied) call.ingressProxyPort = this.ephemeral();
    const { aggregatedShare } = this.settings;
    if (aggregatedShare > 0 && this.random.chance(aggregatedShare)) call.weight = 2 + this.random.below(40);
  }

  private identify(call: Call, parent: Call | undefined): void {
    if (call.request?.kind !== 'http') return;
    const { seed } = this.settings;
    if (this.random.chance(0.99)) call.requestId = uuidText(seed, call.slot, call.index, -1);
    if (parent !== undefined) call.traceId = parent.traceId;
    else if (this.random.chance(0.7)) call.traceId = traceIdText(seed, call.slot, call.index);
  }

  /** Name look-up and handshake of a new connection; when the request can go. */
  private open(call: Call): number {
    const { lookup } = call.edge;
    const external = call.edge.server.startsWith('host:');
    let at = call.startNs;
    if (lookup !== undefined && call.attempt === 1 && this.random.chance(external ? 0.15 : 0.25))
      at = lookUp(this, call.client, lookup, external ? call.server.ip : call.service?.ip, at);
    call.startNs = at;
    return call.edge.transport === 'TCP' ? at + 2 * this.oneWay(call) + 20_000 : at;
  }

  private giveUp(call: Call, denial: Denial): void {
    const proxied = call.egressProxied && denial.side === 'server';
    const first = (proxied ? call.clientRequestNs + 90_000 : call.startNs) + this.arrival(call, denial);
    call.dropTimes.push(first);
    if (call.edge.transport === 'TCP' && call.server.kind !== 'nobody')
      call.dropTimes.push(first + SYN_RETRY_NS);
    call.clientResponseNs = call.clientRequestNs + CONNECT_TIMEOUT_NS + this.random.below(5 * MS);
    if (!proxied || call.request?.kind !== 'http') return;
    call.status = 503;
    this.reportLatency(call);
  }

  private arrival(call: Call, denial: Denial): number {
    return denial.side === 'server' ? this.oneWay(call) : 12_000;
  }

  /** The incident's policy denies everyone but monitoring at payments: an explicit deny, so the verdict names it. */
  private incidentDenial(call: Call): Denial | undefined {
    if (call.edge.server !== 'shop/payments' || !this.incidentAt(call.startNs)) return undefined;
    if (call.edge.port !== EDGES.scrapePayments.port)
      return { kind: 'packet', reason: 181, side: 'server', policy: INCIDENT_POLICY, byPolicy: true };
    call.ingressPolicy = INCIDENT_POLICY;
    return undefined;
  }

  private incidentAt(atNs: number): boolean {
    const { incidentSecond, incidentNanos } = this.settings;
    return atNs + (this.second - incidentSecond) * 1e9 >= incidentNanos;
  }

  /** Right after a pod went, some clients still send to its address. */
  private staleDenial(call: Call): Denial | undefined {
    const { server } = call;
    if (
      this.cluster.churnSeconds === 0 ||
      server.kind !== 'pod' ||
      call.edge.protocol === 'dns' ||
      call.edge.ipv6 === true
    )
      return undefined;
    const replicas = this.cluster.replicas(call.edge.server);
    const slot = replicas.find((one) => this.cluster.podAt(one, this.second) === server);
    const gone = slot && this.cluster.departed(slot, this.second, STALE_SECONDS);
    if (gone === undefined || !this.random.chance(0.5)) return undefined;
    call.server = gone;
    return { kind: 'packet', reason: 151, side: 'server', byPolicy: false };
  }

  private statusOf(edge: Edge): number {
    const draw = this.random.unit();
    if (draw < edge.faultShare)
      return edge.protocol === 'http'
        ? this.random.pick([500, 500, 502, 503])
        : edge.protocol === 'kafka'
          ? 6
          : 0;
    if (edge.protocol !== 'http') return 0;
    return draw < edge.faultShare + (edge.missShare ?? 0) ? 404 : 200;
  }

  /** Latency is known only by the request id, and the agent forgets some of those (hubble note 1.6). */
  private reportLatency(call: Call): void {
    const request: Request | undefined = call.request;
    if (request === undefined || !isHttp(request) || call.requestId === '') return;
    if (this.random.chance(0.997)) call.clientLatencyNs = call.clientResponseNs - call.clientRequestNs;
    if (this.random.chance(0.997))
      call.serverLatencyNs = Math.max(0, call.serverResponseNs - call.serverRequestNs);
  }

  private ephemeral(): number {
    return 32_768 + this.random.below(28_000);
  }
}

function isHttp(request: Request): request is HttpRequest {
  return request.kind === 'http';
}
