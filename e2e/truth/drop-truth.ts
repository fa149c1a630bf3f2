import type { CallRecord, ObservationLine } from '@flowledger/simulator';
import { partyName } from './red-truth.js';
import { SECOND_NS, type Span } from './scenarios.js';

/** One record that counts: a drop event, or a verdict of audit mode. */
export interface Counted {
  readonly call: CallRecord;
  readonly line: ObservationLine;
}

/** What one group of drops must say. Times in ns since 1970. */
export interface DropTruth {
  readonly count: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Names of the reasons that the simulated cluster drops for, from Cilium's `flow.proto`. */
const REASONS: Readonly<Record<number, string>> = {
  132: 'INVALID_SOURCE_IP',
  133: 'POLICY_DENIED',
  139: 'UNSUPPORTED_L3_PROTOCOL',
  151: 'STALE_OR_UNROUTABLE_IP',
  155: 'CT_MAP_INSERTION_FAILED',
  158: 'SERVICE_BACKEND_NOT_FOUND',
  181: 'POLICY_DENY',
};
/** The policies that deny explicitly, as people write them. */
const POLICIES: Readonly<Record<string, string>> = {
  'deny-staging': 'CiliumNetworkPolicy production/deny-staging',
  'deny-metadata': 'CiliumNetworkPolicy shop/deny-metadata',
  'payments-lockdown': 'CiliumNetworkPolicy shop/payments-lockdown',
};
const STALE = 151;

/** Groupings that truth can be asked for. */
export const DROP_KEYS = {
  REASON: ({ call }: Counted) => [reasonOf(call)],
  WORKLOADS: ({ call }: Counted) => [partyName(call.client), partyName(call.server)],
  PLACE: ({ call, line }: Counted) => [bareNode(line.node), directionOf(call, line)],
  POLICY: (counted: Counted) => [policyOf(counted)],
  WHERE_TO: ({ call }: Counted) => [
    call.cluster,
    call.server.namespace === '' ? null : call.server.namespace,
    call.serverPort === 0 ? null : String(call.serverPort),
  ],
} as const;

/** `groupBy` of each key above. */
export const DROP_GROUPINGS: Readonly<Record<keyof typeof DROP_KEYS, readonly object[]>> = {
  REASON: [{ dimension: 'DROP_REASON' }],
  WORKLOADS: [
    { dimension: 'WORKLOAD', side: 'CLIENT' },
    { dimension: 'WORKLOAD', side: 'SERVER' },
  ],
  PLACE: [{ dimension: 'NODE' }, { dimension: 'DIRECTION' }],
  POLICY: [{ dimension: 'POLICY' }],
  WHERE_TO: [{ dimension: 'CLUSTER' }, { dimension: 'NAMESPACE', side: 'SERVER' }, { dimension: 'PORT' }],
};

function reasonOf(call: CallRecord): string {
  return REASONS[call.denied?.reason ?? 0] ?? '';
}

function bareNode(node: string): string {
  return node.slice(node.indexOf('/') + 1);
}

/** Whose side dropped it; the overlay program, which finds stale addresses, belongs to no endpoint. */
function directionOf(call: CallRecord, line: ObservationLine): string {
  if (call.denied?.reason === STALE) return 'TRAFFIC_DIRECTION_UNKNOWN';
  return line.side === 'server' ? 'INGRESS' : 'EGRESS';
}

/** The policy that an emitted policy verdict of the same packet names, at most a second away; null without one. */
function policyOf({ call, line }: Counted): string | null {
  const near = call.observations.some(
    (one) =>
      one.kind === 'denied-verdict' &&
      one.emitted &&
      one.node === line.node &&
      distance(one, line) <= SECOND_NS,
  );
  const name = call.denied?.policy;
  return near && name !== undefined ? (POLICIES[name] ?? name) : null;
}

function distance(a: ObservationLine, b: ObservationLine): bigint {
  return a.timeNs > b.timeNs ? a.timeNs - b.timeNs : b.timeNs - a.timeNs;
}

/** Every record of a kind that was sent within a window. */
export function countedIn(
  calls: readonly CallRecord[],
  window: Span,
  kind: ObservationLine['kind'],
): readonly Counted[] {
  return calls.flatMap((call) =>
    call.observations
      .filter(
        (line) =>
          line.kind === kind && line.emitted && line.timeNs >= window.fromNs && line.timeNs < window.toNs,
      )
      .map((line) => ({ call, line })),
  );
}

/** How many flows a list of records stands for. */
export function weightOf(counted: readonly Counted[]): number {
  return counted.reduce((sum, { call }) => sum + call.weight, 0);
}

/** Drops by a key of {@link DROP_KEYS}; keys as JSON texts. */
export function dropGroups(
  drops: readonly Counted[],
  by: keyof typeof DROP_KEYS,
): ReadonlyMap<string, DropTruth> {
  const groups = new Map<string, DropTruth>();
  for (const drop of drops) {
    const key = JSON.stringify(DROP_KEYS[by](drop));
    const known = groups.get(key);
    const { timeNs } = drop.line;
    groups.set(key, {
      count: (known?.count ?? 0) + drop.call.weight,
      firstNs: known === undefined || timeNs < known.firstNs ? timeNs : known.firstNs,
      lastNs: known === undefined || timeNs > known.lastNs ? timeNs : known.lastNs,
    });
  }
  return groups;
}
