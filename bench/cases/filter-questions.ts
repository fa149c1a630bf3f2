import type { FlowFilter } from '@flowledger/query';
import { FROM_MS } from '../history-store.js';

/** Share of flows that are written once more with what the made traffic lacks: trace ids, names, resets, deny rules. */
const RARE = 1000;

/** One of the twelve filters of the target. */
export interface Question {
  readonly name: string;
  readonly filter: FlowFilter;
  /** A skip index or the sort key finds the rows. */
  readonly indexed: boolean;
}

/** One flow of the middle of the day, so that neither end of the window is the answer by luck. */
export interface Example {
  readonly uuid: string;
  readonly trace_id: string;
  readonly server: string;
}

/** The twelve filters of the target, on what the made cluster holds. */
export function questions({ uuid, trace_id: traceId, server }: Example): readonly Question[] {
  return [
    { name: 'uuid', filter: { uuid: [uuid] }, indexed: true },
    { name: 'pod_prefix', filter: { sourcePod: ['team-12/service-87-'] }, indexed: true },
    {
      name: 'label_in',
      filter: { destinationLabel: ['app.kubernetes.io/name in (service-61, service-73)'] },
      indexed: false,
    },
    { name: 'cidr', filter: { destinationIp: [`${server}/28`] }, indexed: false },
    { name: 'fqdn_glob', filter: { destinationFqdn: ['api-1*.example.com'] }, indexed: false },
    { name: 'trace_id', filter: { traceId: [traceId] }, indexed: true },
    { name: 'status_5xx', filter: { httpStatusCode: ['5+'] }, indexed: false },
    { name: 'tcp_rst', filter: { tcpFlags: [{ rst: true }] }, indexed: false },
    { name: 'drop_reason', filter: { dropReasonDesc: ['POLICY_DENY'] }, indexed: false },
    { name: 'identity', filter: { sourceIdentity: [20_095] }, indexed: false },
    { name: 'port', filter: { destinationPort: ['8039'] }, indexed: false },
    { name: 'path_regex', filter: { httpPath: ['/service-9[0-9]/items3/1[0-9]{3}$'] }, indexed: false },
  ];
}

/** An hour at a time: a statement that reads 100 M flows outlasts its client. */
export const rareRows = (hour: number): string => `INSERT INTO flows SELECT * REPLACE (
  toUInt32(_li + 1000000) AS _li,
  generateUUIDv4() AS uuid,
  lower(hex(cityHash64(_lo, _li))) AS trace_id,
  ['api-' || toString(cityHash64(_li, _lo) % 100) || '.example.com'] AS dst_names,
  toUInt16(if(cityHash64(_lo) % 2 = 0, 516, tcp_flags)) AS tcp_flags,
  toInt16(if(verdict = 2, 181, drop_reason)) AS drop_reason
) FROM flows WHERE cityHash64(_li, _lo) % ${RARE} = 0
  AND toStartOfHour(flows.bucket_time) = toDateTime(${FROM_MS / 1000 + hour * 3600}, 'UTC')`;
