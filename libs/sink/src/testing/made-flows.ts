import { encodeEnvelope, type EnvelopeHeader } from '@flowledger/model';
import type { AppendRecord } from '@flowledger/event-log';

/** What the flows of one made envelope look like. */
export interface MadeEnvelope {
  readonly node: string;
  readonly partition: number;
  /** Time of the first flow, ms since 1970. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly count: number;
  /** Number of the first flow: makes uuids, so the same number is the same flow. */
  readonly first: number;
  readonly receivedMs: number;
  readonly source?: string;
  /** Replaces the event at an index by these bytes. */
  readonly poison?: (index: number) => string | undefined;
}

/** One envelope of export lines: HTTP responses, DNS answers, drops and plain traces in turn, each with its own uuid. */
export function madeRecord(made: MadeEnvelope): AppendRecord {
  const events: Buffer[] = [];
  for (let i = 0; i < made.count; i++)
    events.push(
      Buffer.from(made.poison?.(i) ?? line(made.node, made.first + i, made.startMs + i * made.stepMs)),
    );
  const header: EnvelopeHeader = {
    version: 1,
    tenant: 'default',
    cluster: 'default',
    stream: made.node,
    source: made.source ?? 'relay',
    codec: 'hubble.export_json',
    count: events.length,
    firstTimeNs: BigInt(made.startMs) * 1_000_000n,
    lastTimeNs: BigInt(made.startMs + made.stepMs * Math.max(0, made.count - 1)) * 1_000_000n,
    receivedMs: made.receivedMs,
  };
  return { partition: made.partition, events: events.length, value: encodeEnvelope(header, events) };
}

function line(node: string, number: number, timeMs: number): string {
  const hex = number.toString(16).padStart(12, '0');
  const flow = {
    time: new Date(timeMs).toISOString(),
    uuid: `6f1c0000-0000-4000-8000-${hex}`,
    IP: { source: `10.0.0.${number % 200}`, destination: '10.0.1.7', ipVersion: 'IPv4' },
    source: endpoint('web', `web-5d4f8c7b9d-${'bcdfghjklm'[number % 10] ?? 'b'}x2zv`),
    destination: endpoint('api', 'api-7c9d6b5f4-x8k2p'),
    node_name: node,
    ...kindOf(number),
  };
  return JSON.stringify({ flow, node_name: node, time: flow.time });
}

function endpoint(app: string, pod: string) {
  return { identity: 1000 + app.length, namespace: 'shop', labels: [`k8s:app=${app}`], pod_name: pod };
}

function kindOf(number: number): object {
  const tcp = { l4: { TCP: { source_port: 40000 + (number % 1000), destination_port: 8080 } } };
  if (number % 4 === 0)
    return {
      ...tcp,
      verdict: 'FORWARDED',
      Type: 'L7',
      is_reply: true,
      traffic_direction: 'INGRESS',
      event_type: { type: 129 },
      l7: {
        type: 'RESPONSE',
        latency_ns: String(1_000_000 + (number % 977) * 10_000),
        http: { code: number % 20 === 0 ? 503 : 200, method: 'GET', url: `/cart/${number % 5}` },
      },
    };
  if (number % 4 === 1)
    return {
      ...tcp,
      verdict: 'DROPPED',
      drop_reason_desc: 'POLICY_DENIED',
      Type: 'L3_L4',
      traffic_direction: 'INGRESS',
      event_type: { type: 1, sub_type: 133 },
    };
  return {
    ...tcp,
    verdict: 'FORWARDED',
    Type: 'L3_L4',
    is_reply: number % 4 === 2,
    traffic_direction: 'INGRESS',
    trace_observation_point: 'TO_ENDPOINT',
    trace_reason: 'ESTABLISHED',
    event_type: { type: 4 },
  };
}
