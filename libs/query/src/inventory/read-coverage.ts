import { MINUTE_NS } from '../window.js';
import type { Window } from '../window.js';
import type { CoveragePlan } from './plan-coverage.js';

/** Losses of one node in one minute. */
export interface LostRow {
  readonly cluster: string;
  readonly node: string;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly lost: string;
}

/** One node status event; `type` is a relay.NodeState number. */
export interface StatusRow {
  readonly cluster: string;
  readonly at_ns: string;
  readonly type: number;
  readonly nodes: readonly string[];
}

/** How far the kept flows reach; null where there are none. */
export interface ExtentRow {
  readonly oldest_s: number | string | null;
  readonly watermark_ns: string | null;
  readonly nodes_reporting: string | null;
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
  readonly open_repairs: string;
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
  readonly eventsLostUpstream: bigint;
  readonly watermarkNs: bigint | null;
  readonly oldestKeptNs: bigint | null;
  readonly nodesReporting: number;
  /** Nodes that the source said were connected and did not take back; null when it never said. */
  readonly nodesExpected: number | null;
  readonly repairing: boolean;
  readonly ledger: readonly LedgerRow[];
}

const CONNECTED = 1;
const UNAVAILABLE = 2;
const GONE = 3;
const FAILED = 4;

function lostGaps(rows: readonly LostRow[]): readonly Gap[] {
  const gaps: Gap[] = [];
  const open = new Map<string, number>();
  for (const row of rows) {
    const key = `${row.cluster}/${row.node}`;
    const [fromNs, toNs, lost] = [BigInt(row.first_ns), BigInt(row.last_ns) + 1n, BigInt(row.lost)];
    const at = open.get(key);
    const last = at === undefined ? undefined : gaps[at];
    if (at !== undefined && last !== undefined && fromNs - last.toNs <= MINUTE_NS) {
      const end = toNs > last.toNs ? toNs : last.toNs;
      gaps[at] = { ...last, toNs: end, lost: (last.lost ?? 0n) + lost };
    } else {
      open.set(key, gaps.length);
      gaps.push({ fromNs, toNs, cluster: row.cluster, node: row.node, cause: 'RING_BUFFER_LOST', lost });
    }
  }
  return gaps;
}

function statusGaps(rows: readonly StatusRow[], window: Window): { gaps: Gap[]; connected: Set<string> } {
  const gaps: Gap[] = [];
  const connected = new Set<string>();
  const down = new Map<string, { since: bigint; cluster: string; node: string }>();
  const close = (key: string, toNs: bigint): void => {
    const open = down.get(key);
    down.delete(key);
    const fromNs = open !== undefined && open.since > window.fromNs ? open.since : window.fromNs;
    if (open !== undefined && fromNs < toNs)
      gaps.push({
        fromNs,
        toNs,
        cluster: open.cluster,
        node: open.node,
        cause: 'NODE_UNAVAILABLE',
        lost: null,
      });
  };
  for (const row of rows) {
    const at = BigInt(row.at_ns);
    for (const node of row.nodes) {
      const key = `${row.cluster}\n${node}`;
      if (row.type === CONNECTED) connected.add(key);
      if (row.type === GONE) connected.delete(key);
      if (row.type === CONNECTED || row.type === GONE) close(key, at);
      const failed = row.type === UNAVAILABLE || row.type === FAILED;
      if (failed && !down.has(key)) down.set(key, { since: at, cluster: row.cluster, node });
    }
  }
  for (const key of down.keys()) close(key, window.toNs);
  return { gaps, connected };
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
  const watermark = BigInt(extent?.watermark_ns ?? '0');
  const oldestKeptNs = oldest === 0 ? null : BigInt(oldest) * 1_000_000_000n;
  const { gaps, connected } = statusGaps(rows.status, window);
  return {
    window,
    gaps: [...earlyGap(planned, oldestKeptNs), ...lostGaps(rows.lost), ...gaps].toSorted((a, b) =>
      a.fromNs < b.fromNs ? -1 : 1,
    ),
    eventsLostUpstream: rows.lost.reduce((sum, row) => sum + BigInt(row.lost), 0n),
    watermarkNs: watermark === 0n ? null : watermark,
    oldestKeptNs,
    nodesReporting: Number(extent?.nodes_reporting ?? 0),
    nodesExpected: connected.size === 0 ? null : connected.size,
    repairing: rows.ledger.some((row) => row.open_repairs !== '0'),
    ledger: rows.ledger,
  };
}

/** How far a window's answers may be believed. */
export type CoverageStatus = 'COMPLETE' | 'PARTIAL' | 'OUTSIDE_RETENTION' | 'NO_SOURCE' | 'STILL_ARRIVING';

/**
 * One word for the coverage of a window. `pending` = events in the log that are not in the tables yet. Nothing kept at
 * all is NO_SOURCE; a window wholly before the oldest kept flow is OUTSIDE_RETENTION; pending events make a window that
 * reaches past the watermark STILL_ARRIVING; gaps make it PARTIAL.
 */
export function coverageStatus(facts: CoverageFacts, pending: bigint): CoverageStatus {
  if (facts.oldestKeptNs === null) return 'NO_SOURCE';
  if (facts.window.toNs <= facts.oldestKeptNs) return 'OUTSIDE_RETENTION';
  if (pending > 0n && (facts.watermarkNs === null || facts.window.toNs > facts.watermarkNs))
    return 'STILL_ARRIVING';
  return facts.gaps.length > 0 || pending > 0n ? 'PARTIAL' : 'COMPLETE';
}
