import { accept, reject, type Outcome } from '../outcome.js';
import type { WireFields } from '../wire/wire-fields.js';

/** Values of `events.kind`. */
export type EventKind = 'lost_events' | 'node_status' | 'agent_event';

/** What `events` holds of an event that is no flow. */
export interface DecodedEvent {
  readonly kind: EventKind;
  /** LostEventSource, NodeState or AgentEventType number. */
  readonly type: number;
  /** `num_events_lost` of a lost event. */
  readonly count: bigint;
  /** First and last loss of a lost event, ns since 1970; 0 when not said. */
  readonly firstTime: bigint;
  readonly lastTime: bigint;
  readonly nodes: readonly string[];
  readonly namespace: string;
  readonly pod: string;
  readonly labels: readonly string[];
  readonly text: string;
}

const BLANK = {
  count: 0n,
  firstTime: 0n,
  lastTime: 0n,
  nodes: [],
  namespace: '',
  pod: '',
  labels: [],
  text: '',
};
const DATE_TIME_MIN = -2_208_988_800_000_000_000n;
const DATE_TIME_MAX = 9_223_372_035_999_999_999n;

/**
 * Decodes `relay.NodeStatusEvent` (field 2 of a response), `flow.LostEvent` (3) or `flow.AgentEvent` (4). Rejects
 * `wire` and `invalid_utf8`.
 */
export function decodeEvent(member: number, body: WireFields): Outcome<DecodedEvent> {
  const event = member === 2 ? nodeStatus(body) : member === 3 ? lostEvents(body) : agentEvent(body);
  return body.bad ? reject(body.reason) : accept(event);
}

function nodeStatus(body: WireFields): DecodedEvent {
  return { ...BLANK, kind: 'node_status', type: body.int32(1), nodes: body.texts(2), text: body.text(3) };
}

function lostEvents(body: WireFields): DecodedEvent {
  return {
    ...BLANK,
    kind: 'lost_events',
    type: body.int32(1),
    count: body.uint64(2),
    firstTime: timestampNs(body.message(4)),
    lastTime: timestampNs(body.message(5)),
  };
}

/** Agent events differ by member; each fills what it has (hubble note 2.1, numbers of flow.proto). */
function agentEvent(body: WireFields): DecodedEvent {
  const event = { ...BLANK, kind: 'agent_event' as const, type: body.int32(1) };
  const unknown = body.message(100);
  if (unknown !== undefined) return { ...event, text: unknown.text(2) };
  const policy = body.message(102);
  if (policy !== undefined) return { ...event, labels: policy.texts(1) };
  const regenerated = body.message(103);
  if (regenerated !== undefined) return { ...event, labels: regenerated.texts(2), text: regenerated.text(3) };
  const updated = body.message(104);
  if (updated !== undefined)
    return {
      ...event,
      labels: updated.texts(2),
      text: updated.text(3),
      pod: updated.text(4),
      namespace: updated.text(5),
    };
  const ipCache = body.message(105);
  if (ipCache !== undefined)
    return { ...event, text: ipCache.text(1), namespace: ipCache.text(7), pod: ipCache.text(8) };
  const service = body.message(106);
  return service === undefined ? event : { ...event, text: service.text(6), namespace: service.text(7) };
}

/** 0 when absent, or outside what DateTime64(9) holds. */
function timestampNs(timestamp: WireFields | undefined): bigint {
  if (timestamp === undefined) return 0n;
  const ns = BigInt.asIntN(64, timestamp.uint64(1)) * 1_000_000_000n + BigInt(timestamp.int32(2));
  return ns < DATE_TIME_MIN || ns > DATE_TIME_MAX ? 0n : ns;
}
