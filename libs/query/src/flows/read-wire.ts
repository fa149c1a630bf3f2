import type { ColumnReaders } from './column-reader.js';
import type { FlowWire } from './flow-record.js';

/** The columns of the part `wire`. */
export type WireColumns = ReturnType<typeof wireColumns>;

/** Looks the columns of the part `wire` up, once for all rows; null for a page without the part. */
export function wireColumns(columns: ColumnReaders) {
  if (!columns.has('emitter_name')) return null;
  return {
    emitterName: columns.column('emitter_name'),
    emitterVersion: columns.column('emitter_version'),
    ethernetSource: columns.column('ethernet_source'),
    ethernetDestination: columns.column('ethernet_destination'),
    debugCapturePoint: columns.column('debug_capture_point'),
    sockXlatePoint: columns.column('sock_xlate_point'),
    socketCookie: columns.column('socket_cookie'),
    cgroupId: columns.column('cgroup_id'),
    ipTraceId: columns.column('ip_trace_id'),
    ipOptionType: columns.column('ip_option_type'),
    encrypted: columns.column('encrypted'),
    nodeLabelSet: columns.column('node_label_set'),
    ingress: columns.column('aggregate_ingress'),
    egress: columns.column('aggregate_egress'),
    unknown: columns.column('aggregate_unknown'),
  };
}

/** The part `wire` of a row; `policies` are its bytes of that column. */
export function readWire(of: WireColumns, row: number, policies: Uint8Array): FlowWire | null {
  if (of === null) return null;
  return {
    emitter: { name: of.emitterName.text(row), version: of.emitterVersion.text(row) },
    ethernet: { source: of.ethernetSource.text(row), destination: of.ethernetDestination.text(row) },
    debugCapturePoint: of.debugCapturePoint.number(row),
    sockXlatePoint: of.sockXlatePoint.number(row),
    socketCookie: of.socketCookie.bigint(row),
    cgroupId: of.cgroupId.bigint(row),
    ipTraceId: of.ipTraceId.bigint(row),
    ipOptionType: of.ipOptionType.number(row),
    encrypted: of.encrypted.number(row) === 1,
    nodeLabelSet: of.nodeLabelSet.text(row),
    aggregate: {
      ingress: of.ingress.number(row),
      egress: of.egress.number(row),
      unknown: of.unknown.number(row),
    },
    policies,
  };
}
