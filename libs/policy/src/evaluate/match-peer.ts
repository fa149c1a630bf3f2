import ipaddr from 'ipaddr.js';
import { isPod, isWorld, labelValue, POLICY_CLUSTER, type EndpointView } from '../endpoint-view.js';
import { any, certain, maybe, NO, YES, type Match } from '../match.js';
import type { Peer } from '../policy.js';
import { selects, selectorText, type Selector } from '../selector.js';

const NODES = ['host', 'remote-node'];
const OF_CLUSTER = [...NODES, 'init', 'health', 'ingress', 'unmanaged'];

function inRange(address: string, range: string): boolean | undefined {
  if (!ipaddr.isValidCIDR(range) || !ipaddr.isValid(address)) return undefined;
  const [base, bits] = ipaddr.parseCIDR(range);
  const ip = ipaddr.process(address);
  return ip.kind() === base.kind() && ip.match(base, bits);
}

/** Rules by address are about the world only; nodes and the API server are a matter of the agent's configuration. */
function matchCidr(
  peer: { readonly cidr: string; readonly except: readonly string[] },
  end: EndpointView,
): Match {
  if (peer.cidr === '') return maybe('a range that names a group of ranges, which is not stored');
  if (isPod(end)) return NO;
  if (!end.known) return maybe('the flow does not show who this address is');
  if (end.ip === null) return maybe('the flow has no address');
  const within = inRange(end.ip, peer.cidr);
  const ranges = peer.except.map((range) => inRange(end.ip ?? '', range));
  if (within === undefined || ranges.includes(undefined))
    return maybe(`a range that cannot be read: ${peer.cidr}`);
  if (!within || ranges.includes(true)) return NO;
  if (isWorld(end)) return YES;
  return maybe('whether rules by address are about nodes is a setting of the agent');
}

function matchCluster(end: EndpointView, subject: EndpointView): Match {
  if (end.reserved.has('kube-apiserver') && isWorld(end))
    return maybe('the API server is outside of the cluster');
  if (OF_CLUSTER.some((name) => end.reserved.has(name)) || end.reserved.has('kube-apiserver')) return YES;
  if (!isPod(end)) return NO;
  const own = labelValue(subject, POLICY_CLUSTER);
  const other = labelValue(end, POLICY_CLUSTER);
  if (own === undefined || other === undefined)
    return maybe('the flow does not show the clusters of both pods');
  return certain(own === other);
}

function matchEntity(entity: string, end: EndpointView, subject: EndpointView): Match {
  if (entity === 'all') return YES;
  if (entity === 'none') return NO;
  if (!end.known && !isPod(end)) return maybe('the flow does not show who this address is');
  if (entity === 'cluster') return matchCluster(end, subject);
  if (entity === 'world') return certain(isWorld(end));
  if ((entity === 'world-ipv4' || entity === 'world-ipv6') && end.reserved.has('world')) {
    if (end.ip === null) return maybe('the flow has no address');
    return certain(end.ip.includes(':') === (entity === 'world-ipv6'));
  }
  return certain(end.reserved.has(entity));
}

/** Whether a name matches `matchPattern`: `*` stands for characters of one label, alone for everything, `**.` for any labels. */
export function matchesPattern(name: string, pattern: string): boolean {
  const text = pattern.toLowerCase().replace(/\.$/, '');
  if (text === '*') return true;
  const source = text
    .replace(/^\*\*\./, '\u0000')
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[-a-z0-9_]*')
    .replace('\u0000', '(?:[-a-z0-9_]+\\.)+');
  return new RegExp(`^${source}$`).test(name);
}

function matchFqdn(peer: { readonly name: string; readonly pattern: string }, end: EndpointView): Match {
  if (isPod(end) || (end.known && !isWorld(end))) return NO;
  const wanted = (peer.name || peer.pattern).toLowerCase().replace(/\.$/, '');
  // The identity of an address that a rule by name let through carries that rule's own name or pattern.
  if (end.labels.some(({ source, key }) => source === 'fqdn' && key.toLowerCase() === wanted)) return YES;
  if (end.names.length === 0)
    return maybe(`no name of the address is known, and the rule is about ${wanted}`);
  return certain(
    end.names.some((name) => (peer.name === '' ? matchesPattern(name, peer.pattern) : name === wanted)),
  );
}

/** A cluster-wide policy's selector means pods; whether health or ingress endpoints too, differs by version. */
function matchSelector(
  { selector, anywhere }: { readonly selector: Selector; readonly anywhere: boolean },
  end: EndpointView,
): Match {
  const only = selector.requirements.length === 1;
  if (anywhere && only && end.known && !isPod(end) && OF_CLUSTER.some((name) => end.reserved.has(name)))
    return maybe('whether a selector of every endpoint is about those that are no pods differs by version');
  return selects(selector, end);
}

/** Whether an endpoint is the peer that a rule names. */
export function matchPeer(peer: Peer, end: EndpointView, subject: EndpointView): Match {
  if (peer.kind === 'selector') return matchSelector(peer, end);
  if (peer.kind === 'entity') return matchEntity(peer.entity, end, subject);
  if (peer.kind === 'cidr') return matchCidr(peer, end);
  if (peer.kind === 'fqdn') return matchFqdn(peer, end);
  if (peer.kind === 'unknown') return maybe(peer.reason);
  if (end.known && !NODES.some((name) => end.reserved.has(name))) return NO;
  return maybe('labels of nodes are not part of flows');
}

/** Whether an endpoint is one of the peers of a rule; null = everybody. */
export function matchPeers(peers: readonly Peer[] | null, end: EndpointView, subject: EndpointView): Match {
  return peers === null ? YES : any(peers.map((peer) => matchPeer(peer, end, subject)));
}

/** A peer in words. */
export function peerText(peer: Peer): string {
  if (peer.kind === 'selector') return selectorText(peer.selector);
  if (peer.kind === 'entity') return `entity ${peer.entity}`;
  if (peer.kind === 'fqdn') return peer.name || peer.pattern;
  if (peer.kind === 'nodes') return peer.text;
  if (peer.kind === 'unknown') return `something not understood (${peer.reason})`;
  return peer.except.length === 0 ? peer.cidr : `${peer.cidr} except ${peer.except.join(', ')}`;
}
