import type { LiveEndpointHistory } from '../filter/endpoint-history.js';
import type { FlowRecord } from '../flows/flow-record.js';

/** A flow with the labels it carries, as predicates and streams need it; labels are as sent, sorted. */
export interface LabelledFlow {
  readonly flow: FlowRecord;
  readonly sourceLabels: readonly string[];
  readonly destinationLabels: readonly string[];
  readonly nodeLabels: readonly string[];
}

/** A fact of a flow and the values it must have one of. */
export interface FlowRequirement {
  /** One function for one fact, so that who has many predicates can ask once for all that require something of it. */
  readonly fact: (flow: LabelledFlow) => string | number;
  readonly values: ReadonlySet<string | number>;
}

/** Says whether a flow passes; compiled from the same filters as the SQL of the history. */
export interface FlowPredicate {
  (flow: LabelledFlow): boolean;
  /** What every flow fulfils that passes; absent where no one fact decides. */
  readonly requires?: FlowRequirement | undefined;
}

/**
 * A place in every partition of one log: the next offset to read, and how many events of the record there were
 * already delivered. History up to a cursor and the tail after it hold every flow exactly once.
 */
export interface LogCursor {
  readonly epoch: bigint;
  readonly partitions: readonly { readonly offset: bigint; readonly event: number }[];
}

/** Why a stream lacks flows. */
export type MissedReason = 'SLOW_CONSUMER' | 'RATE_CAP' | 'SOURCE_LOSS';

/** One step of a live stream, in log order within a partition. */
export type LiveStep =
  | { readonly kind: 'flows'; readonly flows: readonly LabelledFlow[]; readonly cursor: LogCursor }
  /** Everything that the log held when the stream began has been delivered; said once. */
  | { readonly kind: 'caught_up'; readonly atNs: bigint; readonly cursor: LogCursor }
  /** Flows that this reader did not get; `resume` asks for them again. Counted, never silent. */
  | {
      readonly kind: 'missed';
      readonly count: bigint;
      readonly reason: MissedReason;
      readonly fromNs: bigint;
      readonly toNs: bigint;
      readonly resume: LogCursor;
      /** LostEventSource number of a SOURCE_LOSS; absent where nobody knows. */
      readonly lossSource?: number;
    };

/** What a reader asks of the live tail. */
export interface TailRequest {
  /** First event to deliver; take it from {@link LiveFlows.loaded} to continue a history without gap or double. */
  readonly after: LogCursor;
  readonly matches: FlowPredicate;
  /** Bytes that may wait for a slow reader; beyond it flows are dropped and `missed` says how many. */
  readonly maxBufferedBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Flows as the log takes them, decoded once for all readers. Implemented by the live library and handed to the APIs
 * by the api process; duplicates that the loader would not store are not delivered.
 */
export interface LiveFlows {
  /** Where the tables end: everything before it can be queried, everything after it comes from `tail`. */
  loaded(): Promise<LogCursor>;
  /** Ends when `signal` aborts; throws LOG_UNAVAILABLE (retry) when the log cannot be read. */
  tail(request: TailRequest): AsyncIterable<LiveStep>;
}

/** The live tail as the api process opens it: it also knows where the log ends. */
export interface OpenLiveFlows extends LiveFlows {
  /** Where the log ends now: a tail from here gives only what comes. */
  end(): Promise<LogCursor>;
  /** What predicates with `matchInferred` ask; undefined where live flows only match as sent. */
  readonly endpoints?: LiveEndpointHistory | undefined;
}
