import { DROP_REASON, enumNumber, FILTER_FIELDS } from '@flowledger/model';
import { describe, expect, it } from 'vitest';
import { compilePredicate } from '../predicate/compile-predicate.js';
import { toFlowFilter } from '../testing/filter-cases.js';
import type { FilterCase } from '../testing/filter-cases.js';
import { flowFilterType } from '../testing/flow-filter-proto.js';
import { recordedText } from '../testing/recorded-data.js';
import type { FlowFilter } from './flow-filter.js';
import { flowFilterFromProto, flowFiltersFromProto } from './from-proto.js';

const type = flowFilterType();

function encoded(filter: object): Uint8Array {
  return type.encode(type.fromObject(filter)).finish();
}

function isEmpty(values: unknown): boolean {
  return Array.isArray(values) && values.length === 0;
}

const EVERY_FIELD = {
  uuid: ['43eea867-dd4b-4e5e-b2b8-fe80e0f51b06'],
  source_ip: ['10.0.0.1', '10.0.0.0/8'],
  destination_ip: ['::1'],
  source_ip_xlated: ['10.0.0.2'],
  ip_version: [1, 0],
  encrypted: [true, false],
  source_pod: ['ns/a'],
  destination_pod: ['ns/'],
  source_service: ['ns/s'],
  destination_service: ['ns/t'],
  source_fqdn: ['*.example.com'],
  destination_fqdn: ['a.example.com'],
  source_label: ['k8s:app=a'],
  destination_label: ['!b'],
  node_labels: ['zone in (a)'],
  source_workload: [{ name: 'web', kind: 'Deployment' }, {}],
  destination_workload: [{ kind: 'Job' }],
  source_identity: [2, 4294967295],
  destination_identity: [1],
  source_cluster_name: ['eu'],
  destination_cluster_name: ['us'],
  node_name: ['eu/node-*'],
  interface: [{ index: 4, name: 'eth0' }],
  source_port: ['80'],
  destination_port: ['443'],
  protocol: ['tcp'],
  tcp_flags: [{ SYN: true, ACK: true }, { NS: true }],
  reply: [false],
  verdict: [2, 99],
  drop_reason_desc: [133],
  traffic_direction: [0, 2],
  event_type: [{ type: 129 }, { type: 4, match_sub_type: true }, { type: 4, sub_type: 3 }],
  dns_query: ['a.*'],
  http_status_code: ['5+'],
  http_method: ['GET'],
  http_path: ['^/a'],
  http_url: ['b'],
  http_header: [{ key: 'a', value: 'b' }],
  trace_id: [''],
  ip_trace_id: [2 ** 40 + 1],
  experimental: { cel_expression: ['true'] },
};

