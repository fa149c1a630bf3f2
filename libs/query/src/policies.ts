/** What a policy named by a verdict did. In a default deny the policies named only select the endpoint. */
export type PolicyEffect = 'ALLOWED' | 'DENIED' | 'SELECTS_WITHOUT_ALLOWING';

/** A policy that a verdict names (hubble note 7.1). */
export interface PolicyRef {
  /** For example CiliumNetworkPolicy; empty when an old agent does not say. */
  readonly kind: string;
  /** Empty for cluster-wide policies. */
  readonly namespace: string;
  readonly name: string;
  /** Revision of the policy repository, decimal. */
  readonly revision: string;
  readonly effect: PolicyEffect;
  readonly direction: 'INGRESS' | 'EGRESS';
}

/** Field numbers of `flow.Flow` (hubble note 1.1). */
const LISTS: Readonly<Record<number, Pick<PolicyRef, 'effect' | 'direction'>>> = {
  21001: { effect: 'ALLOWED', direction: 'EGRESS' },
  21002: { effect: 'ALLOWED', direction: 'INGRESS' },
  21004: { effect: 'DENIED', direction: 'EGRESS' },
  21005: { effect: 'DENIED', direction: 'INGRESS' },
};

/** Drop reason of a default deny. */
const POLICY_DENIED = 133;

interface WireField {
  readonly number: number;
  /** Bytes of a length-delimited field; empty for a varint. */
  readonly bytes: Uint8Array;
  readonly value: bigint;
}

function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const value = varint();
    if ((tag & 7n) === 2n) {
      const end = at + Number(value);
      yield { number, bytes: bytes.subarray(at, end), value: 0n };
      at = end;
    } else if ((tag & 7n) === 0n) yield { number, bytes: new Uint8Array(), value };
    else return;
  }
}

function policy(bytes: Uint8Array, list: Pick<PolicyRef, 'effect' | 'direction'>): PolicyRef {
  const texts: Record<number, string> = {};
  let revision = 0n;
  for (const field of wireFields(bytes)) {
    if (field.number === 4) revision = field.value;
    else texts[field.number] = new TextDecoder().decode(field.bytes);
  }
  return {
    kind: texts[5] ?? '',
    namespace: texts[2] ?? '',
    name: texts[1] ?? '',
    revision: revision.toString(),
    ...list,
  };
}

/**
 * Policies of a verdict from the bytes of the column `policies` (fields 21001, 21002, 21004 and 21005 of `flow.Flow` as
 * sent). With drop reason POLICY_DENIED (default deny) the lists of denying policies hold those that select the endpoint
 * without allowing (cilium/cilium#45373). The decoder let the bytes through, so damage is not expected; it ends the list.
 */
export function decodePolicies(bytes: Uint8Array, dropReason = 0): readonly PolicyRef[] {
  const found: PolicyRef[] = [];
  for (const field of wireFields(bytes)) {
    const list = LISTS[field.number];
    if (list === undefined) continue;
    const effect =
      list.effect === 'DENIED' && dropReason === POLICY_DENIED ? 'SELECTS_WITHOUT_ALLOWING' : list.effect;
    found.push(policy(field.bytes, { ...list, effect }));
  }
  return found;
}

/** `Kind namespace/name`, as people write it. */
export function policyText(ref: PolicyRef): string {
  const name = ref.namespace === '' ? ref.name : `${ref.namespace}/${ref.name}`;
  return ref.kind === '' ? name : `${ref.kind} ${name}`;
}
