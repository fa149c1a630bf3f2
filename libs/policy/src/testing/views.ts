import { endpointView, type EndpointView } from '../endpoint-view.js';
import type { FlowView } from '../evaluate/flow-view.js';
import type { Json } from '../json.js';
import { parsePolicies } from '../parse/parse-policies.js';
import type { Direction, Policy } from '../policy.js';

/** A pod with an app label, as flows show it. */
export function pod(namespace: string, app: string, ...labels: readonly string[]): EndpointView {
  return endpointView({
    namespace,
    labels: [
      `k8s:app=${app}`,
      ...labels,
      `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
      'k8s:io.cilium.k8s.policy.cluster=demo',
      `k8s:io.cilium.k8s.policy.serviceaccount=${app}`,
      `k8s:io.kubernetes.pod.namespace=${namespace}`,
    ],
    ip: '10.0.0.7',
  });
}

/** Something without a pod. */
export function reserved(name: string, ip = '198.51.100.9', ...names: readonly string[]): EndpointView {
  return endpointView({ namespace: '', labels: [`reserved:${name}`], ip, names });
}

/** A connection as the policies of `subject` judge it; TCP unless the port says `UDP/53`. */
export function flow(
  direction: Direction,
  subject: EndpointView,
  peer: EndpointView,
  port: number | string,
  more: Partial<FlowView> = {},
): FlowView {
  const [protocol = 'TCP', number = ''] = typeof port === 'number' ? ['TCP', String(port)] : port.split('/');
  return {
    direction,
    subject,
    peer,
    protocol,
    port: number === '' ? null : Number(number),
    icmpType: null,
    l7: false,
    ...more,
  };
}

/** A CiliumNetworkPolicy (or, without namespace, the cluster-wide one) of one spec. */
export function cilium(namespace: string, name: string, spec: Json): Json {
  return {
    apiVersion: 'cilium.io/v2',
    kind: namespace === '' ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
    metadata: namespace === '' ? { name } : { name, namespace },
    spec,
  };
}

/** A NetworkPolicy. */
export function network(namespace: string, name: string, spec: Json): Json {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

/** Policies of documents; problems fail the test unless they are expected. */
export function policies(...documents: readonly Json[]): readonly Policy[] {
  const { policies: read, problems } = parsePolicies(documents);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return read;
}

/** The same, whatever the problems. */
export function anyPolicies(...documents: readonly Json[]): readonly Policy[] {
  return parsePolicies(documents).policies;
}
