import { WireWriter, type WireFields } from '@flowledger/model';
import type { EndpointRecord } from './flow-record.js';

/**
 * `flow.Endpoint` as field 8 or 9. `extra` holds workloads with content that no column has, and all labels where the
 * label set was cut; these are not written twice.
 */
export function encodeEndpoint(
  out: WireWriter,
  field: number,
  end: EndpointRecord,
  labels: readonly string[],
  extra: WireFields,
): void {
  const kept = extra.messages(field);
  const keptLabels = kept.some((each) => each.has(4));
  const keptWorkloads = kept
    .flatMap((each) => each.messages(6))
    .map((each) => `${each.text(2)}/${each.text(1)}`);
  const start = out.pos;
  const mark = out.open(field);
  const body = out.pos;
  if (end.endpointId !== 0) out.uint32Field(1, end.endpointId);
  if (end.identity !== 0) out.uint32Field(2, end.identity);
  if (end.namespace !== '') out.stringField(3, end.namespace);
  if (!keptLabels) out.raw(encodedLabels(4, labels));
  if (end.pod !== '') out.stringField(5, end.pod);
  for (const workload of end.workloads) {
    if (!keptWorkloads.includes(workload)) encodeWorkload(out, workload);
  }
  if (end.cluster !== '') out.stringField(7, end.cluster);
  if (out.pos === body) out.pos = start;
  else out.close(mark);
}

const ENCODED = {
  4: new WeakMap<readonly string[], Uint8Array>(),
  37: new WeakMap<readonly string[], Uint8Array>(),
};

/**
 * Labels as a repeated field: 4 of an endpoint, 37 of a flow. They are half of a flow's bytes, and the flows of one
 * identity share one list, which is encoded once as long as it lives.
 */
export function encodedLabels(field: keyof typeof ENCODED, labels: readonly string[]): Uint8Array {
  const known = ENCODED[field].get(labels);
  if (known !== undefined) return known;
  const out = new WireWriter(256);
  for (const label of labels) out.stringField(field, label);
  const encoded = out.finish();
  ENCODED[field].set(labels, encoded);
  return encoded;
}

/** The column holds `Kind/name`; no kind has a slash. */
function encodeWorkload(out: WireWriter, workload: string): void {
  const slash = workload.indexOf('/');
  const mark = out.open(6);
  if (slash < workload.length - 1) out.stringField(1, workload.slice(slash + 1));
  if (slash > 0) out.stringField(2, workload.slice(0, slash));
  out.close(mark);
}

/** `flow.Service` as field 20 or 21. */
export function encodeService(out: WireWriter, field: number, end: EndpointRecord): void {
  if (end.serviceName === '' && end.serviceNamespace === '') return;
  const mark = out.open(field);
  if (end.serviceName !== '') out.stringField(1, end.serviceName);
  if (end.serviceNamespace !== '') out.stringField(2, end.serviceNamespace);
  out.close(mark);
}
