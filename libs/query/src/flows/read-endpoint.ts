import { addressText } from './address-text.js';
import type { ColumnReaders } from './column-reader.js';
import type { EndpointRecord } from './flow-record.js';

/** Text of an address as flows show it; null where the flow has none. */
export function addressOf(text: string, ipVersion: number): string | null {
  return text === '::' && ipVersion !== 2 ? null : addressText(text);
}

/** The columns of one side. */
export type EndpointColumns = ReturnType<typeof endpointColumns>;

/** Looks the columns of one side up, once for all rows. */
export function endpointColumns(columns: ColumnReaders, side: 'src' | 'dst') {
  return {
    ip: columns.column(`${side}_ip`),
    endpointId: columns.column(`${side}_endpoint_id`),
    identity: columns.column(`${side}_identity`),
    cluster: columns.column(`${side}_cluster`),
    namespace: columns.column(`${side}_namespace`),
    pod: columns.column(`${side}_pod`),
    workloads: columns.column(`${side}_workloads`),
    workload: columns.column(`${side}_workload`),
    workloadKind: columns.column(`${side}_workload_kind`),
    serviceNamespace: columns.column(`${side}_service_namespace`),
    serviceName: columns.column(`${side}_service_name`),
    names: columns.column(`${side}_names`),
    labelSet: columns.column(`${side}_label_set`),
  };
}

/** One side of a row. */
export function readEndpoint(of: EndpointColumns, row: number, ipVersion: number): EndpointRecord {
  return {
    ip: addressOf(of.ip.text(row), ipVersion),
    endpointId: of.endpointId.number(row),
    identity: of.identity.number(row),
    cluster: of.cluster.text(row),
    namespace: of.namespace.text(row),
    pod: of.pod.text(row),
    workloads: of.workloads.list(row),
    workload: of.workload.text(row),
    workloadKind: of.workloadKind.text(row),
    serviceNamespace: of.serviceNamespace.text(row),
    serviceName: of.serviceName.text(row),
    names: of.names.list(row),
    labelSet: of.labelSet.text(row),
  };
}
