import { toJsonLine } from '../json/json-line.js';
import { Simulation } from '../simulation.js';

/** `flow.Endpoint` in JSON. */
export interface JsonEnd {
  ID?: number;
  identity?: number;
  namespace?: string;
  labels?: string[];
  pod_name?: string;
  workloads?: { name: string; kind: string }[];
}

/** `flow.Flow` in JSON, as far as the specs look at it. */
export interface JsonFlow {
  time: string;
  uuid?: string;
  emitter?: unknown;
  verdict: string;
  auth_type?: string;
  drop_reason?: number;
  drop_reason_desc?: string;
  ethernet?: unknown;
  IP?: {
    source: string;
    destination: string;
    ipVersion: string;
    source_xlated?: string;
    encrypted?: boolean;
  };
  l4?: Record<
    string,
    { source_port?: number; destination_port?: number; flags?: Record<string, boolean>; type?: number }
  >;
  source: JsonEnd;
  destination: JsonEnd;
  Type: string;
  node_name: string;
  node_labels: string[];
  source_names?: string[];
  destination_names?: string[];
  l7?: {
    type: string;
    latency_ns?: string;
    http?: { code?: number; method: string; url: string; headers: { key: string; value: string }[] };
    dns?: {
      query: string;
      rcode?: number;
      ips?: string[];
      cnames?: string[];
      qtypes: string[];
      rrtypes?: string[];
      ttl?: number;
    };
    kafka?: { topic: string };
  };
  reply?: boolean;
  event_type: { type: number; sub_type?: number };
  source_service?: { name: string };
  destination_service?: { name: string };
  traffic_direction?: string;
  trace_observation_point?: string;
  trace_reason?: string;
  is_reply?: boolean;
  interface?: { name: string };
  proxy_port?: number;
  trace_context?: { parent: { trace_id: string } };
  file?: unknown;
  tunnel?: { protocol: string; l4: unknown };
  aggregate?: Record<string, number>;
  Summary?: string;
  [policies: `${string}_by`]: { name: string; kind: string; revision: string }[] | undefined;
}

/** An agent event in JSON. */
export interface JsonAgentEvent {
  time: string;
  agent_event: { type: string };
}

const SECOND = 1_000_000_000n;

/** When the run of {@link playRun} starts and when its incident does, ns since 1970. */
export const RUN_START = 1_790_000_000n * SECOND;
export const RUN_INCIDENT = RUN_START + 200n * SECOND;

/** A run in which everything happens, as JSON. */
export function playRun(): { flows: JsonFlow[]; agentEvents: JsonAgentEvent[] } {
  const simulation = new Simulation({
    seed: 5,
    from: RUN_START,
    to: RUN_START + 400n * SECOND,
    incidentStart: RUN_INCIDENT,
    callsPerSecond: 25,
    scenario: 'test',
    faults: { podChurn: 120, aggregatedShare: 0.02 },
  });
  const flows: JsonFlow[] = [];
  const agentEvents: JsonAgentEvent[] = [];
  for (const event of simulation.events()) {
    const json = JSON.parse(toJsonLine(event)) as JsonAgentEvent & { flow: JsonFlow };
    if (event.kind === 'flow') flows.push(json.flow);
    else agentEvents.push(json);
  }
  return { flows, agentEvents };
}

/** The first few of a list that break a rule; an expectation on them is cheaper than one a flow. */
export function offenders<T>(list: readonly T[], keepsRule: (one: T) => boolean): T[] {
  return list.filter((one) => !keepsRule(one)).slice(0, 3);
}

/** Node and five-tuple of a packet, to find its twins. */
export function packetKey(flow: JsonFlow): string {
  const [protocol, l4] = Object.entries(flow.l4 ?? {})[0] ?? ['', {}];
  const { source, destination } = flow.IP ?? {};
  return [flow.node_name, source, destination, protocol, l4.source_port, l4.destination_port].join();
}

/** ns since 1970 of a time in JSON. */
export function nanos(time: string): bigint {
  const [whole = '', fraction = ''] = time.slice(0, -1).split('.');
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
