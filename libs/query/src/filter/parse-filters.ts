import { done, refuse } from '../result.js';
import type { Result } from '../result.js';
import { celExpression } from '../cel/cel-field.js';
import * as endpoint from './endpoint-fields.js';
import type { FilterTerms } from './filter-scope.js';
import type { FlowFilter, FlowFilterLists, FlowFilters } from './flow-filter.js';
import { all, EVERY_FLOW, isRefused, refused } from './flow-test.js';
import type { FlowTest, ParsedField } from './flow-test.js';
import * as l7 from './l7-fields.js';
import * as label from './label-fields.js';
import * as packet from './packet-fields.js';

/** Longest text of one value, UTF-16 units. */
const MAX_TEXT = 1024;
/** Most values of one field, and most filters of one list. */
const MAX_LIST = 500;
/** Event type of L7 records, which `http…` filters demand when an event type is given. */
const L7_EVENT = 129;

/** Characters of all patterns of a request: compiling one of a thousand can take 50 ms. */
const MAX_PATTERNS = 16_384;

type Parsers = {
  readonly [Field in keyof FlowFilterLists]: (
    values: FlowFilterLists[Field],
    terms: FilterTerms,
  ) => ParsedField;
};

/** One parser a field; a test compares the keys with the model's `FILTER_FIELDS`. */
export const FIELD_PARSERS: Parsers = {
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
  celExpression,
};

function tooLarge(values: readonly unknown[]): string | undefined {
  if (values.length > MAX_LIST) return `at most ${MAX_LIST} values`;
  const texts = values.flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : [value],
  );
  const long = texts.some((text) => typeof text === 'string' && text.length > MAX_TEXT);
  return long ? `at most ${MAX_TEXT} characters a value` : undefined;
}

function parseField<Field extends keyof FlowFilterLists>(
  field: Field,
  filter: FlowFilter,
  terms: FilterTerms,
): ParsedField {
  const lists: { readonly [Key in keyof FlowFilterLists]?: FlowFilterLists[Key] | null } = filter;
  const values: FlowFilterLists[Field] | null | undefined = lists[field];
  if (values === undefined || values === null || values.length === 0) return EVERY_FLOW;
  const excess = tooLarge(values);
  return excess === undefined ? FIELD_PARSERS[field](values, terms) : refused(excess);
}

function isField(name: string): name is keyof Parsers {
  return Object.hasOwn(FIELD_PARSERS, name);
}

function httpWithoutL7(filter: FlowFilter): boolean {
  const types = filter.eventType ?? [];
  if (types.length === 0 || types.some((value) => value.type === L7_EVENT)) return false;
  const { httpStatusCode, httpMethod, httpPath, httpUrl, httpHeader } = filter;
  const lists = [httpStatusCode, httpMethod, httpPath, httpUrl, httpHeader];
  return lists.some((list) => list !== undefined && list !== null && list.length > 0);
}

function parseOne(filter: FlowFilter, path: string, terms: FilterTerms): Result<FlowTest> {
  if (httpWithoutL7(filter))
    return refuse(
      'BAD_FILTER',
      `${path}.eventType`,
      'http filters need event type 129 (L7), or no event type',
    );
  const parts: FlowTest[] = [];
  for (const name of Object.keys(filter)) {
    if (name === 'matchInferred') continue;
    const field = `${path}.${name}`;
    if (!isField(name)) return refuse('BAD_FILTER', field, 'no such field in FlowFilter');
    const part = parseField(name, filter, terms);
    if (isRefused(part)) return refuse('BAD_FILTER', field, part.hint);
    if (part !== EVERY_FLOW) parts.push(part);
  }
  const whole = all(parts);
  return isRefused(whole) ? refuse('BAD_FILTER', path, whole.hint) : done(whole);
}

function parseList(
  list: readonly FlowFilter[],
  path: string,
  terms: Omit<FilterTerms, 'inferred'>,
): Result<readonly FlowTest[]> {
  if (list.length > MAX_LIST) return refuse('BAD_FILTER', path, `at most ${MAX_LIST} filters`);
  const tests: FlowTest[] = [];
  for (const [index, filter] of list.entries()) {
    const inferred = filter.matchInferred === true;
    const parsed = parseOne(filter, `${path}[${index}]`, { ...terms, inferred });
    if (!parsed.ok) return parsed;
    tests.push(parsed.value);
  }
  return done(tests);
}

function patternsOf(filter: FlowFilter): readonly string[] {
  const { dnsQuery, httpPath, httpUrl, celExpression, sourceFqdn, destinationFqdn, nodeName } = filter;
  const lists = [dnsQuery, httpPath, httpUrl, celExpression, sourceFqdn, destinationFqdn, nodeName];
  return lists.flatMap((list) => list ?? []);
}

function tooManyPatterns(filters: FlowFilters | null | undefined): boolean {
  const patterns = [...(filters?.allow ?? []), ...(filters?.deny ?? [])].flatMap(patternsOf);
  return patterns.reduce((sum, pattern) => sum + pattern.length, 0) > MAX_PATTERNS;
}

/** Allow and deny lists, parsed: one test a filter. */
export interface ParsedFilters {
  readonly allow: readonly FlowTest[];
  readonly deny: readonly FlowTest[];
}

/**
 * Parses and validates filters once, for SQL and for the predicate alike. Refuses with BAD_FILTER and the path of the
 * field: unknown and unsupported fields, bad values, texts over 1 KiB, lists over 500,
 * patterns over 16 KiB in all.
 */
export function parseFilters(
  filters: FlowFilters | null | undefined,
  terms: Omit<FilterTerms, 'inferred'>,
): Result<ParsedFilters> {
  if (tooManyPatterns(filters))
    return refuse('BAD_FILTER', 'filters', `at most ${MAX_PATTERNS} characters of patterns in all`);
  const allow = parseList(filters?.allow ?? [], 'filters.allow', terms);
  if (!allow.ok) return allow;
  const deny = parseList(filters?.deny ?? [], 'filters.deny', terms);
  return deny.ok ? done({ allow: allow.value, deny: deny.value }) : deny;
}
