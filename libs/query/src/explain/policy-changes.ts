import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange } from '../window.js';
import type { Window } from '../window.js';
import { labelOf, NAMESPACE_LABELS, POLICY_NAME_LABELS } from './preceding-changes.js';

const CHANGES = new SqlTemplate('policy-changes');
const MAX_CHANGES = 2000;
const DELETED = 4;
const KIND_LABELS = ['io.cilium.k8s.policy.derived-from'];

/** A row of the statement. */
export interface PolicyChangeRow {
  readonly type: number;
  readonly labels: readonly string[];
  readonly first_ns: string;
  readonly last_ns: string;
}

/** What agents reported about one policy in a window. */
export interface PolicyChangeReport {
  /** CiliumNetworkPolicy and so on; '' when the report does not say. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Plans which policies of a cluster agents reported as changed or deleted in a window. */
export function planPolicyChanges(window: Window, cluster: string, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('cluster', cluster);
  binder.name('limit', MAX_CHANGES);
  const sql = CHANGES.fill({ range: rawRange(window, binder) });
  return { name: CHANGES.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, MAX_CHANGES) };
}

/** Reads the reports; those that name no policy are left out. */
export function readPolicyChanges(rows: readonly PolicyChangeRow[]): readonly PolicyChangeReport[] {
  return rows.flatMap((row) => {
    const name = labelOf(row.labels, POLICY_NAME_LABELS);
    if (name === '') return [];
    return {
      kind: labelOf(row.labels, KIND_LABELS),
      namespace: labelOf(row.labels, NAMESPACE_LABELS),
      name,
      deleted: row.type === DELETED,
      firstNs: BigInt(row.first_ns),
      lastNs: BigInt(row.last_ns),
    };
  });
}
