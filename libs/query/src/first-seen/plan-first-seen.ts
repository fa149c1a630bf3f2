import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, DAY_NS, floorTo, MINUTE_NS, rawRange, resolveWindow, rollupRange } from '../window.js';
import type { Window, WindowRequest } from '../window.js';

const EDGES = new SqlTemplate('first-seen-edges');
const REASONS = new SqlTemplate('first-seen-reasons');
const DESTINATIONS = new SqlTemplate('first-seen-destinations');
const HISTORY = new SqlTemplate('first-seen-history');

const DEFAULT_HISTORY_NS = 30n * DAY_NS;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** What can be new. */
export type FirstSeenKind = 'EDGE' | 'DROP_REASON' | 'EXTERNAL_DESTINATION';

/** Every kind. */
export const FIRST_SEEN_KINDS: readonly FirstSeenKind[] = ['EDGE', 'DROP_REASON', 'EXTERNAL_DESTINATION'];

/** What is new in a window, compared with the history before it. */
export interface FirstSeenRequest {
  readonly window?: WindowRequest | null;
  /** How far back the history goes, ns; 30 days when absent. */
  readonly historyNs?: bigint | null;
  /** All when absent. */
  readonly kinds?: readonly FirstSeenKind[] | null;
  readonly cluster?: string | null;
  /** Of the client or the server. */
  readonly namespace?: string | null;
  /** Of each kind; 100 when absent. */
  readonly limit?: number | null;
}

/** The statements of a question; they are independent of each other. */
export interface FirstSeenPlan {
  readonly window: Window;
  /** What the rollups are compared with. */
  readonly history: Window;
  /** What single flows are compared with: they are kept for a shorter time. */
  readonly rawHistory: Window;
  readonly plans: readonly { readonly kind: FirstSeenKind; readonly plan: QueryPlan }[];
  /** When the history really begins. */
  readonly begins: QueryPlan;
  readonly limit: number;
}

interface Question {
  readonly window: Window;
  readonly history: Window;
  readonly rawHistory: Window;
  readonly limit: number;
  readonly request: FirstSeenRequest;
}

function whereOf({ cluster, namespace }: FirstSeenRequest, binder: ParamBinder): string {
  const conditions: string[] = [];
  if (typeof cluster === 'string') conditions.push(`cluster = ${binder.bind('String', cluster)}`);
  if (typeof namespace === 'string') {
    const value = binder.bind('String', namespace);
    conditions.push(`(client_namespace = ${value} OR server_namespace = ${value})`);
  }
  return conditions.join(' AND ') || 'true';
}

/** Whole minutes around a span: rollups hold no others. */
function minutes({ fromNs, toNs }: Window): Window {
  return { fromNs: floorTo(fromNs, MINUTE_NS), toNs: ceilTo(toNs, MINUTE_NS) };
}

function planOf(kind: FirstSeenKind, question: Question, context: QueryContext): QueryPlan {
  const { window, history, rawHistory, limit, request } = question;
  const template = { EDGE: EDGES, DROP_REASON: REASONS, EXTERNAL_DESTINATION: DESTINATIONS }[kind];
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('from', window.fromNs);
  binder.name('to', window.toNs);
  binder.name('limit', limit);
  const raw = kind === 'EXTERNAL_DESTINATION';
  const span = { fromNs: raw ? rawHistory.fromNs : history.fromNs, toNs: window.toNs };
  const sql = template.fill({
    range: raw ? rawRange(span, binder) : rollupRange(minutes(span), binder),
    where: whereOf(request, binder),
  });
  return { name: template.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, limit) };
}

function planBegins({ history, request }: Question, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  const where =
    typeof request.cluster === 'string' ? `cluster = ${binder.bind('String', request.cluster)}` : 'true';
  const sql = HISTORY.fill({ range: rollupRange(minutes(history), binder), where });
  return { name: HISTORY.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, 1) };
}

/**
 * Plans what was seen in a window and never in the history before it. Edges and drop reasons come from the minute rollups,
 * destinations from single flows, so their history is no longer than those are kept. Refuses BAD_WINDOW, WINDOW_TOO_WIDE
 * and TOO_COSTLY (more than 1,000 of a kind).
 */
export function planFirstSeen(request: FirstSeenRequest, context: QueryContext): Result<FirstSeenPlan> {
  const window = resolveWindow(request.window, context);
  if (!window.ok) return window;
  const limit = request.limit ?? DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    return refuse('TOO_COSTLY', 'limit', `from 1 to ${MAX_LIMIT} of each kind`);
  const historyNs = request.historyNs ?? DEFAULT_HISTORY_NS;
  if (historyNs <= 0n) return refuse('BAD_WINDOW', 'history', 'a duration above zero');
  const { fromNs } = window.value;
  const since = (keptNs: bigint): Window => {
    const oldest = context.nowNs - keptNs;
    const begin = fromNs - historyNs > oldest ? fromNs - historyNs : oldest;
    return { fromNs: begin < 0n ? 0n : begin < fromNs ? begin : fromNs, toNs: fromNs };
  };
  const history = since(context.retention.minuteNs);
  const rawHistory = since(context.retention.rawNs);
  const asked: Question = { window: window.value, history, rawHistory, limit, request };
  const kinds = request.kinds ?? FIRST_SEEN_KINDS;
  return done({
    window: window.value,
    history,
    rawHistory,
    plans: [...new Set(kinds)].map((kind) => ({ kind, plan: planOf(kind, asked, context) })),
    begins: planBegins(asked, context),
    limit,
  });
}
