import { DROP_REASON, enumName } from '@flowledger/model';

/** A drop reason for people. */
export interface DropReasonText {
  readonly number: number;
  /** Enum name of `flow.DropReason`; null when the number is newer than our table. */
  readonly name: string | null;
  /** What happened, one sentence without a full stop. */
  readonly text: string;
  /** What to do first; null when there is nothing to do or nothing is known. */
  readonly remedy: string | null;
  /** False for packets that were handled elsewhere: counted by the datapath as drops, but nothing failed. */
  readonly failure: boolean;
}

type Entry = readonly [text: string, remedy: string | null];

const NOISE = 'Usually noise on the link; look closer only when an application complains.';
const MALFORMED = 'Capture the packets: look for broken senders, cut headers or an asymmetric route.';
const AGENT = 'Check the health and the version of the Cilium agent on this node; report it if it goes on.';
const TRANSLATION = 'Check that masquerading covers this protocol, and the fill level of the NAT map.';
const ICMP = 'Check which host sends such ICMP messages; most are harmless.';

/** Own words for every reason of cilium v1.19; remedies follow the hubble note, section 7.3. */
// prettier-ignore
const ENTRIES: Readonly<Record<number, Entry>> = {
  0: ['no reason was given; for L7 records: the proxy refused the request by an L7 rule', 'Compare method, path, host, header or DNS name with the L7 rules of the policy.'],
  130: ['the source MAC address is not the endpoint’s', 'Look for bridges or virtual machines inside the pod that send with their own address.'],
  131: ['the destination MAC address is not the node’s', 'Look for stale neighbour entries or bridges inside the pod.'],
  132: ['the source IP address is not the pod’s own (spoofing protection)', 'Look for a bridge, VPN or NAT inside the pod; allow it only if it is intended.'],
  133: ['no policy rule allows it, and the endpoint is in default deny for this direction', 'Find the policies that select the endpoint and add an allow rule for the peer’s labels and port. Check both directions: egress at the client, ingress at the server. Often forgotten: DNS to kube-dns, kube-apiserver and host entities, namespace labels, the target port instead of the service port.'],
  134: ['the packet is malformed', MALFORMED],
  135: ['the transport header is cut off or invalid', MALFORMED],
  136: ['the packet is larger than the path allows and may not be fragmented', 'Lower the MTU of the pods, or check what tunnel and encryption add to a packet.'],
  137: ['connection tracking does not know this transport protocol', 'Enable SCTP support, or keep the protocol away from policy enforcement.'],
  138: ['connection tracking could not make an entry from the packet', MALFORMED],
  139: ['neither IPv4 nor IPv6, or that family is switched off', `${NOISE} Enable IPv6 if it is wanted.`],
  140: ['a part of the datapath program was not loaded', 'A short burst while the agent restarts is known; if it goes on, check the agent on this node.'],
  141: ['the datapath could not write into the packet', AGENT],
  142: ['the transport protocol is not supported', 'Enable SCTP support if that is it; GRE, ESP and others cannot pass an endpoint with policies.'],
  143: ['unknown ICMPv4 code', ICMP],
  144: ['unknown ICMPv4 type', ICMP],
  145: ['unknown ICMPv6 code', ICMP],
  146: ['unknown ICMPv6 type', ICMP],
  147: ['the tunnel key of the packet could not be read', 'Check that all nodes use the same tunnel mode, and that the remote node has joined.'],
  148: ['the tunnel options of the packet could not be read', 'Check that all nodes use the same tunnel mode.'],
  149: ['invalid Geneve option', 'Check that all nodes run versions of Cilium that fit together.'],
  150: ['the destination address is not known to the datapath', 'Look whether the destination was just created or deleted; otherwise check the ipcache and the cluster mesh.'],
  151: ['the destination address is stale: its endpoint is gone or cannot be reached', 'Compare with pod deletions at that time; clients that keep a deleted pod’s address should reconnect. Otherwise check the ipcache and the cluster mesh.'],
  152: ['no endpoint on this node has the destination address', 'Compare with pod deletions at that time.'],
  153: ['the L3 checksum could not be corrected', AGENT],
  154: ['the L4 checksum could not be corrected', AGENT],
  155: ['the connection tracking table is full', 'Raise the size of the connection tracking map, and look for a flood of connections.'],
  156: ['invalid IPv6 extension header', MALFORMED],
  157: ['IP fragments are not supported here', 'Enable fragment tracking, or avoid fragments by a smaller MTU.'],
  158: ['the service has no backend that is ready', 'Check EndpointSlices and readiness of the pods behind the service.'],
  160: ['no tunnel leads to the destination: no node owns its address', 'Check that the remote node has joined, and the state of the cluster mesh.'],
  161: ['translation between IPv4 and IPv6 (NAT46/64) is not enabled', 'Enable NAT46/64, or connect with the right address family.'],
  162: ['the bandwidth manager’s queue is too long', 'Raise the bandwidth annotation of the pod, or send less.'],
  163: ['the connection tracking state is unknown', MALFORMED],
  164: ['the local host cannot be reached', 'Check routes and addresses of the node.'],
  165: ['no configuration to decide the policy', AGENT],
  166: ['the L2 protocol is not supported', NOISE],
  167: ['no entry for masquerading the packet', `${TRANSLATION} A reply on another path also looks like this.`],
  168: ['masquerading does not support this protocol', TRANSLATION],
  169: ['no route or neighbour for the destination', 'Check routes and neighbours of the node, and the list of devices that Cilium manages.'],
  170: ['encapsulated traffic is not allowed from here', 'Pods may not send VXLAN or Geneve by themselves; move it to the host or disable the check.'],
  171: ['the security identity is invalid', 'Check that identities are in sync: cluster mesh, kvstore, ipcache.'],
  172: ['the sender has no identity yet', 'A short burst after a pod starts is normal; otherwise check that identities are in sync.'],
  173: ['address translation is not needed; the packet took the wrong path', AGENT],
  174: ['a ClusterIP was called from outside of the cluster', 'Use a NodePort or LoadBalancer service, or allow external access to ClusterIPs.'],
  175: ['a fragment arrived whose first fragment was not seen', 'Avoid fragments by a smaller MTU, or make all fragments take the same path.'],
  176: ['this ICMPv6 message is forbidden', ICMP],
  177: ['the client is not in the service’s loadBalancerSourceRanges', 'Add the client’s range to the service, if it may call it.'],
  178: ['the socket lookup failed', AGENT],
  179: ['the packet could not be given to the proxy’s socket', 'Check that the proxy (Envoy) runs on this node.'],
  180: ['the proxy cannot take this protocol', 'Remove the L7 rule from this port.'],
  181: ['an explicit deny rule matched, which beats every allow rule', 'Read which policy denied it, and narrow or remove that rule.'],
  182: ['the VLAN id is not allowed', 'Add the VLAN id to the VLAN bypass list.'],
  183: ['the tunnel’s network id (VNI) is invalid', 'Make the tunnel settings of all nodes the same.'],
  184: ['the packet buffer is invalid', AGENT],
  185: ['no segment id (SRv6) was found', 'Check the SRv6 configuration of this destination.'],
  186: ['the SRv6 state is missing', 'Check the SRv6 configuration of this destination.'],
  187: ['translation from IPv4 to IPv6 failed', 'Check the NAT46 configuration and the address family of the backends.'],
  188: ['translation from IPv6 to IPv4 failed', 'Check the NAT64 configuration and the address family of the backends.'],
  189: ['mutual authentication is required and not done yet', 'A burst when connections start is normal, the retry passes; if it goes on, check SPIRE and the registered identities.'],
  190: ['the connection tracking map was not found', AGENT],
  191: ['the NAT map was not found', AGENT],
  192: ['the cluster id is invalid', 'Give every cluster of the mesh its own id.'],
  193: ['direct server return cannot encapsulate this protocol', 'Make the DSR settings of all nodes the same, or use SNAT for this service.'],
  194: ['no egress gateway node is available', 'Check the egress gateway policy and that its nodes are ready.'],
  195: ['clear text was refused: encryption is strict', 'Check the WireGuard peer state of the remote node.'],
  196: ['the time to live ran out', 'Look for a routing loop; a traceroute also looks like this.'],
  197: ['the remote node has no node id (IPsec)', 'A short burst when a node joins is normal; otherwise check the IPsec keys.'],
  198: ['rate limited, for example ICMP errors', 'Usually harmless.'],
  199: ['an IGMP message was handled by the datapath', null],
  200: ['a multicast subscription was handled by the datapath', null],
  201: ['a multicast packet was handed over to its subscribers', null],
  202: ['the host’s program is not loaded yet', 'A short burst when the agent starts is normal; otherwise check the agent on this node.'],
  203: ['the endpoint’s program is not loaded yet', 'A short burst when a pod starts is normal; otherwise check the agent on this node.'],
  204: ['the egress gateway has no IP address', 'Check the interface and address of the egress gateway policy.'],
  205: ['the packet was handed over to the proxy', null],
};

