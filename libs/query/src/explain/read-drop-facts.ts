import { AGENT_EVENT_TYPE, enumName } from '@flowledger/model';
import type { FlowRecord } from '../flows/flow-record.js';
import type { Side } from '../group/dimensions.js';
import type { ChangeEvent } from './drop-explanation.js';
import { partiesOf, SHORTLY_NS } from './plan-drop-explanation.js';

/** The row of the statement about similar drops. */
export interface SimilarRow {
  readonly similar_count: string;
  /** Meaningless when there is none. */
  readonly first_ns: string;
}

/** A row of the statement about agent events. */
export interface ChangeRow {
  readonly at_ns: string;
  readonly type: number;
  readonly namespace: string;
  readonly pod: string;
  readonly labels: readonly string[];
  readonly text: string;
}

/** Drops of the same kind in the 24 hours before a drop. */
export interface SimilarDrops {
  /** By weight, without the drop itself. */
  readonly count: bigint;
  /** First drop of the kind, ns; the drop itself when there was none before. */
  readonly firstSeenNs: bigint;
}

/** What changed on the node shortly before the first drop. */
export interface PrecedingChanges {
  /** Oldest first. */
  readonly events: readonly ChangeEvent[];
  /** Agent events of the node are recorded, so that an empty list means that nothing changed. */
  readonly recorded: boolean;
}

const POLICY_UPDATED = 3;
const REGENERATED = 5;
const REGENERATION_FAILED = 6;
const INGRESS = 1;
const EGRESS = 2;

/** Side whose node dropped the flow: the direction is seen from the endpoint local to the node (hubble note, trap 16). */
export function enforcedSide(flow: FlowRecord): Side {
  if (flow.trafficDirection === EGRESS) return 'CLIENT';
  return flow.trafficDirection === INGRESS ? 'SERVER' : 'NONE';
}

/** Reads how often, and since when, flows of this kind were dropped. */
export function readSimilarDrops(rows: readonly SimilarRow[], flow: FlowRecord): SimilarDrops {
  const count = BigInt(rows[0]?.similar_count ?? '0');
  return { count, firstSeenNs: count === 0n ? flow.position.bucketNs : BigInt(rows[0]?.first_ns ?? '0') };
}

function labelValue(labels: readonly string[], keys: readonly string[]): string | undefined {
  for (const label of labels) {
    const bare = label.replace(/^[a-z-]+:/, '');
    const key = keys.find((name) => bare.startsWith(`${name}=`));
    if (key !== undefined) return bare.slice(key.length + 1);
  }
  return undefined;
}

/** Namespace of the policy or endpoint that an event is about; undefined when it does not say. */
function namespaceOf(row: ChangeRow): string | undefined {
  return row.namespace === ''
    ? labelValue(row.labels, ['io.cilium.k8s.policy.namespace', 'io.kubernetes.pod.namespace'])
    : row.namespace;
}

function objectOf(row: ChangeRow): string {
  const name = row.pod === '' ? labelValue(row.labels, ['io.cilium.k8s.policy.name']) : row.pod;
  if (name === undefined) return row.labels.join(', ') || 'not named';
  const namespace = namespaceOf(row);
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function textOf(row: ChangeRow): string {
  if (row.type === REGENERATION_FAILED) return `the endpoint’s program could not be rebuilt: ${row.text}`;
  if (row.type === REGENERATED) return 'the endpoint’s program was rebuilt';
  return row.type === POLICY_UPDATED ? 'the policy was added or changed' : 'the policy was deleted';
}

/**
 * Reads the changes within five minutes before the first drop. Left out are policies and endpoints of other namespaces
 * than that of the endpoint at which the drop was enforced: they cannot select it.
 */
export function readPrecedingChanges(
  rows: readonly ChangeRow[],
  flow: FlowRecord,
  firstSeenNs: bigint,
): PrecedingChanges {
  const { client, server } = partiesOf(flow);
  const side = enforcedSide(flow);
  const enforced = side === 'CLIENT' ? client.namespace : side === 'SERVER' ? server.namespace : '';
  const concerns = (row: ChangeRow): boolean => {
    const namespace = namespaceOf(row);
    return namespace === undefined || enforced === '' || namespace === enforced;
  };
  const events = rows
    .filter((row) => row.type >= POLICY_UPDATED && row.type <= REGENERATION_FAILED)
    .filter((row) => BigInt(row.at_ns) >= firstSeenNs - SHORTLY_NS && concerns(row))
    .map((row) => ({
      timeNs: BigInt(row.at_ns),
      kind: enumName(AGENT_EVENT_TYPE, row.type),
      object: objectOf(row),
      text: textOf(row),
    }))
    .toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
  return { events, recorded: rows.length > 0 };
}
