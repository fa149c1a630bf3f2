import type { EndpointView } from '../endpoint-view.js';
import type { Direction } from '../policy.js';

/** A connection as the policies of one of its ends judge it: never a reply, which conntrack lets pass. */
export interface FlowView {
  /** INGRESS: `subject` is the server; EGRESS: it is the client. */
  readonly direction: Direction;
  /** Whose policies judge. */
  readonly subject: EndpointView;
  readonly peer: EndpointView;
  /** TCP, UDP, SCTP, ICMPv4, ICMPv6, or another name; '' when the flow does not say. */
  readonly protocol: string;
  /** Port of the server; null where the protocol has none or the flow does not say. */
  readonly port: number | null;
  /** Null when it is no ICMP message, or not known. */
  readonly icmpType: number | null;
  /** True for a call (HTTP, DNS, Kafka) that a proxy judges, not a packet. */
  readonly l7: boolean;
}
