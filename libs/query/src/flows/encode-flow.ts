import { summaryOf, WireFields, WireWriter } from '@flowledger/model';
import type { LabelledFlow } from '../live/live-flows.js';
import { encodedLabels, encodeEndpoint, encodeService } from './encode-flow-endpoint.js';
import { encodeL4, encodeL7 } from './encode-flow-layers.js';
import type { FlowRecord, FlowWire } from './flow-record.js';

const SECOND_NS = 1_000_000_000n;
const TIME_ABSENT = 3;
const FLAGS_PRESENT = 512;
const NO_HTTP = { code: 0, method: '', url: '', protocol: '' };
const NO_DNS = { query: '', ips: [], cnames: [], ttl: 0, rcode: 0, qtypes: [], source: '' };
const NO_KAFKA = { errorCode: 0, apiKey: '', correlationId: 0, topic: '' };
const NOTHING = new WireFields(new Uint8Array(0));

/** The text of `Flow.Summary`: as sent where the store kept it, else as Cilium makes it of the same fields. */
export function flowSummary(flow: FlowRecord): string {
  if (flow.summary !== '') return flow.summary;
  return summaryOf({
    l4Protocol: flow.l4Protocol,
    tcpFlags: flow.tcpFlags === null ? 0 : flow.tcpFlags | FLAGS_PRESENT,
    icmpType: flow.icmp?.type ?? 0,
    icmpCode: flow.icmp?.code ?? 0,
    l7Kind: flow.l7Kind,
    l7Type: flow.l7Type,
    latencyNs: flow.latencyNs ?? 0n,
    http: flow.http ?? NO_HTTP,
    dns: flow.dns === null ? NO_DNS : { ...flow.dns, source: flow.dns.observationSource },
    kafka: flow.kafka ?? NO_KAFKA,
  });
}

/**
 * A flow as the message `flow.Flow` (hubble note 1.1), written to the end of `out`. Everything that was sent is in it:
 * from the typed columns, the bytes of `policies`, and the bytes of `extra`, which come last because the last value of a
 * field counts. More than was sent are the fields that Hubble's own clients expect: `Summary`, the deprecated twins
 * `drop_reason` (3) and `reply` (16) beside 25 and 26, the twin's successor where only the twin was sent, and
 * `node_name` where only the response around the flow named the node. Throws RangeError for a record that was read
 * without the part `wire`: that is a mistake in our code.
 */
export function writeFlow(out: WireWriter, labelled: LabelledFlow): void {
  const { flow } = labelled;
  const { wire } = flow;
  if (wire === null) throw new RangeError('a flow read without the part wire cannot be encoded');
  const extra = flow.extra.length === 0 ? NOTHING : new WireFields(flow.extra);
  if (flow.timeQuality < TIME_ABSENT) writeTime(out, 1, flow.timeNs);
  number(out, 2, flow.verdict);
  number(out, 3, flow.dropReason);
  writePair(out, 4, wire.ethernet.source, wire.ethernet.destination);
  writeIp(out, flow, wire);
  encodeL4(out, flow);
  encodeEndpoint(out, 8, flow.source, labelled.sourceLabels, extra);
  encodeEndpoint(out, 9, flow.destination, labelled.destinationLabels, extra);
  number(out, 10, flow.flowType);
  if (!extra.has(11)) out.stringField(11, `${flow.cluster}/${flow.node}`);
  for (const name of flow.source.names) out.stringField(13, name);
  for (const name of flow.destination.names) out.stringField(14, name);
  encodeL7(out, flow);
  writeEvent(out, flow, wire);
  if (!extra.has(37)) out.raw(encodedLabels(37, labelled.nodeLabels));
  writeTail(out, flow, wire);
  out.raw(flow.extra);
}

/** {@link writeFlow} into bytes of their own. */
export function encodeFlow(labelled: LabelledFlow): Uint8Array {
  const out = new WireWriter(1024);
  writeFlow(out, labelled);
  return out.finish();
}

