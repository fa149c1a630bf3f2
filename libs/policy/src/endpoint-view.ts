import { RESERVED_IDENTITY, enumName } from '@flowledger/model';

/** What a flow says about one end. */
export interface EndpointFacts {
  /** `source:key=value`, as Cilium writes them; empty when the flow does not say. */
  readonly labels: readonly string[];
  /** Empty for what is no pod. */
  readonly namespace: string;
  readonly ip?: string | null;
  /** Names that the DNS proxy knows for the address. */
  readonly names?: readonly string[];
  /** Numeric security identity; only read where labels are absent. */
  readonly identity?: number;
}

/** A label taken apart. */
export interface Label {
  readonly source: string;
  readonly key: string;
  readonly value: string;
}

/** One end of a flow as policies see it. */
export interface EndpointView {
  readonly labels: readonly Label[];
  readonly namespace: string;
  readonly ip: string | null;
  /** Lower case, without trailing dot. */
  readonly names: readonly string[];
  /** Names of the `reserved:` labels: host, world, remote-node, … */
  readonly reserved: ReadonlySet<string>;
  /** False when nothing says who this is. */
  readonly known: boolean;
}

const LOCAL_CIDR = 0x01;
const LOCAL_NODE = 0x02;

/** Takes `source:key=value` apart; a label without source counts as Kubernetes', without value as ''. */
export function parseLabel(text: string): Label {
  const [, source = 'k8s', rest = ''] = /^(?:([a-z0-9-]+):)?(.*)$/s.exec(text) ?? [];
  const at = rest.indexOf('=');
  // A CIDR label of IPv6 has dashes for colons; nothing else may hold a second colon.
  return at < 0
    ? { source, key: rest, value: '' }
    : { source, key: rest.slice(0, at), value: rest.slice(at + 1) };
}

function reservedByIdentity(identity: number): readonly Label[] {
  const scope = identity >>> 24;
  const name =
    scope === LOCAL_CIDR
      ? 'world'
      : scope === LOCAL_NODE
        ? 'remote-node'
        : identity > 0 && identity < 128 && RESERVED_IDENTITY.names[identity] !== undefined
          ? enumName(RESERVED_IDENTITY, identity)
          : '';
  return name === '' ? [] : [{ source: 'reserved', key: name, value: '' }];
}

/** An endpoint as policies see it. */
export function endpointView(facts: EndpointFacts): EndpointView {
  const given = facts.labels.map(parseLabel);
  const labels = given.length > 0 ? given : reservedByIdentity(facts.identity ?? 0);
  const reserved = new Set(labels.filter(({ source }) => source === 'reserved').map(({ key }) => key));
  // Identities of ranges and names are of the world, whether or not the agent says so beside.
  const outside = labels.some(({ source }) => source === 'cidr' || source === 'fqdn');
  if (outside && reserved.size === 0) reserved.add('world');
  return {
    labels,
    namespace: facts.namespace,
    ip: facts.ip ?? null,
    names: (facts.names ?? []).map((name) => name.toLowerCase().replace(/\.$/, '')),
    reserved,
    known: labels.length > 0,
  };
}

/** True for a pod: policies select it by labels, and rules by address are not about it. */
export function isPod(endpoint: EndpointView): boolean {
  return endpoint.namespace !== '' || endpoint.labels.some(({ key }) => key === POD_NAMESPACE);
}

/** True for an address outside of the cluster. */
export function isWorld({ reserved }: EndpointView): boolean {
  return reserved.has('world') || reserved.has('world-ipv4') || reserved.has('world-ipv6');
}

/** Label that carries the namespace of a pod. */
export const POD_NAMESPACE = 'io.kubernetes.pod.namespace';
/** Prefix of labels that carry the labels of the pod's namespace. */
export const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.';
/** Label that names the cluster of a pod. */
export const POLICY_CLUSTER = 'io.cilium.k8s.policy.cluster';

/** Value of a label by key, whatever its source. */
export function labelValue(endpoint: EndpointView, key: string): string | undefined {
  return endpoint.labels.find((label) => label.key === key)?.value;
}
