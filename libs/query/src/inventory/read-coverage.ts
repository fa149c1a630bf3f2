import { MINUTE_NS } from '../window.js';
import type { Window } from '../window.js';
import type { CoveragePlan } from './plan-coverage.js';

/** Losses of one node in one minute, and of all of them together. */
export interface LostRow {
  readonly cluster: string;
  readonly node: string;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly lost: string;
  readonly lost_total: string;
}

/** A change of a node's state; `type` is a relay.NodeState number. */
export interface StatusRow {
  readonly node_cluster: string;
  readonly node_name: string;
  readonly at_ns: string;
  readonly type: number;
  /** 1 when it was our source that could not read the node, not the relay. */
  readonly ours: number;
}

/** How far the kept flows reach; null where there are none. */
export interface ExtentRow {
  readonly oldest_s: number | string | null;
  /** 0 without live nodes. */
  readonly live_ns: string | null;
  readonly newest_ns: string | null;
  readonly nodes_reporting: string | null;
  readonly open_repairs: string | null;
}

/** Sums of the ledger for one log epoch and partition. */
export interface LedgerRow {
  readonly _le: string;
  readonly _lp: number;
  readonly event_count: string;
  readonly flow_count: string;
  readonly other_count: string;
  readonly duplicate_count: string;
  readonly dead_count: string;
  readonly skipped_count: string;
  readonly first_offset: string;
  readonly last_offset: string;
}

/** Why a stretch of time is not fully covered. */
export type GapCause =
  | 'NODE_UNAVAILABLE'
  | 'RING_BUFFER_LOST'
  | 'SOURCE_DISCONNECTED'
  | 'FILE_ROTATED'
  | 'LOG_TRUNCATED'
  | 'EXPIRED'
  | 'NOT_VISIBLE_TO_YOU';

/** A stretch of a window that is not fully covered. */
export interface Gap extends Window {
  /** Empty when the whole window is meant. */
  readonly cluster: string;
  readonly node: string | null;
  readonly cause: GapCause;
  /** Events lost, when somebody counted. */
  readonly lost: bigint | null;
}

/** What the store knows about the coverage of a window; the log's side (`unaccounted`) is the caller's. */
export interface CoverageFacts {
  readonly window: Window;
  readonly gaps: readonly Gap[];
  /** Stops at 2^53 - 1. */
  readonly eventsLostUpstream: bigint;
  /**
   * Every live node has delivered up to here: the least of the newest flows of the nodes that are at most five minutes
   * behind their cluster. The newest flow of all when no node sent in the last 15 minutes.
   */
  readonly watermarkNs: bigint | null;
  readonly oldestKeptNs: bigint | null;
  readonly nodesReporting: number;
  /**
   * Nodes that the source spoke of and that had not left before the window, and those that were asked about; null when it
   * never spoke of nodes.
   */
  readonly nodesExpected: number | null;
  readonly repairing: boolean;
  readonly ledger: readonly LedgerRow[];
}

const CONNECTED = 1;
const GONE = 3;
/** Unavailable, gone, error. */
const DOWN: readonly number[] = [2, GONE, 4];
/** The largest count that JSON keeps exactly. */
const MOST = 2n ** 53n - 1n;

function capped(count: bigint): bigint {
  return count > MOST ? MOST : count;
}

/** Losses within the window; those less than a minute apart are one gap. */
function lostGaps(rows: readonly LostRow[], window: Window): readonly Gap[] {
  const gaps: Gap[] = [];
  const open = new Map<string, number>();
  const clipped = rows.map((row) => {
    const [first, last] = [BigInt(row.first_ns), BigInt(row.last_ns) + 1n];
    const fromNs = first > window.fromNs ? first : window.fromNs;
    const toNs = last < window.toNs ? last : window.toNs;
    return { ...row, fromNs, toNs: toNs > fromNs ? toNs : fromNs + 1n };
  });
  for (const row of clipped.toSorted((a, b) => (a.fromNs < b.fromNs ? -1 : 1))) {
    const { cluster, node, fromNs, toNs } = row;
    const lost = BigInt(row.lost);
    const at = open.get(`${cluster}/${node}`);
    const last = at === undefined ? undefined : gaps[at];
    if (at !== undefined && last !== undefined && fromNs - last.toNs <= MINUTE_NS) {
      const end = toNs > last.toNs ? toNs : last.toNs;
      gaps[at] = { ...last, toNs: end, lost: capped((last.lost ?? 0n) + lost) };
    } else {
      open.set(`${cluster}/${node}`, gaps.length);
      gaps.push({ fromNs, toNs, cluster, node, cause: 'RING_BUFFER_LOST', lost });
    }
  }
  return gaps;
}

/**
 * Times in which nodes could not be reached, up to when they were connected again. A node that left before the window
 * is not expected, and its absence is no gap.
 */
