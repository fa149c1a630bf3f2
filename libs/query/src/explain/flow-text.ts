import { enumName, L4_PROTOCOL } from '@flowledger/model';
import type { EndpointRecord, FlowRecord } from '../flows/flow-record.js';
import { partiesOf } from './plan-drop-explanation.js';

const RESERVED = 'reserved:';

/** An endpoint as people call it: workload, else pod, DNS name or address. */
export function endpointText(endpoint: EndpointRecord): string {
  if (endpoint.workload.startsWith(RESERVED)) {
    const where = endpoint.names[0] ?? endpoint.ip;
    const name = endpoint.workload.slice(RESERVED.length);
    return where === null ? name : `${name} (${where})`;
  }
  const name = endpoint.workload || endpoint.pod;
  if (name === '') return endpoint.names[0] ?? endpoint.ip ?? 'an unknown endpoint';
  return endpoint.namespace === '' ? name : `${endpoint.namespace}/${name}`;
}

/** Protocol and server port: `TCP port 8080`; without ports only the protocol. */
export function serviceText(flow: FlowRecord): string {
  const protocol = flow.l4Protocol === 0 ? 'IP' : enumName(L4_PROTOCOL, flow.l4Protocol);
  const port = flow.serverPort || (flow.client === 'destination' ? flow.sourcePort : flow.destinationPort);
  return port === 0 ? protocol : `${protocol} port ${port}`;
}

/** `shop/frontend to shop/cart on TCP port 8080`. */
export function callText(flow: FlowRecord): string {
  const { client, server } = partiesOf(flow);
  return `${endpointText(client)} to ${endpointText(server)} on ${serviceText(flow)}`;
}

/** What an L7 record asked for: method and path, DNS name, or Kafka topic; empty when the record does not say. */
export function requestText(flow: FlowRecord): string {
  if (flow.http !== null) return `${flow.http.method} ${flow.http.url}`.trim();
  if (flow.dns !== null) return `DNS query ${flow.dns.query}`.trim();
  return flow.kafka === null ? '' : `Kafka ${flow.kafka.apiKey} ${flow.kafka.topic}`.trim();
}

/** RFC 3339 to the millisecond. */
export function timeText(timeNs: bigint): string {
  return new Date(Number(timeNs / 1_000_000n)).toISOString();
}

const UNITS: readonly (readonly [ns: number, unit: string])[] = [
  [3_600e9, 'h'],
  [60e9, 'min'],
  [1e9, 's'],
];

/** A span in its largest fitting unit, one decimal: `2.5 min`; below a second in milliseconds. */
export function spanText(spanNs: bigint): string {
  const ns = Number(spanNs);
  const [size, unit] = UNITS.find(([least]) => ns >= least) ?? [1e6, 'ms'];
  return `${Math.round((ns / size) * 10) / 10} ${unit}`;
}
