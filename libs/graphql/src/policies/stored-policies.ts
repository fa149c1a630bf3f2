import {
  changesSpan,
  policiesAsOf,
  storedChanges,
  type PoliciesAsOf,
  type StoredChange,
} from '@flowledger/policy';
import {
  planPolicyChanges,
  planPolicyEdges,
  readPolicyChanges,
  readPolicyEdges,
  type PolicyChangeRow,
  type PolicyEdge,
  type PolicyEdgeRow,
  type PolicyEdgesRequest,
} from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import type { LabelsOf } from './flow-views.js';
import { NO_POLICIES } from './policy-source.js';

/** The stored policies of a cluster as of a moment, with what agents reported since. */
export async function storedPolicies(
  scope: RequestScope,
  cluster: string,
  atNs: bigint,
): Promise<PoliciesAsOf> {
  const { snapshots } = await (scope.deps.policies ?? NO_POLICIES).state();
  const span = changesSpan(snapshots, cluster, atNs, scope.nowNs);
  const changes =
    span === null
      ? []
      : readPolicyChanges(
          (await scope.query<PolicyChangeRow>(planPolicyChanges(span, cluster, scope.planning))).rows,
        );
  return policiesAsOf(snapshots, cluster, atNs, changes);
}

/** What became different with the last stored state before a moment. */
export async function changesOfState(
  scope: RequestScope,
  cluster: string,
  atNs: bigint,
): Promise<readonly StoredChange[]> {
  const { snapshots } = await (scope.deps.policies ?? NO_POLICIES).state();
  return storedChanges(snapshots, cluster, atNs);
}

/** Looks label sets up; each once. */
export async function labelsFor(scope: RequestScope, ids: Iterable<string>): Promise<LabelsOf> {
  const wanted = [...new Set(ids)];
  const lists = await Promise.all(wanted.map((id) => scope.labels.load(id)));
  const known = new Map(wanted.map((id, i) => [id, lists[i] ?? []]));
  return (id) => known.get(id) ?? [];
}

/** Connections that policies judged, with the labels of their ends. */
export interface JudgedEdges {
  readonly edges: readonly PolicyEdge[];
  /** Edges there were, those cut off included. */
  readonly total: number;
  readonly labelsOf: LabelsOf;
  readonly rowsRead: number;
  readonly elapsedMs: number;
}

/** Reads the connections of a window that policies let pass, refused or audited. */
export async function judgedEdges(scope: RequestScope, request: PolicyEdgesRequest): Promise<JudgedEdges> {
  const result = await scope.query<PolicyEdgeRow>(planPolicyEdges(request, scope.planning));
  const read = readPolicyEdges(result.rows);
  const labelsOf = await labelsFor(
    scope,
    read.edges.flatMap(({ client, server }) => [client.labelSet, server.labelSet]),
  );
  return { ...read, labelsOf, rowsRead: result.rowsRead, elapsedMs: result.elapsedMs };
}
