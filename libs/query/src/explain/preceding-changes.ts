import { AGENT_EVENT_TYPE, enumName } from '@flowledger/model';
import { SHORTLY_NS } from './plan-explanation.js';

/** A row of the changes before a drop; `type` is a flow.AgentEventType number. */
export interface ChangeRow {
  readonly at_ns: string;
  readonly node: string;
  readonly type: number;
  readonly namespace: string;
  readonly pod: string;
  readonly labels: readonly string[];
  readonly text: string;
}

/** A change that an agent reported. */
export interface ChangeEvent {
  readonly timeNs: bigint;
  /** AgentEventType name. */
  readonly kind: string;
  readonly object: string;
  readonly text: string;
}

/** What the agent's report means when it brings no text of its own, by AgentEventType number. */
const TEXTS: Readonly<Record<number, string>> = {
  2: 'the agent started',
  3: 'the policy was added or changed',
  4: 'the policy was deleted',
  5: 'the datapath program of the endpoint was rebuilt',
  6: 'the datapath program of the endpoint could not be rebuilt',
  7: 'the endpoint was created',
  8: 'the endpoint was deleted',
};

/** Label that names the object of a policy event. */
export const POLICY_NAME_LABELS = ['io.cilium.k8s.policy.name'];
/** Labels that name the namespace of a policy or endpoint. */
export const NAMESPACE_LABELS = ['io.cilium.k8s.policy.namespace', 'io.kubernetes.pod.namespace'];

/** Value of the first label with one of the keys, whatever its source (`k8s:`, `unspec:`, …). */
export function labelOf(labels: readonly string[], keys: readonly string[]): string {
  for (const label of labels) {
    const [key = '', ...value] = label.replace(/^[a-z0-9-]+:/, '').split('=');
    if (keys.includes(key)) return value.join('=');
  }
  return '';
}

function objectOf(row: ChangeRow, namespace: string): string {
  const name = row.pod || labelOf(row.labels, POLICY_NAME_LABELS);
  const qualified = namespace === '' || name === '' ? name : `${namespace}/${name}`;
  return qualified || row.labels.join(', ') || `node ${row.node}`;
}

/**
 * Changes in the five minutes before the first drop, oldest first. `enforced` is the namespace of the endpoint whose
 * policies refused ('' when not known): policies and endpoints of other namespaces cannot be the cause and are left out.
 */
export function precedingChanges(
  rows: readonly ChangeRow[],
  firstSeenNs: bigint,
  enforced: string,
): readonly ChangeEvent[] {
  return rows
    .flatMap((row) => {
      const text = TEXTS[row.type];
      const namespace = row.namespace || labelOf(row.labels, NAMESPACE_LABELS);
      const elsewhere = namespace !== '' && enforced !== '' && namespace !== enforced;
      const timeNs = BigInt(row.at_ns);
      if (text === undefined || elsewhere || timeNs < firstSeenNs - SHORTLY_NS) return [];
      return {
        timeNs,
        kind: enumName(AGENT_EVENT_TYPE, row.type),
        object: objectOf(row, namespace),
        text: row.text === '' ? text : `${text}: ${row.text}`,
      };
    })
    .toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
}