/** A `google.protobuf.Timestamp` as field `field`. */
export function writeTime(out: WireWriter, field: number, timeNs: bigint): void {
  const nanos = ((timeNs % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const mark = out.open(field);
  const seconds = (timeNs - nanos) / SECOND_NS;
  if (seconds !== 0n) out.uint64Field(1, BigInt.asUintN(64, seconds));
  if (nanos !== 0n) out.uint32Field(2, Number(nanos));
  out.close(mark);
}

/** A signed number or enum; protobuf leaves out 0. */
function number(out: WireWriter, field: number, value: number): void {
  if (value === 0) return;
  if (value > 0) {
    out.uint32Field(field, value);
    return;
  }
  out.tag(field, 0);
  out.int32(value);
}

function text(out: WireWriter, field: number, value: string): void {
  if (value !== '') out.stringField(field, value);
}

function uint64(out: WireWriter, field: number, value: bigint): void {
  if (value !== 0n) out.uint64Field(field, value);
}

function writePair(out: WireWriter, field: number, first: string, second: string): void {
  if (first === '' && second === '') return;
  const mark = out.open(field);
  text(out, 1, first);
  text(out, 2, second);
  out.close(mark);
}

/** The store writes `::1.2.3.4` where Hubble writes `::102:304`; `::` itself would be in `extra`. */
function address(value: string | null): string {
  if (value === null || value === '::') return '';
  const tail = /^::(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(value);
  if (tail === null) return value;
  const [a = 0, b = 0, c = 0, d = 0] = tail.slice(1).map(Number);
  return `::${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function writeIp(out: WireWriter, flow: FlowRecord, wire: FlowWire): void {
  const [source, destination] = [address(flow.source.ip), address(flow.destination.ip)];
  const xlated = address(flow.sourceIpXlated);
  if (source === '' && destination === '' && xlated === '' && flow.ipVersion === 0 && !wire.encrypted) return;
  const mark = out.open(5);
  text(out, 1, source);
  text(out, 2, destination);
  number(out, 3, flow.ipVersion);
  if (wire.encrypted) out.uint32Field(4, 1);
  text(out, 5, xlated);
  out.close(mark);
}

function writeEvent(out: WireWriter, flow: FlowRecord, wire: FlowWire): void {
  if (flow.isReply === true) out.uint32Field(16, 1);
  if (flow.eventType !== -1 || flow.eventSubType !== 0) {
    const mark = out.open(19);
    if (flow.eventType !== -1) number(out, 1, flow.eventType);
    number(out, 2, flow.eventSubType);
    out.close(mark);
  }
  encodeService(out, 20, flow.source);
  encodeService(out, 21, flow.destination);
  number(out, 22, flow.trafficDirection);
  number(out, 23, flow.policyMatchType);
  number(out, 24, flow.traceObservationPoint);
  number(out, 25, flow.dropReason);
  if (flow.isReply !== null) {
    const mark = out.open(26);
    if (flow.isReply) out.uint32Field(1, 1);
    out.close(mark);
  }
  number(out, 27, wire.debugCapturePoint);
  if (flow.interface !== null) {
    const mark = out.open(28);
    number(out, 1, flow.interface.index);
    text(out, 2, flow.interface.name);
    out.close(mark);
  }
  number(out, 29, flow.proxyPort);
  number(out, 31, wire.sockXlatePoint);
  uint64(out, 32, wire.socketCookie);
  uint64(out, 33, wire.cgroupId);
  text(out, 34, flow.uuid ?? '');
  number(out, 35, flow.authType);
  number(out, 36, flow.traceReason);
}

function writeTail(out: WireWriter, flow: FlowRecord, wire: FlowWire): void {
  if (flow.traceId !== null) {
    const outer = out.open(30);
    const inner = out.open(1);
    text(out, 1, flow.traceId);
    out.close(inner);
    out.close(outer);
  }
  if (flow.file !== null) {
    const mark = out.open(38);
    text(out, 1, flow.file.name);
    number(out, 2, flow.file.line);
    out.close(mark);
  }
  if (wire.ipTraceId !== 0n || wire.ipOptionType !== 0) {
    const mark = out.open(40);
    uint64(out, 1, wire.ipTraceId);
    number(out, 2, wire.ipOptionType);
    out.close(mark);
  }
  writePair(out, 41, wire.emitter.name, wire.emitter.version);
  out.raw(wire.policies);
  for (const entry of flow.policyLog) out.stringField(21_006, entry);
  const { ingress, egress, unknown } = wire.aggregate;
  if (ingress + egress + unknown > 0) {
    const mark = out.open(21_007);
    number(out, 1, ingress);
    number(out, 2, egress);
    number(out, 3, unknown);
    out.close(mark);
  }
  text(out, 100_000, flowSummary(flow));
}
