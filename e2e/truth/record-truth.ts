import { toJsonLine, type SimulatedEvent } from '@flowledger/simulator';
import { SECOND_NS, timeNs, type Span } from './scenarios.js';

const DROP = 1;
const POLICY_VERDICT = 5;

/** One end of a flow in a line of an export file; absent = zero. */
interface LineEndpoint {
  readonly identity?: number;
  readonly namespace?: string;
  readonly labels?: readonly string[];
  readonly pod_name?: string;
  readonly workloads?: readonly { readonly name: string; readonly kind: string }[];
}
interface LinePolicy {
  readonly name: string;
  readonly namespace?: string;
  readonly revision?: string;
  readonly kind?: string;
}
interface LinePorts {
  readonly source_port?: number;
  readonly destination_port?: number;
}
type PolicyField = 'egress_allowed_by' | 'ingress_allowed_by' | 'egress_denied_by' | 'ingress_denied_by';

/** A flow as an export file has it: the independent reading of the simulator's bytes. */
export interface LineFlow extends Partial<Readonly<Record<PolicyField, readonly LinePolicy[]>>> {
  readonly time: string;
  readonly uuid?: string;
  readonly verdict: string;
  readonly node_name: string;
  readonly Type: string;
  readonly IP?: { readonly source: string; readonly destination: string };
  readonly l4?: Readonly<Record<string, LinePorts>>;
  readonly source?: LineEndpoint;
  readonly destination?: LineEndpoint;
  readonly destination_names?: readonly string[];
  readonly event_type: { readonly type: number; readonly sub_type?: number };
  readonly traffic_direction?: string;
  readonly drop_reason_desc?: string;
  readonly is_reply?: boolean;
  readonly Summary?: string;
  readonly trace_context?: { readonly parent: { readonly trace_id: string } };
  readonly aggregate?: Readonly<Record<string, number>>;
  readonly l7?: {
    readonly type: string;
    readonly latency_ns?: string;
    readonly http?: { readonly code?: number; readonly method: string; readonly url: string };
    readonly dns?: { readonly query: string; readonly rcode?: number; readonly ips?: readonly string[] };
    readonly kafka?: { readonly api_key: string; readonly topic: string; readonly error_code?: number };
  };
}

/** A line of an export file. */
export interface Line {
  readonly node: string;
  readonly timeNs: bigint;
  readonly flow?: LineFlow;
  readonly lost_events?: { readonly num_events_lost: string; readonly first: string; readonly last: string };
  readonly node_status?: { readonly state_change: string; readonly node_names: readonly string[] };
}

/** Reads events back as lines, each once although a replay sent it twice. */
export function linesOf(events: readonly SimulatedEvent[]): readonly Line[] {
  const texts = new Map<string, Line>();
  for (const event of events) {
    const text = toJsonLine(event);
    // Bare node names of other events do not tell clusters apart.
    const key = `${event.node} ${text}`;
    if (!texts.has(key))
      texts.set(key, { ...(JSON.parse(text) as object), node: event.node, timeNs: event.timeNs });
  }
  return [...texts.values()];
}

/** The lines within a window. */
export function linesIn(lines: readonly Line[], { fromNs, toNs }: Span): readonly Line[] {
  return lines.filter((line) => line.timeNs >= fromNs && line.timeNs < toNs);
}

/** How many flows a record stands for. */
export function weightOfFlow({ aggregate = {} }: LineFlow): number {
  const sum = Object.values(aggregate).reduce((total, count) => total + count, 0);
  return sum === 0 ? 1 : sum;
}

/** The fields of `Flow` that a line tells. */
export const FLOW_FIELDS = `uuid time clusterName nodeName verdict type eventType { number } eventSubType
  source { ip identity namespace podName labels } destination { ip identity namespace podName labels names }
  isReply trafficDirection dropReason { name } protocol sourcePort destinationPort
  http { method url code } dns { query ips rcode { number } } kafka { apiKey topic errorCode { number } } latencyMs
  policies { kind namespace name revision effect } traceId weight summary`;

/** Policy verdicts of refused packets by node and 5-tuple: they lend their names to the drop events beside them. */
export type Verdicts = ReadonlyMap<string, readonly LineFlow[]>;

