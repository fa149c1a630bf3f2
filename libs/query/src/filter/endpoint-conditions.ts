import { parseAddressRange } from './address-range.js';
import { allOf, anyOf, ELSEWHERE, refused, sql } from './condition.js';
import type { Condition } from './condition.js';
import type { EndpointColumn, FilterSide } from './filter-columns.js';
import type { ListCompiler, FilterScope } from './filter-scope.js';
import type { WorkloadValue } from './flow-filter.js';
import { parseNameGlob } from './name-glob.js';

function column(
  scope: FilterScope,
  side: FilterSide,
  what: EndpointColumn,
  make: (name: string) => Condition,
): Condition {
  const name = scope.columns.endpoint(side, what);
  return name === undefined ? ELSEWHERE : make(name);
}

function addressIn(name: string, value: string, scope: FilterScope): Condition {
  const range = parseAddressRange(value);
  if (range === undefined) return refused('an IP address or a CIDR block');
  const bind = (text: string) => scope.binder.bind('IPv6', text);
  const inside =
    range.first === range.last
      ? `${name} = ${bind(range.first)}`
      : `${name} BETWEEN ${bind(range.first)} AND ${bind(range.last)}`;
  // `::` is also what the column holds when the flow has no address.
  return range.first === '0:0:0:0:0:0:0:0'
    ? sql(`${inside} AND (${name} != toIPv6('::') OR ip_version = 2)`)
    : sql(inside);
}

/** Addresses of one side, compared as addresses. */
export function addresses(side: FilterSide): ListCompiler<string> {
  return (values, scope) =>
    column(scope, side, 'ip', (name) => anyOf(values.map((value) => addressIn(name, value, scope))));
}

/** Source address after SNAT; a flow without one never matches. */
export const sourceIpXlated: ListCompiler<string> = (values, scope) => {
  const name = scope.columns.own('src_ip_xlated');
  if (name === undefined) return ELSEWHERE;
  const present = sql(`${name} != toIPv6('::')`);
  return allOf([present, anyOf(values.map((value) => addressIn(name, value, scope)))]);
};

interface NamespacedName {
  readonly namespace: string;
  readonly prefix: string;
}

function parseNamespacedName(value: string): NamespacedName {
  const [first = '', second] = value.split('/');
  return second === undefined
    ? { namespace: 'default', prefix: first }
    : { namespace: first, prefix: second };
}

function namedIn(
  side: FilterSide,
  value: string,
  scope: FilterScope,
  columns: { readonly name: EndpointColumn; readonly namespace: EndpointColumn },
): Condition {
  if (value === '') return refused('`name`, `namespace/name`, `namespace/` or `/name`');
  const { namespace, prefix } = parseNamespacedName(value);
  const inNamespace = (): Condition =>
    column(scope, side, columns.namespace, (text) =>
      sql(`${text} = ${scope.binder.bind('String', namespace)}`),
    );
  const named = (): Condition =>
    column(scope, side, columns.name, (text) =>
      sql(`startsWith(${text}, ${scope.binder.bind('String', prefix)})`),
    );
  if (namespace === '' && prefix === '')
    return anyOf([
      column(scope, side, columns.name, (text) => sql(`${text} != ''`)),
      column(scope, side, columns.namespace, (text) => sql(`${text} != ''`)),
    ]);
  return allOf([...(namespace === '' ? [] : [inNamespace()]), ...(prefix === '' ? [] : [named()])]);
}

/** Pods by namespace and prefix of the name; a bare name means the namespace `default`. */
export function pods(side: FilterSide): ListCompiler<string> {
  return (values, scope) =>
    anyOf(values.map((value) => namedIn(side, value, scope, { name: 'pod', namespace: 'namespace' })));
}

/** The endpoint history says that the address was this, in the hour of the flow. */
function wasEndpoint(side: FilterSide, scope: FilterScope, facts: readonly string[]): Condition {
  if (!scope.columns.raw) return ELSEWHERE;
  return column(scope, side, 'ip', (ip) => {
    const first = scope.binder.bind('Int64', scope.hours.first);
    const last = scope.binder.bind('Int64', scope.hours.last);
    const where = [
      `tenant = ${scope.tenant}`,
      `hour BETWEEN toDateTime(${first}, 'UTC') AND toDateTime(${last}, 'UTC')`,
      ...facts,
    ];
    return sql(
      `(cluster, toDateTime(toStartOfHour(bucket_time), 'UTC'), ${ip}) IN (SELECT cluster, hour, ip FROM endpoints WHERE ${where.join(' AND ')})`,
    );
  });
}

function inferredService(side: FilterSide, value: string, scope: FilterScope): Condition {
  const { namespace, prefix } = parseNamespacedName(value);
  const facts = ["service_name != ''"];
  if (namespace !== '') facts.push(`service_namespace = ${scope.binder.bind('String', namespace)}`);
  if (prefix !== '') facts.push(`startsWith(service_name, ${scope.binder.bind('String', prefix)})`);
  return wasEndpoint(side, scope, facts);
}