function statusGaps(
  rows: readonly StatusRow[],
  window: Window,
): { gaps: readonly Gap[]; expected: ReadonlySet<string> } {
  const gaps: Gap[] = [];
  const expected = new Set<string>();
  const down = new Map<string, { since: bigint; row: StatusRow }>();
  const close = (key: string, toNs: bigint): void => {
    const open = down.get(key);
    down.delete(key);
    const fromNs = open !== undefined && open.since > window.fromNs ? open.since : window.fromNs;
    if (open === undefined || fromNs >= toNs) return;
    const { node_cluster: cluster, node_name: node } = open.row;
    const cause = Number(open.row.ours) === 1 ? 'SOURCE_DISCONNECTED' : 'NODE_UNAVAILABLE';
    gaps.push({ fromNs, toNs, cluster, node, cause, lost: null });
  };
  for (const row of rows) {
    const at = BigInt(row.at_ns);
    const key = `${row.node_cluster}/${row.node_name}`;
    if (row.type === CONNECTED) close(key, at);
    else if (row.type === GONE && at < window.fromNs) down.delete(key);
    else if (DOWN.includes(row.type) && !down.has(key)) down.set(key, { since: at, row });
    if (row.type === GONE && at < window.fromNs) expected.delete(key);
    else expected.add(key);
  }
  for (const key of down.keys()) close(key, window.toNs);
  return { gaps, expected };
}

/** The window begins before the oldest kept minute: because flows expired, or because nobody recorded yet. */
function earlyGap(planned: CoveragePlan, oldestKeptNs: bigint | null): readonly Gap[] {
  const { window, nowNs, rawRetentionNs } = planned;
  if (oldestKeptNs === null || window.fromNs + MINUTE_NS >= oldestKeptNs) return [];
  const toNs = oldestKeptNs < window.toNs ? oldestKeptNs : window.toNs;
  const expired = window.fromNs < nowNs - rawRetentionNs;
  const cause = expired ? 'EXPIRED' : 'SOURCE_DISCONNECTED';
  return [{ fromNs: window.fromNs, toNs, cluster: '', node: null, cause, lost: null }];
}

/** Rows of the four statements of a coverage plan. */
export interface CoverageRows {
  readonly lost: readonly LostRow[];
  readonly status: readonly StatusRow[];
  readonly extent: readonly ExtentRow[];
  readonly ledger: readonly LedgerRow[];
}

/** Reads what the store knows about the coverage of a window. */
export function readCoverage(rows: CoverageRows, planned: CoveragePlan): CoverageFacts {
  const { window } = planned;
  const extent = rows.extent[0];
  const oldest = Number(extent?.oldest_s ?? 0);
  const live = BigInt(extent?.live_ns ?? '0');
  const watermark = live === 0n ? BigInt(extent?.newest_ns ?? '0') : live;
  const oldestKeptNs = oldest === 0 ? null : BigInt(oldest) * 1_000_000_000n;
  const { gaps, expected: spokenOf } = statusGaps(rows.status, window);
  const expected = new Set([...spokenOf, ...(planned.nodes ?? [])]);
  return {
    window,
    gaps: [...earlyGap(planned, oldestKeptNs), ...lostGaps(rows.lost, window), ...gaps].toSorted((a, b) =>
      a.fromNs < b.fromNs ? -1 : 1,
    ),
    eventsLostUpstream: BigInt(rows.lost[0]?.lost_total ?? '0'),
    watermarkNs: watermark === 0n ? null : watermark,
    oldestKeptNs,
    nodesReporting: Number(extent?.nodes_reporting ?? 0),
    nodesExpected: expected.size === 0 ? null : expected.size,
    repairing: (extent?.open_repairs ?? '0') !== '0',
    ledger: rows.ledger,
  };
}

/** How far a window's answers may be believed. */
export type CoverageStatus = 'COMPLETE' | 'PARTIAL' | 'OUTSIDE_RETENTION' | 'NO_SOURCE' | 'STILL_ARRIVING';

/** Why the whole window is empty, when one gap covers it. */
function emptyBecause(facts: CoverageFacts): GapCause | undefined {
  const { fromNs, toNs } = facts.window;
  return facts.gaps.find((gap) => gap.node === null && gap.fromNs <= fromNs && gap.toNs >= toNs)?.cause;
}

/**
 * One word for the coverage of a window. `pending` = events in the log that should be in the tables by now. A window
 * that is wholly older than what is kept is OUTSIDE_RETENTION; one before the first recorded flow, or without any, had
 * NO_SOURCE; pending events make a window that reaches past the watermark STILL_ARRIVING; gaps make it PARTIAL, and so
 * does a repair, which may change its numbers.
 */
export function coverageStatus(facts: CoverageFacts, pending: bigint): CoverageStatus {
  const cause = emptyBecause(facts);
  if (cause === 'EXPIRED') return 'OUTSIDE_RETENTION';
  if (facts.oldestKeptNs === null || cause === 'SOURCE_DISCONNECTED') return 'NO_SOURCE';
  if (pending > 0n && (facts.watermarkNs === null || facts.window.toNs > facts.watermarkNs))
    return 'STILL_ARRIVING';
  return facts.gaps.length > 0 || facts.repairing || pending > 0n ? 'PARTIAL' : 'COMPLETE';
}
