import type { FlowView } from '../evaluate/flow-view.js';
import type { Json, JsonObject } from '../json.js';
import { lastingLabels, matchLabels, peerMembers, peerSource, type Precision } from './peer-source.js';

/** Names for the ends of a flow in the name of a draft. */
export interface EndNames {
  readonly subject: string;
  readonly peer: string;
}

/** A value, or why there is none. */
export type Drafted<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const WITH_PORTS = ['TCP', 'UDP', 'SCTP'];
const ICMP: Readonly<Record<string, string>> = { ICMPv4: 'IPv4', ICMPv6: 'IPv6' };

/** The member of a rule that names exactly this port or message; undefined when policies cannot name it. */
export function portMember(flow: FlowView): Record<string, Json> | undefined {
  const family = ICMP[flow.protocol];
  if (family !== undefined)
    return flow.icmpType === null ? undefined : { icmps: [{ fields: [{ family, type: flow.icmpType }] }] };
  if (!WITH_PORTS.includes(flow.protocol) || flow.port === null || flow.port === 0) return undefined;
  return { toPorts: [{ ports: [{ port: String(flow.port), protocol: flow.protocol }] }] };
}

/** A name that Kubernetes accepts (RFC 1123 label). */
export function objectName(...parts: readonly string[]): string {
  const text = parts
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63);
  return text.replaceAll(/^-+|-+$/g, '');
}

/** A CiliumNetworkPolicy that allows exactly this connection at its subject, and selects nothing else. */
export function allowPolicy(flow: FlowView, names: EndNames, precision: Precision): Drafted<JsonObject> {
  const { direction, subject, peer } = flow;
  if (subject.namespace === '')
    return {
      ok: false,
      reason: 'the endpoint whose policies decide is no pod; policies of nodes are not drafted',
    };
  const labels = lastingLabels(subject, precision);
  if (labels.length === 0)
    return { ok: false, reason: 'the flow shows no label by which the endpoint could be selected' };
  const source = peerSource(peer, direction, precision);
  if (source === undefined) return { ok: false, reason: 'the flow does not show who the peer is' };
  const port = portMember(flow);
  if (port === undefined)
    return { ok: false, reason: `policies cannot name this ${flow.protocol || 'unknown protocol'} message` };
  const rule = { ...peerMembers(source, direction, subject.namespace), ...port };
  const [from, to] = direction === 'INGRESS' ? [names.peer, names.subject] : [names.subject, names.peer];
  const value: JsonObject = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: {
      name: objectName('allow', from, 'to', to, flow.port === null ? flow.protocol : String(flow.port)),
      namespace: subject.namespace,
    },
    spec: {
      endpointSelector: { matchLabels: matchLabels(labels) },
      [direction === 'INGRESS' ? 'ingress' : 'egress']: [rule],
    },
  };
  return { ok: true, value };
}
