import { any, certain, maybe, NO, YES, type Match } from '../match.js';
import type { Entry, IcmpRule, PortRule } from '../policy.js';
import type { FlowView } from './flow-view.js';

/** Protocols that `ANY`, and a port without protocol, stand for. */
const WITH_PORTS = ['TCP', 'UDP', 'SCTP'];
const ICMP: Readonly<Record<string, IcmpRule['family']>> = { ICMPv4: 'IPv4', ICMPv6: 'IPv6' };

function matchPort(rule: PortRule, flow: FlowView): Match {
  if (flow.protocol === '') return maybe('the flow does not show its protocol');
  const own = flow.protocol.toUpperCase();
  const protocols = rule.protocol === 'ANY' ? WITH_PORTS : [rule.protocol];
  if (!protocols.includes(own === 'ICMPV4' ? 'ICMP' : own)) return NO;
  if (rule.named !== '') return maybe(`which port is named ${rule.named} only the pod's definition says`);
  if (rule.from === 0) return YES;
  if (flow.port === null) return maybe('the flow does not show its port');
  return certain(flow.port >= rule.from && flow.port <= rule.to);
}

function matchIcmp(rule: IcmpRule, flow: FlowView): Match {
  if (ICMP[flow.protocol] !== rule.family) return NO;
  if (rule.type < 0) return maybe('an ICMP type that is not understood');
  return flow.icmpType === null
    ? maybe('the flow does not show its ICMP type')
    : certain(flow.icmpType === rule.type);
}

/** Whether a packet's protocol and port, or its ICMP message, are those of a rule. */
export function matchPorts({ ports, icmps }: Entry, flow: FlowView): Match {
  if (ports === null && icmps === null) return YES;
  return any([
    ...(ports ?? []).map((rule) => matchPort(rule, flow)),
    ...(icmps ?? []).map((rule) => matchIcmp(rule, flow)),
  ]);
}

/** True when every port rule that the flow matches hands its calls to a proxy with L7 rules. */
export function isL7Only({ ports }: Entry, flow: FlowView): boolean {
  const matching = (ports ?? []).filter((rule) => matchPort(rule, flow).is !== 'NO');
  return matching.length > 0 && matching.every((rule) => rule.l7);
}

function portText({ protocol, from, to, named }: PortRule): string {
  const range =
    named !== '' ? named : from === 0 ? 'every port' : from === to ? String(from) : `${from}-${to}`;
  return `${protocol === 'ANY' ? 'any protocol' : protocol} ${range}`;
}

/** Ports of a rule in words. */
export function portsText({ ports, icmps }: Entry): string {
  if (ports === null && icmps === null) return 'every port';
  const messages = (icmps ?? []).map(({ family, type }) => `ICMP ${family} type ${type}`);
  return [...(ports ?? []).map(portText), ...messages].join(', ');
}
