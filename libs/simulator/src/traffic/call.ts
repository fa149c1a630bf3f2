import type { Observation } from '../observe/observation.js';
import type { Service } from '../topology/cluster.js';
import type { Party } from '../topology/party.js';
import type { Edge } from './edge.js';

/** What an HTTP client asks. */
export interface HttpRequest {
  readonly kind: 'http';
  readonly method: string;
  /** Path with its query string. */
  readonly target: string;
  /** Path with its variable parts as `{id}`, without query string. */
  readonly template: string;
}

/** What a resolver is asked, and what it will answer. */
export interface DnsQuestion {
  readonly kind: 'dns';
  /** With its trailing dot. */
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  readonly rcode: number;
  readonly ips: readonly string[];
  /** Canonical names on the way to the address, with their trailing dots. */
  readonly cnames: readonly string[];
  readonly ttl: number;
}

/** What a Kafka client asks. */
export interface KafkaRequest {
  readonly kind: 'kafka';
  readonly apiKey: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly topic: string;
}

export type Request = HttpRequest | DnsQuestion | KafkaRequest;

/** Why a call never reached its server. */
export interface Denial {
  /** `packet`: the datapath dropped it (`reason`); `request`: a proxy refused it (no reason, hubble note 1.6). */
  readonly kind: 'packet' | 'request';
  /** DropReason number; 0 for a refused request. */
  readonly reason: number;
  /** Whose node enforced it. */
  readonly side: 'client' | 'server';
  /** Name of the policy that denied explicitly; a default deny has none. */
  readonly policy?: string;
  /** True when a policy-verdict event precedes each drop event. */
  readonly byPolicy: boolean;
}

/**
 * One call as it was decided: everything that happens is in here before the first flow exists. Times are ns from the
 * start of second {@link slot}, by a perfect clock.
 */
export class Call {
  /** Earlier call that this one repeats. */
  retryOf: Call | undefined;
  attempt = 1;
  service: Service | undefined;
  clientPort = 0;
  /** Source port of the proxy's own connection to the server (egress proxy, ingress proxy); 0 without a proxy. */
  egressProxyPort = 0;
  ingressProxyPort = 0;
  newConnection = false;
  /** The connection is closed after the answer. */
  closes = false;
  /** The answer is a reset. */
  resets = false;
  /** The socket load balancer's events of this call are reported. */
  translated = false;
  /** The outer packet of the first packet is reported, too. */
  tunnelSeen = false;
  /** The server's ingress policy is in audit mode and lets this connection pass. */
  audited = false;
  /** Policies that allow a new connection at either end; empty = no policy selects that end for the direction. */
  egressPolicy = '';
  ingressPolicy = '';
  denial: Denial | undefined;
  /** Times of the connection attempts that were dropped. */
  readonly dropTimes: number[] = [];
  clientRequestNs = 0;
  serverRequestNs = 0;
  serverResponseNs = 0;
  clientResponseNs = 0;
  /** Nothing came back. */
  unanswered = false;
  /** HTTP status, DNS rcode or Kafka error code of the answer. */
  status = 0;
  /** Latency as each side's proxy knows it, ns; 0 = unknown. */
  clientLatencyNs = 0;
  serverLatencyNs = 0;
  /** Number of flows that each record of this call stands for. */
  weight = 1;
  /** W3C trace id; empty when the call is not traced. */
  traceId = '';
  /** X-Request-Id; empty when the client sends none. */
  requestId = '';
  /** What vantage points see of it, in the order in which it was worked out. */
  observations: Observation[] = [];

  constructor(
    readonly slot: number,
    readonly index: number,
    readonly edge: Edge,
    readonly client: Party,
    public server: Party,
    readonly request: Request | undefined,
    /** When the client sends the first packet. */
    public startNs: number,
  ) {}

  /** True when a proxy at the client's egress is in the path. */
  get egressProxied(): boolean {
    return this.edge.reportedBy === 'client' || this.edge.reportedBy === 'both';
  }

  /** True when a proxy at the server's ingress is in the path. */
  get ingressProxied(): boolean {
    return this.edge.reportedBy === 'server' || this.edge.reportedBy === 'both';
  }
}
