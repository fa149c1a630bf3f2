import { DIRECTION, type Observation } from '../observe/observation.js';
import type { Cluster } from '../topology/cluster.js';
import { hashText } from '../random.js';
import { uuidText } from '../topology/names.js';
import { WireWriter } from '../wire/wire-writer.js';

/** Encodes the policy names of verdicts, each combination once. */
export class PolicyBytes {
  private readonly known = new Map<string, Uint8Array>();

  constructor(private readonly cluster: Cluster) {}

  /** Fields `*_allowed_by`, `*_denied_by` and `policy_log` of a verdict that names a policy. */
  of(seen: Observation): Uint8Array {
    const logs = !seen.denied || this.cluster.node(seen.node).emitterVersion.startsWith('1.20');
    const key = `${seen.policy} ${seen.direction} ${seen.denied} ${logs}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = this.encode(seen, logs);
    this.known.set(key, made);
    return made;
  }

  private encode(seen: Observation, logs: boolean): Uint8Array {
    const policy = this.cluster.policies.get(seen.policy);
    const w = new WireWriter();
    if (policy === undefined) return w.finish();
    const egress = seen.direction === DIRECTION.egress;
    const mark = w.begin(seen.denied ? (egress ? 21_004 : 21_005) : egress ? 21_001 : 21_002);
    w.string(1, policy.name);
    w.string(2, policy.namespace);
    for (const label of policyLabels(policy.kind, policy.name, policy.namespace)) w.element(3, label);
    w.uint(4, policy.revision);
    w.string(5, policy.kind);
    w.end(mark);
    // Agents up to 1.19 leave the log text of a denying policy out (hubble note 7.1).
    if (logs && policy.log !== undefined) w.element(21_006, policy.log);
    return w.finish();
  }
}

/** Labels that Cilium gives the rules of a policy object. */
export function policyLabels(kind: string, name: string, namespace: string): string[] {
  return [
    `k8s:io.cilium.k8s.policy.derived-from=${kind}`,
    `k8s:io.cilium.k8s.policy.name=${name}`,
    ...(namespace === '' ? [] : [`k8s:io.cilium.k8s.policy.namespace=${namespace}`]),
    `k8s:io.cilium.k8s.policy.uid=${uuidText(hashText(name), 3)}`,
  ];
}