describe('flowFilterFromProto', () => {
  it('reads every field of the table', () => {
    const filter = flowFilterFromProto(encoded(EVERY_FIELD));
    expect(filter).toMatchObject({ ok: true });
    const names = FILTER_FIELDS.filter((field) => field.number !== null).map((field) => field.name);
    expect(filter.ok ? Object.keys(filter.value).toSorted() : []).toEqual(names.toSorted());
    expect(filter.ok ? filter.value : {}).toMatchObject({
      sourceIdentity: [2, 4294967295],
      sourceWorkload: [{ name: 'web', kind: 'Deployment' }, {}],
      encrypted: [true, false],
      ipVersion: ['IPv4', 'IP_NOT_USED'],
      verdict: ['DROPPED', 'UNKNOWN_99'],
      dropReasonDesc: ['133'],
      eventType: [{ type: 129 }, { type: 4, subType: 0 }, { type: 4 }],
      ipTraceId: ['1099511627777'],
      tcpFlags: [{ syn: true, ack: true }, { ns: true }],
      celExpression: ['true'],
    });
    const { experimental: _, ...plain } = EVERY_FIELD;
    const compiled = flowFiltersFromProto([encoded(plain)], []);
    expect(compiled.ok && compilePredicate(compiled.value)).toMatchObject({ ok: true });
  });

  it('reads an empty filter as one that matches everything', () => {
    expect(flowFilterFromProto(new Uint8Array(0))).toEqual({ ok: true, value: {} });
  });

  it.each<[string, readonly number[], string, RegExp]>([
    ['a field of a newer Hubble', [0xd2, 0x02, 1, 65], 'filter.42', /no field 42/],
    ['a field of a newer Hubble, as a number', [0xe8, 0x07, 1], 'filter.125', /no field 125/],
    ['a field inside a workload', [0xd2, 0x01, 2, 0x18, 1], 'filter.sourceWorkload', /field 3/],
    ['a field inside experimental', [0xba, 0x3e, 2, 0x10, 1], 'filter.celExpression', /field 2/],
    ['a number where text is due', [0x08, 1], 'filter.sourceIp', /decode/],
    ['text that is not UTF-8', [0x0a, 1, 0xff], 'filter.sourceIp', /decode/],
    ['a cut message', [0x0a, 5, 65], 'filter', /bytes/],
    ['field number 0', [0x00, 1], 'filter', /bytes/],
  ])('refuses %s', (_, bytes, field, hint) => {
    const refusal = flowFilterFromProto(Uint8Array.from(bytes));
    expect(refusal).toMatchObject({ ok: false, error: { code: 'BAD_FILTER', field } });
    expect(refusal.ok ? '' : refusal.error.hint).toMatch(hint);
  });

  it('names the list of a refusal', () => {
    const deny = flowFiltersFromProto([encoded({})], [encoded({}), Uint8Array.of(0xe8, 0x07, 1)]);
    expect(deny).toMatchObject({ ok: false, error: { field: 'filters.deny[1].125' } });
  });

  it('reads a trace id of 64 bits', () => {
    const bytes = [0xb8, 0x02, ...Array.from({ length: 9 }, () => 0xff), 0x01];
    expect(flowFilterFromProto(Uint8Array.from(bytes))).toEqual({
      ok: true,
      value: { ipTraceId: ['18446744073709551615'] },
    });
  });

  it('reads numbers that a client did not pack', () => {
    expect(flowFilterFromProto(Uint8Array.of(0x28, 2, 0x28, 1))).toEqual({
      ok: true,
      value: { verdict: ['DROPPED', 'FORWARDED'] },
    });
  });
});

describe('upstream filters on the wire', () => {
  const text = recordedText('hubble/filter-cases.json');
  const cases: readonly FilterCase[] = text === undefined ? [] : JSON.parse(text).cases;

  it.runIf(cases.length > 0)('read as the API hands them over', () => {
    for (const { filters, id } of cases)
      for (const filter of filters) {
        const read = flowFilterFromProto(encoded(filter));
        const set = Object.entries(toFlowFilter(filter)).filter(([, values]) => !isEmpty(values));
        const wanted: FlowFilter = Object.fromEntries(set);
        const reasons = wanted.dropReasonDesc?.map((name) => String(enumNumber(DROP_REASON, name)));
        const directions = wanted.trafficDirection?.map((name) =>
          name.replace(/^UNKNOWN$/, 'TRAFFIC_DIRECTION_UNKNOWN'),
        );
        const same = {
          ...wanted,
          ...(reasons && { dropReasonDesc: reasons }),
          ...(directions && { trafficDirection: directions }),
          ...(wanted.ipTraceId && { ipTraceId: wanted.ipTraceId.map(String) }),
        };
        expect(read, id).toEqual({ ok: true, value: same });
      }
  });

  it('says loudly when the recorded cases are missing', () => {
    expect(text === undefined ? cases.length === 0 : cases.length > 100).toBe(true);
  });
});

interface CliCase {
  readonly flags: readonly string[];
  readonly want_allow?: readonly Readonly<Record<string, unknown>>[];
  readonly want_deny?: readonly Readonly<Record<string, unknown>>[];
}

describe('filters that the stock hubble command makes of its flags', () => {
  const text = recordedText('hubble/cli-filter-cases.json');
  const cases: readonly CliCase[] = text === undefined ? [] : JSON.parse(text).cases;

  it.runIf(cases.length > 0)('are taken from the wire to a predicate', () => {
    const made = cases.filter((one) => one.want_allow !== undefined || one.want_deny !== undefined);
    expect(made.length).toBeGreaterThan(40);
    for (const { flags, want_allow: allow = [], want_deny: deny = [] } of made) {
      const filters = flowFiltersFromProto(allow.map(encoded), deny.map(encoded));
      const predicate = filters.ok ? compilePredicate(filters.value) : filters;
      expect(predicate, flags.join(' ')).toMatchObject({ ok: true });
    }
  });

  it('says loudly when the recorded cases are missing', () => {
    expect(text === undefined ? cases.length === 0 : cases.length > 50).toBe(true);
  });
});
