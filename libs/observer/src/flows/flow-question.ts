import { status } from '@grpc/grpc-js';
import {
  compilePredicate,
  flowFiltersFromProto,
  type EndpointHistory,
  type FlowFilters,
  type FlowPredicate,
  type QueryContext,
  type Window,
} from '@flowledger/query';
import { granted, GrpcError } from '../server/grpc-errors.js';
import { flowMask, type FlowMask } from '../wire/field-mask.js';
import type { GetEventsRequest, GetFlowsRequest } from '../wire/requests.js';

const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;
/** Numbers from here on mean "all": the CLI sends 2^64 - 1 for `--all`. */
const ALL = 1n << 53n;

/** Which events of the store, and in which manner. */
export interface EventRange {
  readonly window: Window;
  /** Earliest first from the start of the window; else the last `limit` of it, ascending. */
  readonly fromStart: boolean;
  /** Undefined = no limit. */
  readonly limit: bigint | undefined;
  /** Part of what was asked for lies before what is kept. */
  readonly cutByRetention: boolean;
  /** Nothing of the past was asked for: a follow that starts now. */
  readonly onlyNew: boolean;
}

/** A decoded and judged GetFlows call. */
export interface FlowQuestion extends EventRange {
  readonly filters: FlowFilters;
  readonly matches: FlowPredicate;
  /** What a live tail matches by: inferred names too where the filters do and the endpoint history is at hand. */
  readonly follows: FlowPredicate;
  /** Inferred names match too, so that {@link matches} is narrower than `filters`. */
  readonly matchInferred: boolean;
  readonly follow: boolean;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly mask: FlowMask | undefined;
}

/** Judges a request as hubble note 2.2 says. Throws InvalidArgument naming the field, OutOfRange outside retention. */
export function flowQuestion(
  request: GetFlowsRequest,
  context: QueryContext,
  matchInferred: boolean,
  history?: EndpointHistory,
): FlowQuestion {
  const sent = granted(flowFiltersFromProto(request.whitelist, request.blacklist));
  const matches = granted(compilePredicate(sent));
  const filters = matchInferred ? inferredToo(sent) : sent;
  const range = eventRange(request, context, context.retention.rawNs);
  return {
    ...range,
    filters,
    matches,
    follows: history === undefined ? matches : granted(compilePredicate(filters, { history })),
    matchInferred,
    follow: request.follow,
    sinceNs: request.sinceNs,
    untilNs: request.untilNs,
    mask: flowMask(request.fieldMask),
  };
}

/** Which part of the store a request reads; `keptNs` is how long its table keeps rows. */
export function eventRange(request: GetEventsRequest, context: QueryContext, keptNs: bigint): EventRange {
  const { first, follow, sinceNs, untilNs } = request;
  if (first && follow) throw invalid('first', 'cannot be combined with follow');
  if (sinceNs !== undefined && untilNs !== undefined && sinceNs > untilNs)
    throw invalid('since', 'must not be later than until');
  const latestNs = context.nowNs + HOUR_NS;
  if (sinceNs !== undefined && sinceNs >= latestNs && !follow)
    throw invalid('since', 'lies in the future; is the clock of this machine right?');
  const oldestNs = context.nowNs - keptNs - DAY_NS;
  const toNs = untilNs === undefined || untilNs >= latestNs ? latestNs : untilNs + 1n;
  if (toNs <= oldestNs)
    throw new GrpcError(
      status.OUT_OF_RANGE,
      `until: nothing is kept from before ${isoTime(oldestNs)} (retention.rawDays)`,
    );
  const fromNs = sinceNs === undefined || sinceNs < oldestNs ? oldestNs : sinceNs;
  const number = request.number >= ALL || request.number === 0n ? undefined : request.number;
  return {
    window: { fromNs: fromNs >= toNs ? toNs - 1n : fromNs, toNs },
    fromStart: first || sinceNs !== undefined || number === undefined,
    limit: follow && sinceNs !== undefined ? undefined : number,
    cutByRetention: sinceNs !== undefined && sinceNs < oldestNs,
    onlyNew: follow && request.number === 0n && sinceNs === undefined,
  };
}

/** RFC 3339 text of a time in seconds. */
export function isoTime(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString().replace(/\.\d+Z$/, 'Z');
}

function invalid(field: string, hint: string): GrpcError {
  return new GrpcError(status.INVALID_ARGUMENT, `${field}: ${hint}`);
}

function inferredToo(filters: FlowFilters): FlowFilters {
  const all = (list: FlowFilters['allow']) => (list ?? []).map((each) => ({ ...each, matchInferred: true }));
  return { allow: all(filters.allow), deny: filters.deny ?? [] };
}