/** Finds the policy verdicts of refused packets. */
export function deniedVerdicts(flows: readonly LineFlow[]): Verdicts {
  const found = new Map<string, LineFlow[]>();
  for (const flow of flows) {
    if (flow.event_type.type !== POLICY_VERDICT || flow.verdict !== 'DROPPED') continue;
    found.set(tupleOf(flow), [...(found.get(tupleOf(flow)) ?? []), flow]);
  }
  return found;
}

function tupleOf({ node_name, IP, l4 }: LineFlow): string {
  return JSON.stringify([
    node_name,
    IP,
    Object.entries(l4 ?? {}).map(([name, ports]) => [name, ports.source_port, ports.destination_port]),
  ]);
}

/** The flow whose policies a flow shows: its own, or those of its verdict at most a second away. */
function namedBy(flow: LineFlow, verdicts: Verdicts): LineFlow {
  if (flow.event_type.type !== DROP || flow.drop_reason_desc?.startsWith('POLICY_') !== true) return flow;
  const at = timeNs(flow.time);
  const near = verdicts.get(tupleOf(flow))?.find((one) => {
    const apart = timeNs(one.time) - at;
    return apart <= SECOND_NS && apart >= -SECOND_NS;
  });
  return near ?? flow;
}

/** What those fields must be. */
export function flowOf(flow: LineFlow, verdicts: Verdicts): object {
  const [cluster, node] = flow.node_name.split('/');
  return {
    uuid: flow.uuid ?? null,
    time: flow.time,
    clusterName: cluster,
    nodeName: node,
    verdict: flow.verdict,
    type: flow.Type,
    eventType: { number: flow.event_type.type },
    eventSubType: flow.event_type.sub_type ?? 0,
    source: endpointOf(flow.source, flow.IP?.source),
    destination: {
      ...endpointOf(flow.destination, flow.IP?.destination),
      names: flow.destination_names ?? [],
    },
    isReply: flow.is_reply ?? null,
    trafficDirection: flow.traffic_direction ?? 'UNKNOWN',
    dropReason: flow.drop_reason_desc === undefined ? null : { name: flow.drop_reason_desc },
    ...transportOf(flow),
    ...layer7Of(flow),
    policies: policiesOf(namedBy(flow, verdicts)),
    traceId: flow.trace_context?.parent.trace_id ?? null,
    weight: weightOfFlow(flow),
    summary: flow.Summary ?? '',
  };
}

function endpointOf(end: LineEndpoint = {}, ip: string | undefined): object {
  return {
    ip: ip ?? null,
    identity: end.identity ?? null,
    namespace: end.namespace ?? null,
    podName: end.pod_name ?? null,
    labels: end.labels ?? [],
  };
}

function transportOf({ l4 }: LineFlow): object {
  const [protocol, ports] = Object.entries(l4 ?? {})[0] ?? [null, {}];
  const hasPorts = protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP';
  const port = (value: number | undefined) => (hasPorts ? (value ?? 0) : null);
  return { protocol, sourcePort: port(ports.source_port), destinationPort: port(ports.destination_port) };
}

function layer7Of({ l7 }: LineFlow): object {
  const { http, dns, kafka, latency_ns: latency } = l7 ?? {};
  const answer = l7?.type === 'RESPONSE';
  return {
    http: http === undefined ? null : { method: http.method, url: http.url, code: http.code ?? null },
    dns:
      dns === undefined
        ? null
        : { query: dns.query, ips: dns.ips ?? [], rcode: answer ? { number: dns.rcode ?? 0 } : null },
    kafka:
      kafka === undefined
        ? null
        : {
            apiKey: kafka.api_key,
            topic: kafka.topic,
            errorCode: answer ? { number: kafka.error_code ?? 0 } : null,
          },
    latencyMs: latency === undefined ? null : Number(latency) / 1e6,
  };
}

function policiesOf(flow: LineFlow): readonly object[] {
  const effects = [
    ['egress_allowed_by', 'ALLOWED'],
    ['ingress_allowed_by', 'ALLOWED'],
    ['egress_denied_by', 'DENIED'],
    ['ingress_denied_by', 'DENIED'],
  ] as const;
  return effects.flatMap(([field, effect]) =>
    (flow[field] ?? []).map(({ kind = '', namespace, name, revision }) => ({
      kind,
      namespace: namespace ?? null,
      name,
      revision: revision ?? null,
      effect,
    })),
  );
}