/** Services, by the rules of pods; with `matchInferred` also what the endpoint history knows. */
export function services(side: FilterSide): ListCompiler<string> {
  const columns = { name: 'service_name', namespace: 'service_namespace' } as const;
  return (values, scope) =>
    anyOf(
      values.flatMap((value) => {
        const sent = namedIn(side, value, scope, columns);
        return scope.inferred ? [sent, inferredService(side, value, scope)] : [sent];
      }),
    );
}

interface WantedWorkload {
  readonly name: string;
  readonly kind: string;
}

function sentWorkload(workloads: string, wanted: WantedWorkload, scope: FilterScope): Condition {
  const bind = (text: string) => scope.binder.bind('String', text);
  if (wanted.name === '' && wanted.kind === '') return sql(`notEmpty(${workloads})`);
  if (wanted.name === '')
    return sql(`arrayExists(w -> startsWith(w, ${bind(`${wanted.kind}/`)}), ${workloads})`);
  if (wanted.kind === '')
    return sql(`arrayExists(w -> substring(w, position(w, '/') + 1) = ${bind(wanted.name)}, ${workloads})`);
  return sql(`has(${workloads}, ${bind(`${wanted.kind}/${wanted.name}`)})`);
}

function canonicalWorkload(side: FilterSide, wanted: WantedWorkload, scope: FilterScope): Condition {
  const bind = (text: string) => scope.binder.bind('String', text);
  const parts: Condition[] = [];
  if (wanted.name !== '' || wanted.kind === '')
    parts.push(
      column(scope, side, 'workload', (text) =>
        sql(wanted.name === '' ? `${text} != ''` : `${text} = ${bind(wanted.name)}`),
      ),
    );
  if (wanted.kind !== '')
    parts.push(column(scope, side, 'workload_kind', (text) => sql(`${text} = ${bind(wanted.kind)}`)));
  return allOf(parts);
}

function workloadWas(side: FilterSide, wanted: WantedWorkload, scope: FilterScope): Condition {
  const facts = ["workload != ''"];
  if (wanted.name !== '') facts.push(`workload = ${scope.binder.bind('String', wanted.name)}`);
  if (wanted.kind !== '') facts.push(`workload_kind = ${scope.binder.bind('String', wanted.kind)}`);
  return wasEndpoint(side, scope, facts);
}

function workload(side: FilterSide, value: WorkloadValue, scope: FilterScope): Condition {
  const wanted = { name: value.name ?? '', kind: value.kind ?? '' };
  const sent = (): Condition => column(scope, side, 'workloads', (text) => sentWorkload(text, wanted, scope));
  if (scope.columns.calls) {
    const canonical = canonicalWorkload(side, wanted, scope);
    return wanted.kind === '' ? canonical : anyOf([canonical, sent()]);
  }
  if (!scope.inferred) return sent();
  return anyOf([sent(), canonicalWorkload(side, wanted, scope), workloadWas(side, wanted, scope)]);
}

/**
 * Workloads. For records: as sent, exactly; with `matchInferred` also the canonical workload and the endpoint history.
 * For calls: the canonical workload, since that is what such answers group by.
 */
export function workloads(side: FilterSide): ListCompiler<WorkloadValue> {
  return (values, scope) => anyOf(values.map((value) => workload(side, value, scope)));
}

/** DNS names of the address, by glob. */
export function fqdns(side: FilterSide): ListCompiler<string> {
  return (values, scope) =>
    column(scope, side, 'names', (names) =>
      anyOf(
        values.map((value) => {
          const glob = parseNameGlob(value);
          if (glob === undefined) return refused('a DNS name; letters, digits and - _ . *');
          return 'exact' in glob
            ? sql(`has(${names}, ${scope.binder.bind('String', glob.exact)})`)
            : sql(`arrayExists(n -> match(n, ${scope.binder.bind('String', glob.regex)}), ${names})`);
        }),
      ),
    );
}

/** Numeric identities. */
export function identities(side: FilterSide): ListCompiler<number> {
  return (values, scope) =>
    column(scope, side, 'identity', (name) => {
      if (!values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32))
        return refused('a number from 0 to 4294967295');
      return sql(`${name} IN ${scope.binder.bind('Array(UInt32)', [...values])}`);
    });
}

/** Cluster names, exactly. */
export function clusterNames(side: FilterSide): ListCompiler<string> {
  return (values, scope) =>
    column(scope, side, 'cluster', (name) =>
      values.includes('')
        ? refused('the name of a cluster')
        : sql(`${name} IN ${scope.binder.bind('Array(String)', [...values])}`),
    );
}
