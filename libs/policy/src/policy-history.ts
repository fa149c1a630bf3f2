import { POD_NAMESPACE } from './endpoint-view.js';
import { policyTitle, type DirectionRules, type Policy, type PolicyName, type Problem } from './policy.js';

/** Policies that were in force together, as a file or a dump of a cluster has them. */
export interface PolicySnapshot {
  /** Where it was read, for people. */
  readonly origin: string;
  /** Since when it was so, ns since 1970; null when nothing says. */
  readonly validFromNs: bigint | null;
  /** Cluster that it is about; '' = every cluster. */
  readonly cluster: string;
  readonly policies: readonly Policy[];
  readonly problems: readonly Problem[];
}

/** What agents reported about one policy: the last change or deletion in the time asked about. */
export interface PolicyChange {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** The policies of a cluster at one moment, as far as they are known. */
export interface PoliciesAsOf {
  readonly policies: readonly Policy[];
  /** False when nothing is stored: every judgement would be about an empty set. */
  readonly known: boolean;
  /** Since when the stored state was valid, ns; null when nothing says. */
  readonly validFromNs: bigint | null;
  readonly origins: readonly string[];
  /** What keeps it from being certain, in words. */
  readonly doubts: readonly string[];
}

/** A report may reach us a little after the dump that has the change already. */
const SETTLING_NS = 10_000_000_000n;

const NOTHING: PoliciesAsOf = { policies: [], known: false, validFromNs: null, origins: [], doubts: [] };

interface Chosen {
  readonly snapshots: readonly PolicySnapshot[];
  readonly validFromNs: bigint | null;
  /** The snapshot is of a later time than the moment. */
  readonly later: boolean;
}

/** The last state that began at or before the moment; else the one that says no time; else the first, which is later. */
function choose(snapshots: readonly PolicySnapshot[], atNs: bigint): Chosen {
  const times = snapshots.map((one) => one.validFromNs).filter((time) => time !== null);
  const before = times.filter((time) => time <= atNs);
  const untimed = snapshots.filter((one) => one.validFromNs === null);
  if (before.length === 0 && untimed.length > 0)
    return { snapshots: untimed, validFromNs: null, later: false };
  const pick = (list: readonly bigint[], better: (a: bigint, b: bigint) => boolean): bigint | undefined =>
    list.length === 0 ? undefined : list.reduce((a, b) => (better(a, b) ? a : b));
  const time = pick(before, (a, b) => a > b) ?? pick(times, (a, b) => a < b);
  if (time === undefined) return { snapshots: [], validFromNs: null, later: false };
  return {
    snapshots: snapshots.filter((one) => one.validFromNs === time),
    validFromNs: time,
    later: time > atNs,
  };
}

/** The span of reports that matter to what is known of a moment; null when none do. */
export function changesSpan(
  snapshots: readonly PolicySnapshot[],
  cluster: string,
  atNs: bigint,
  nowNs: bigint,
): { readonly fromNs: bigint; readonly toNs: bigint } | null {
  const chosen = choose(ofCluster(snapshots, cluster), atNs);
  if (chosen.snapshots.length === 0) return null;
  // A file that says no time is of today: what changed since the moment makes it another state.
  if (chosen.validFromNs === null) return atNs < nowNs ? { fromNs: atNs, toNs: nowNs } : null;
  if (chosen.later) return { fromNs: atNs, toNs: chosen.validFromNs };
  const fromNs = chosen.validFromNs + SETTLING_NS;
  return fromNs < atNs ? { fromNs, toNs: atNs + 1n } : null;
}

function ofCluster(snapshots: readonly PolicySnapshot[], cluster: string): readonly PolicySnapshot[] {
  return snapshots.filter((one) => one.cluster === '' || one.cluster === cluster);
}

function isAbout(change: PolicyChange, policy: PolicyName): boolean {
  const kinds = change.kind === '' || change.kind === policy.kind;
  return kinds && change.namespace === policy.namespace && change.name === policy.name;
}

function timeText(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}

/** A policy that was in force although nobody stored its object: nothing about its namespace is certain. */
function unseen(change: PolicyChange, doubt: string): Policy {
  const entry = { path: 'spec', peers: null, ports: null, icmps: null, doubts: [] };
  const rules: DirectionRules = { defaultDeny: true, allow: [entry], deny: [entry] };
  const inNamespace = {
    source: 'k8s',
    key: POD_NAMESPACE,
    operator: 'In' as const,
    values: [change.namespace],
  };
  const requirements = change.namespace === '' ? [] : [inNamespace];
  return {
    kind: change.namespace === '' ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
    namespace: change.namespace,
    name: change.name,
    createdNs: null,
    rules: [{ subject: { requirements }, aboutNodes: false, ingress: rules, egress: rules, doubts: [] }],
    doubt,
    object: {},
  };
}

function changeText(change: PolicyChange, when: string): string {
  const name = change.namespace === '' ? change.name : `${change.namespace}/${change.name}`;
  return `agents reported policy ${name} as ${change.deleted ? 'deleted' : 'changed'} at ${timeText(change.lastNs)}, ${when}`;
}

function lastOf(changes: readonly PolicyChange[], policy: PolicyName): PolicyChange | undefined {
  return changes
    .filter((change) => isAbout(change, policy))
    .toSorted((a, b) => (a.lastNs > b.lastNs ? -1 : 1))[0];
}

/**
 * The policies of a cluster as of a moment: the stored state of that time, without what was created later. What agents
 * reported between the stored state and the moment makes the policies concerned doubtful, deletions take them out, and
 * policies that nobody stored make their namespace doubtful. `changes` are those of {@link changesSpan}.
 */
export function policiesAsOf(
  snapshots: readonly PolicySnapshot[],
  cluster: string,
  atNs: bigint,
  changes: readonly PolicyChange[],
): PoliciesAsOf {
  const chosen = choose(ofCluster(snapshots, cluster), atNs);
  if (chosen.snapshots.length === 0) return NOTHING;
  const forward = chosen.validFromNs !== null && !chosen.later;
  const when = forward ? 'after the stored state' : 'after this flow';
  const stored = chosen.snapshots
    .flatMap((one) => one.policies)
    .filter((policy) => policy.createdNs === null || policy.createdNs <= atNs);
  const later = chosen.later
    ? `the policies are stored as of ${timeText(chosen.validFromNs ?? 0n)}, after this flow`
    : null;
  const kept = stored.flatMap((policy): readonly Policy[] => {
    const change = lastOf(changes, policy);
    if (change === undefined) return [{ ...policy, doubt: later }];
    if (forward && change.deleted) return [];
    return [{ ...policy, doubt: changeText(change, when) }];
  });
  const strangers = changes.filter(
    (change) =>
      (forward ? !change.deleted : change.deleted) && !stored.some((policy) => isAbout(change, policy)),
  );
  const unknown = strangers.map((change) =>
    unseen(change, `${changeText(change, when)}; its object is not stored`),
  );
  const policies = [...kept, ...unknown];
  const gone = stored.filter((policy) => !kept.some((one) => policyTitle(one) === policyTitle(policy)));
  return {
    policies,
    known: true,
    validFromNs: chosen.validFromNs,
    origins: [...new Set(chosen.snapshots.map((one) => one.origin))],
    doubts: [
      ...new Set(policies.map((one) => one.doubt).filter((doubt) => doubt !== null)),
      ...gone.map((policy) => `${policyTitle(policy)} was deleted before this flow`),
    ],
  };
}

/** A policy that differs between two stored states. */
export interface StoredChange {
  readonly policy: PolicyName;
  readonly what: 'ADDED' | 'CHANGED' | 'REMOVED';
  /** The states between which it happened, ns since 1970. */
  readonly afterNs: bigint;
  readonly byNs: bigint;
}

/** What became different with the last stored state before a moment; nothing where the states say no times. */
export function storedChanges(
  snapshots: readonly PolicySnapshot[],
  cluster: string,
  atNs: bigint,
): readonly StoredChange[] {
  const own = ofCluster(snapshots, cluster);
  const now = choose(own, atNs);
  if (now.validFromNs === null || now.later) return [];
  const before = choose(own, now.validFromNs - 1n);
  if (before.validFromNs === null || before.later) return [];
  const state = (chosen: Chosen): ReadonlyMap<string, Policy> =>
    new Map(chosen.snapshots.flatMap((one) => one.policies.map((policy) => [policyTitle(policy), policy])));
  const [old, current] = [state(before), state(now)];
  const span = { afterNs: before.validFromNs, byNs: now.validFromNs };
  const rulesText = ({ object }: Policy): string => JSON.stringify([object['spec'], object['specs']]);
  const came = [...current].flatMap(([title, policy]): readonly StoredChange[] => {
    const known = old.get(title);
    if (known === undefined) return [{ policy, what: 'ADDED', ...span }];
    return rulesText(known) === rulesText(policy) ? [] : [{ policy, what: 'CHANGED', ...span }];
  });
  const went = [...old]
    .filter(([title]) => !current.has(title))
    .map(([, policy]): StoredChange => ({ policy, what: 'REMOVED', ...span }));
  return [...came, ...went];
}
