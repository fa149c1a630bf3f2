/** One end of a call in the truth. */
export interface TruthParty {
  /** Empty for what is no pod. */
  readonly namespace: string;
  /** Owner of the pod, or `reserved:world`, `reserved:host` and the like; empty for a frame without addresses. */
  readonly workload: string;
  readonly kind: string;
  readonly pod: string;
  /** `cluster/node`; empty outside the cluster. */
  readonly node: string;
  readonly ip: string;
}

/**
 * Kinds of observation that the counting rules look at (design section 6). `established` counts nothing: it is a later
 * packet of a connection, and tells that its observation point reports the edge.
 */
export type CountedKind =
  'l7-response' | 'l7-denied' | 'connection' | 'established' | 'drop' | 'denied-verdict' | 'audit';

/** Observation points at which a connection can be counted, best first (hubble note 5.3). */
export const CONNECTION_POINTS = ['to-endpoint', 'to-stack', 'to-overlay', 'to-network'] as const;

/** One of {@link CONNECTION_POINTS}. */
export type ConnectionPoint = (typeof CONNECTION_POINTS)[number];

/** One countable record that a vantage point should have sent about a call, and whether it did. */
export interface ObservationLine {
  readonly kind: CountedKind;
  readonly side: 'client' | 'server';
  /** `cluster/node` that observes. */
  readonly node: string;
  /** By the clock of that node, ns since 1970. */
  readonly timeNs: bigint;
  /** `l7-response` only: latency as reported, ns; undefined = unknown. */
  readonly latencyNs?: bigint;
  /** `connection` and `established` only. */
  readonly point?: ConnectionPoint;
  /** True once the record was given out: not lost, and within the window of the run. */
  emitted: boolean;
}

/** A call as it was decided, before any flow of it existed. */
export interface CallRecord {
  /** Unique in the cluster's life: second and number. */
  readonly id: string;
  /** When the client started, by a perfect clock, ns since 1970. */
  readonly timeNs: bigint;
  readonly cluster: string;
  readonly client: TruthParty;
  readonly server: TruthParty;
  /** Service that the client dialled, `namespace/name`. */
  readonly service?: string;
  /** Port of the server's pod; 0 for ICMP. */
  readonly serverPort: number;
  readonly transport: 'TCP' | 'UDP' | 'ICMPv4' | 'ICMPv6' | 'SCTP';
  readonly protocol: 'http' | 'dns' | 'kafka' | 'none';
  readonly method?: string;
  /** Path with its query string. */
  readonly path?: string;
  /** Path without query string, variable parts as `{id}`. */
  readonly pathTemplate?: string;
  /** DNS name with its trailing dot. */
  readonly query?: string;
  readonly queryType?: string;
  readonly topic?: string;
  /** `METHOD template`, the DNS name without its trailing dot, or `api_key topic`. */
  readonly endpoint?: string;
  /** HTTP status; undefined when the call got no answer. */
  readonly status?: number;
  /** DNS response code or Kafka error code. */
  readonly code?: number;
  /** Request to response at the client, ns, by a perfect clock; undefined when nothing came back. */
  readonly latencyNs?: bigint;
  readonly denied?: {
    /** `packet` = dropped by the datapath, `request` = refused by a proxy. */
    readonly kind: 'packet' | 'request';
    /** DropReason number; 0 for a refused request. */
    readonly reason: number;
    readonly side: 'client' | 'server';
    /** Policy with an explicit deny; absent for default deny and for reasons that are no policy. */
    readonly policy?: string;
  };
  /** Passed only because the server's policy is in audit mode. */
  readonly audited: boolean;
  readonly newConnection: boolean;
  /** 1 for the first attempt; `retryOf` is the id of the one before. */
  readonly attempt: number;
  readonly retryOf?: string;
  readonly l7ReportedBy: 'none' | 'client' | 'server' | 'both';
  /** Flows that each record of this call stands for. */
  readonly weight: number;
  readonly traceId?: string;
  readonly observations: readonly ObservationLine[];
}
