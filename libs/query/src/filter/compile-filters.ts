import type { ParamBinder } from '../param-binder.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { allOf, ALWAYS, anyOf, not, refused } from './condition.js';
import type { Condition } from './condition.js';
import * as endpoint from './endpoint-conditions.js';
import { filterColumns } from './filter-columns.js';
import type { FilterTarget } from './filter-columns.js';
import type { FilterScope } from './filter-scope.js';
import type { FlowFilter, FlowFilterLists, FlowFilters } from './flow-filter.js';
import * as l7 from './l7-conditions.js';
import * as label from './label-conditions.js';
import * as packet from './packet-conditions.js';

/** Longest text of one value, UTF-16 units. */
const MAX_TEXT = 1024;
/** Most values of one field, and most filters of one list. */
const MAX_LIST = 500;
/** Event type of L7 records, which `http…` filters demand when an event type is given. */
const L7_EVENT = 129;

type Compilers = {
  readonly [Field in keyof FlowFilterLists]: (
    values: FlowFilterLists[Field],
    scope: FilterScope,
  ) => Condition;
};

/** One compiler a field; a test compares the keys with the model's `FILTER_FIELDS`. */
export const FIELD_COMPILERS: Compilers = {
  uuid: packet.uuid,
  sourceIp: endpoint.addresses('source'),
  destinationIp: endpoint.addresses('destination'),
  sourceIpXlated: endpoint.sourceIpXlated,
  ipVersion: packet.ipVersion,
  encrypted: packet.encrypted,
  sourcePod: endpoint.pods('source'),
  destinationPod: endpoint.pods('destination'),
  sourceService: endpoint.services('source'),
  destinationService: endpoint.services('destination'),
  sourceFqdn: endpoint.fqdns('source'),
  destinationFqdn: endpoint.fqdns('destination'),
  sourceLabel: label.labels('source'),
  destinationLabel: label.labels('destination'),
  nodeLabels: label.nodeLabels,
  sourceWorkload: endpoint.workloads('source'),
  destinationWorkload: endpoint.workloads('destination'),
  sourceIdentity: endpoint.identities('source'),
  destinationIdentity: endpoint.identities('destination'),
  sourceClusterName: endpoint.clusterNames('source'),
  destinationClusterName: endpoint.clusterNames('destination'),
  nodeName: packet.nodeName,
  interface: packet.networkInterface,
  sourcePort: packet.ports('source'),
  destinationPort: packet.ports('destination'),
  protocol: packet.protocol,
  tcpFlags: packet.tcpFlags,
  reply: packet.reply,
  verdict: packet.verdict,
  dropReasonDesc: packet.dropReasonDesc,
  trafficDirection: packet.trafficDirection,
  eventType: packet.eventType,
  dnsQuery: l7.dnsQuery,
  httpStatusCode: l7.httpStatusCode,
  httpMethod: l7.httpMethod,
  httpPath: l7.httpPath,
  httpUrl: l7.httpUrl,
  httpHeader: l7.httpHeader,
  traceId: packet.traceId,
  ipTraceId: packet.ipTraceId,
  celExpression: () => refused('CEL expressions are not supported yet; use the other fields'),
};

function tooLarge(values: readonly unknown[]): string | undefined {
  if (values.length > MAX_LIST) return `at most ${MAX_LIST} values`;
  const texts = values.flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : [value],
  );
  const long = texts.some((text) => typeof text === 'string' && text.length > MAX_TEXT);
  return long ? `at most ${MAX_TEXT} characters a value` : undefined;
}

function compileField<Field extends keyof FlowFilterLists>(
  field: Field,
  filter: FlowFilter,
  scope: FilterScope,
): Condition {
  const lists: { readonly [Key in keyof FlowFilterLists]?: FlowFilterLists[Key] | null } = filter;
  const values: FlowFilterLists[Field] | null | undefined = lists[field];
  if (values === undefined || values === null || values.length === 0) return ALWAYS;
  const excess = tooLarge(values);
  return excess === undefined ? FIELD_COMPILERS[field](values, scope) : refused(excess);
}

function isField(name: string): name is keyof Compilers {
  return Object.hasOwn(FIELD_COMPILERS, name);
}

function httpWithoutL7(filter: FlowFilter): boolean {
  const types = filter.eventType ?? [];
  if (types.length === 0 || types.some((value) => value.type === L7_EVENT)) return false;
  const lists = [
    filter.httpStatusCode,
    filter.httpMethod,
    filter.httpPath,
    filter.httpUrl,
    filter.httpHeader,
  ];
  return lists.some((list) => list !== undefined && list !== null && list.length > 0);
}

function compileOne(filter: FlowFilter, path: string, scope: FilterScope): Result<Condition> {
  if (httpWithoutL7(filter))
    return refuse(
      'BAD_FILTER',
      `${path}.eventType`,
      'http filters need event type 129 (L7), or no event type',
    );
  const parts: Condition[] = [];
  for (const name of Object.keys(filter)) {
    if (name === 'matchInferred') continue;
    const field = `${path}.${name}`;
    if (!isField(name)) return refuse('BAD_FILTER', field, 'no such field in FlowFilter');
    const part = compileField(name, filter, scope);
    if (part.kind === 'refused') return refuse('BAD_FILTER', field, part.hint);
    parts.push(part);
  }
  return done(allOf(parts));
}

/** Where a filter is compiled to: which rows, for whom, in which window. */
export interface FilterPlace {
  readonly target: FilterTarget;
  readonly binder: ParamBinder;
  /** Placeholder of the tenant. */
  readonly tenant: string;
  /** Window, ns since 1970; bounds the endpoint history. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

const HOUR_NS = 3_600_000_000_000n;

function compileList(
  list: readonly FlowFilter[],
  path: string,
  place: FilterPlace,
): Result<readonly Condition[]> {
  if (list.length > MAX_LIST) return refuse('BAD_FILTER', path, `at most ${MAX_LIST} filters`);
  const conditions: Condition[] = [];
  for (const [index, filter] of list.entries()) {
    const scope: FilterScope = {
      columns: filterColumns(place.target),
      binder: place.binder,
      tenant: place.tenant,
      hours: {
        first: (place.fromNs / HOUR_NS) * 3600n,
        last: (place.toNs / HOUR_NS) * 3600n,
      },
      inferred: filter.matchInferred === true,
    };
    const compiled = compileOne(filter, `${path}[${index}]`, scope);
    if (!compiled.ok) return compiled;
    conditions.push(compiled.value);
  }
  return done(conditions);
}

/**
 * Compiles allow and deny lists to one SQL condition (`true` when nothing is filtered); null when the target's table
 * lacks a column and raw rows must answer. Semantics are Hubble's (hubble note, section 3): fields AND, values OR,
 * filters OR; an empty filter matches everything, so in `deny` it hides everything. Refuses with BAD_FILTER and the
 * path of the field: unknown and unsupported fields, bad values, texts over 1 KiB, lists over 500.
 */
export function compileFilters(
  filters: FlowFilters | null | undefined,
  place: FilterPlace,
): Result<string | null> {
  const allow = compileList(filters?.allow ?? [], 'filters.allow', place);
  if (!allow.ok) return allow;
  const deny = compileList(filters?.deny ?? [], 'filters.deny', place);
  if (!deny.ok) return deny;
  const shown = allow.value.length === 0 ? ALWAYS : anyOf(allow.value);
  const hidden = deny.value.length === 0 ? [] : [not(anyOf(deny.value))];
  const all = allOf([shown, ...hidden]);
  return done(all.kind === 'sql' ? all.sql : null);
}