const HANDLED_ELSEWHERE: readonly number[] = [199, 200, 201, 205];

/** Text and remedy of a drop reason; a number newer than our table is shown as the number. */
export function dropReasonText(number: number): DropReasonText {
  const name = DROP_REASON.names[number] ?? null;
  const [text, remedy] = ENTRIES[number] ?? [`drop reason ${number}, newer than this version knows`, null];
  return { number, name, text, remedy, failure: !HANDLED_ELSEWHERE.includes(number) };
}

/** Text of a group of drops with several reasons: the most frequent one, and how many others. */
export function dropReasonsText(counts: ReadonlyMap<number, bigint>): {
  readonly text: string;
  readonly remedy: string | null;
} {
  const ranked = [...counts]
    .filter(([, count]) => count > 0n)
    .toSorted(([a, m], [b, n]) => (m === n ? a - b : m > n ? -1 : 1));
  const [first] = ranked;
  if (first === undefined) return { text: 'no reason known', remedy: null };
  const reason = dropReasonText(first[0]);
  const more = ranked.length - 1;
  const others = more === 0 ? '' : ` (and ${more} other ${more === 1 ? 'reason' : 'reasons'})`;
  const named = `${enumName(DROP_REASON, first[0])}: ${reason.text}${others}`;
  return { text: more === 0 ? reason.text : named, remedy: reason.remedy };
}
