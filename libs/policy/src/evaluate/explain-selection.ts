import type { Policy, PolicyName } from '../policy.js';
import { peerText } from './match-peer.js';
import { matchPeers } from './match-peer.js';
import { matchPorts, portsText } from './match-port.js';
import { matchEntry, rulesOf, selection } from './evaluate.js';
import type { FlowView } from './flow-view.js';

/** Why one allow rule does or does not let a flow pass. */
export interface EntryReason {
  readonly path: string;
  /** How near the rule is: 2 = it allows or may allow, 1 = peer or port match, 0 = neither. */
  readonly nearness: number;
  /** In words. */
  readonly text: string;
}

/** A policy that selects the endpoint for the direction of a flow. */
export interface SelectingPolicy {
  readonly policy: PolicyName;
  /** False when it cannot be told whether it selects the endpoint. */
  readonly certain: boolean;
  /** Whether it puts the endpoint into default deny. */
  readonly enforces: boolean;
  /** Nearest first; empty when it allows nothing in this direction. */
  readonly entries: readonly EntryReason[];
}

const MAX_NAMED = 4;

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_NAMED).join(' or ');
  return texts.length > MAX_NAMED ? `${shown} or ${texts.length - MAX_NAMED} more` : shown;
}

function entryReason(entry: Parameters<typeof matchEntry>[0], flow: FlowView): EntryReason {
  const peer = matchPeers(entry.peers, flow.peer, flow.subject);
  const port = matchPorts(entry, flow);
  const whole = matchEntry(entry, flow);
  const who =
    entry.peers === null
      ? 'everybody'
      : entry.peers.length === 0
        ? 'nobody'
        : listed([...new Set(entry.peers.map(peerText))]);
  const says = `allows ${who} on ${portsText(entry)}`;
  const nearness = whole.is === 'NO' ? Number(peer.is !== 'NO') + Number(port.is !== 'NO') : 2;
  if (whole.is === 'YES') return { path: entry.path, nearness: 2, text: `${says}: this flow too` };
  if (whole.is === 'MAYBE')
    return { path: entry.path, nearness: 2, text: `${says}: cannot be judged (${whole.reasons.join('; ')})` };
  const why =
    peer.is === 'NO' && port.is === 'NO'
      ? 'neither this peer nor this port'
      : peer.is === 'NO'
        ? 'this port, but not this peer'
        : 'this peer, but not this port';
  return { path: entry.path, nearness, text: `${says}: ${why}` };
}

/** The policies that select the endpoint for the flow's direction, and why each of their rules allows it or not. */
export function explainSelection(policies: readonly Policy[], flow: FlowView): readonly SelectingPolicy[] {
  return policies.flatMap((policy) => {
    const rules = policy.rules
      .map((rule) => ({ rules: rulesOf(rule, flow.direction), selected: selection(policy, rule, flow) }))
      .filter(
        ({ rules: own, selected }) => selected.is !== 'NO' && (own.defaultDeny || own.allow.length > 0),
      );
    if (rules.length === 0) return [];
    const { kind, namespace, name } = policy;
    return {
      policy: { kind, namespace, name },
      certain: rules.some(({ selected }) => selected.is === 'YES'),
      enforces: rules.some((one) => one.rules.defaultDeny),
      entries: rules
        .flatMap((one) => one.rules.allow.map((entry) => entryReason(entry, flow)))
        .toSorted((a, b) => b.nearness - a.nearness),
    };
  });
}
