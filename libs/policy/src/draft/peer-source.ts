import {
  isPod,
  isWorld,
  labelValue,
  POD_NAMESPACE,
  POLICY_CLUSTER,
  type EndpointView,
  type Label,
} from '../endpoint-view.js';
import type { Json, JsonObject } from '../json.js';
import type { Direction } from '../policy.js';

/** Labels that name an application; with one of them the others are left out unless asked for. */
const APP_KEYS = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/component',
  'app',
  'k8s-app',
];
/** Labels that change with every rollout or pod; a selector by them would soon select nobody. */
const VOLATILE = [
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/',
  'statefulset.kubernetes.io/',
  'apps.kubernetes.io/pod-index',
];
const SERVICE_ACCOUNT = 'io.cilium.k8s.policy.serviceaccount';
const ENTITIES = ['kube-apiserver', 'remote-node', 'host', 'health', 'ingress', 'init', 'unmanaged'];

/** How much of a pod's labels a selector names: those of the application, or all that last. */
export type Precision = 'app' | 'all';

/** A peer as a rule would write it. */
export type PeerSource =
  | {
      readonly kind: 'pods';
      readonly namespace: string;
      readonly cluster: string | undefined;
      readonly labels: readonly Label[];
    }
  | { readonly kind: 'entity'; readonly entity: string }
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly ip: string | null }
  | { readonly kind: 'address'; readonly ip: string };

/** Labels by which a pod can be selected for longer than it lives; empty when it has none. */
export function lastingLabels(end: EndpointView, precision: Precision): readonly Label[] {
  const own = end.labels.filter(
    ({ source, key }) =>
      source === 'k8s' &&
      !key.startsWith('io.cilium.') &&
      key !== POD_NAMESPACE &&
      !VOLATILE.some((one) => key === one || (one.endsWith('/') && key.startsWith(one))),
  );
  const app = own.filter(({ key }) => APP_KEYS.includes(key));
  if (precision === 'app' && app.length > 0) return app;
  return own.length > 0 ? own : end.labels.filter(({ key }) => key === SERVICE_ACCOUNT);
}

/** `matchLabels` of labels; Kubernetes' own keys are written as Cilium's users do, with their source only where needed. */
export function matchLabels(labels: readonly Label[]): JsonObject {
  const keyOf = ({ key }: Label): string => (key.startsWith('io.') ? `k8s:${key}` : key);
  return Object.fromEntries(labels.map((label) => [keyOf(label), label.value]));
}

/** How a rule would name an endpoint; undefined when nothing about it lasts. */
export function peerSource(
  end: EndpointView,
  direction: Direction,
  precision: Precision,
): PeerSource | undefined {
  if (isPod(end)) {
    const labels = lastingLabels(end, precision);
    const namespace = end.namespace || labelValue(end, POD_NAMESPACE) || '';
    if (labels.length === 0) return undefined;
    return { kind: 'pods', namespace, cluster: labelValue(end, POLICY_CLUSTER), labels };
  }
  const entity = ENTITIES.find((name) => end.reserved.has(name));
  if (entity !== undefined) return { kind: 'entity', entity };
  if (!isWorld(end)) return undefined;
  if (direction === 'EGRESS' && end.names.length > 0) return { kind: 'names', names: end.names, ip: end.ip };
  return end.ip === null ? undefined : { kind: 'address', ip: end.ip };
}

/** `10.0.0.1/32`, `2001:db8::1/128`. */
export function hostRange(ip: string): string {
  return `${ip}/${ip.includes(':') ? 128 : 32}`;
}

/** Members of a Cilium rule that name a peer, seen from a policy of `namespace` ('' = cluster-wide). */
export function peerMembers(peer: PeerSource, direction: Direction, namespace: string): Record<string, Json> {
  const prefix = direction === 'INGRESS' ? 'from' : 'to';
  if (peer.kind === 'entity') return { [`${prefix}Entities`]: [peer.entity] };
  if (peer.kind === 'address') return { [`${prefix}CIDR`]: [hostRange(peer.ip)] };
  if (peer.kind === 'names') return { toFQDNs: peer.names.map((matchName) => ({ matchName })) };
  const elsewhere: JsonObject =
    peer.namespace === namespace ? {} : { [`k8s:${POD_NAMESPACE}`]: peer.namespace };
  return { [`${prefix}Endpoints`]: [{ matchLabels: { ...matchLabels(peer.labels), ...elsewhere } }] };
}
