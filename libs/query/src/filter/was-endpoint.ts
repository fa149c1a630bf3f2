import { ELSEWHERE, sql } from './condition.js';
import type { Condition } from './condition.js';
import type { EndpointHistory, HistoricEndpoint } from './endpoint-history.js';
import type { FilterSide } from './filter-columns.js';
import type { FilterScope, FilterTerms } from './filter-scope.js';
import { refused } from './flow-test.js';
import type { ParsedField } from './flow-test.js';
import { sideOf } from './subjects.js';

/** What the history must say about an address; either a workload or a service. Empty parts match any. */
export type WantedEndpoint =
  | { readonly workload: string; readonly workloadKind: string }
  | { readonly servicePrefix: string; readonly serviceNamespace: string };

function facts(wanted: WantedEndpoint, { binder }: FilterScope): readonly string[] {
  const bind = (text: string) => binder.bind('String', text);
  if ('workload' in wanted)
    return [
      "workload != ''",
      ...(wanted.workload === '' ? [] : [`workload = ${bind(wanted.workload)}`]),
      ...(wanted.workloadKind === '' ? [] : [`workload_kind = ${bind(wanted.workloadKind)}`]),
    ];
  return [
    "service_name != ''",
    ...(wanted.serviceNamespace === '' ? [] : [`service_namespace = ${bind(wanted.serviceNamespace)}`]),
    ...(wanted.servicePrefix === '' ? [] : [`startsWith(service_name, ${bind(wanted.servicePrefix)})`]),
  ];
}

function condition(side: FilterSide, wanted: WantedEndpoint, scope: FilterScope): Condition {
  const ip = scope.columns.endpoint(side, 'ip');
  if (!scope.columns.raw || ip === undefined) return ELSEWHERE;
  const first = scope.binder.bind('Int64', scope.hours.first);
  const last = scope.binder.bind('Int64', scope.hours.last);
  const where = [
    `tenant = ${scope.tenant}`,
    `hour BETWEEN toDateTime(${first}, 'UTC') AND toDateTime(${last}, 'UTC')`,
    ...facts(wanted, scope),
  ];
  // `::` is also what the columns hold when there is no address.
  return sql(
    `(${ip} != toIPv6('::') OR ip_version = 2) AND (cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), ${ip}) IN (SELECT cluster, hour, ip FROM endpoints WHERE ${where.join(' AND ')})`,
  );
}

function wasWanted(known: HistoricEndpoint, wanted: WantedEndpoint): boolean {
  if ('workload' in wanted)
    return (
      known.workload !== '' &&
      (wanted.workload === '' || known.workload === wanted.workload) &&
      (wanted.workloadKind === '' || known.workloadKind === wanted.workloadKind)
    );
  return (
    known.serviceName.startsWith(wanted.servicePrefix) &&
    known.serviceName !== '' &&
    (wanted.serviceNamespace === '' || known.serviceNamespace === wanted.serviceNamespace)
  );
}

/** The endpoint history says that the address of this side was this, in the hour of the flow. */
export function wasEndpoint(side: FilterSide, wanted: WantedEndpoint, { history }: FilterTerms): ParsedField {
  if (history === undefined)
    return refused(
      'matchInferred needs the endpoint history, which a live stream does not have; leave it off',
    );
  const memory: EndpointHistory = history === 'table' ? { at: () => [] } : history;
  return {
    condition: (scope) => condition(side, wanted, scope),
    matches: ({ flow }) => {
      const { ip } = sideOf(flow, side);
      if (ip === null) return false;
      return memory.at(flow.cluster, flow.position.bucketNs, ip).some((known) => wasWanted(known, wanted));
    },
  };
}
