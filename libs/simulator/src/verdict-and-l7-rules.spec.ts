import { describe, expect, it } from 'vitest';
import {
  nanos,
  offenders,
  packetKey as tuple,
  playRun,
  RUN_START,
  type JsonFlow,
} from './testing/json-flow.js';

const { flows } = playRun();
const ofType = (type: number): JsonFlow[] => flows.filter((flow) => flow.event_type.type === type);

const TRACE = 4;

describe('drops', () => {
  const drops = ofType(1);
  const verdicts = ofType(5).filter((flow) => flow.verdict === 'DROPPED');

  it('follow their policy verdict within 40 microseconds, and other reasons have no twin', () => {
    const waiting = new Map<string, JsonFlow[]>();
    for (const verdict of verdicts)
      waiting.set(tuple(verdict), [...(waiting.get(tuple(verdict)) ?? []), verdict]);
    let policy = 0;
    for (const drop of drops) {
      const byPolicy = [133, 181].includes(drop.drop_reason ?? 0);
      const twins = (waiting.get(tuple(drop)) ?? []).filter((one) => {
        const apart = nanos(drop.time) - nanos(one.time);
        return apart > 0n && apart <= 40_000n;
      });
      expect(twins.length, drop.drop_reason_desc).toBe(byPolicy ? 1 : 0);
      if (byPolicy) policy++;
    }
    expect(policy).toBe(verdicts.length);
    expect(policy).toBeGreaterThan(100);
  });

  it('have no reply state, carry their source line, and repeat the reason as sub type', () => {
    for (const drop of drops) {
      expect(drop.is_reply).toBeUndefined();
      expect(drop.file).toBeDefined();
      expect(drop.event_type.sub_type).toBe(drop.drop_reason);
      expect(Object.keys(drop).filter((name) => name.endsWith('_by'))).toEqual([]);
    }
  });

  it('happen for policy and for other reasons', () => {
    const reasons = new Set(drops.map((drop) => drop.drop_reason));
    expect([...reasons].sort()).toEqual([132, 133, 139, 151, 155, 158, 181]);
    const noBackend = drops.filter((drop) => drop.drop_reason === 158);
    for (const drop of noBackend) expect(drop.destination_service?.name).toBe('search');
    expect(drops.some((drop) => drop.drop_reason === 139 && drop.IP === undefined)).toBe(true);
  });

  it('name the policy on the verdict of an explicit deny only', () => {
    for (const verdict of verdicts) {
      const names = [...(verdict.ingress_denied_by ?? []), ...(verdict.egress_denied_by ?? [])];
      expect(names.length).toBe(verdict.drop_reason === 181 ? 1 : 0);
      expect(verdict.is_reply).toBeUndefined();
    }
  });

  it('repeat the SYN of a denied connection a second later', () => {
    // The run may begin between the two SYNs of a connection.
    const whole = drops.filter((drop) => nanos(drop.time) > RUN_START + 2_000_000_000n);
    const first = whole.find((drop) => drop.drop_reason === 133);
    const again = drops.filter((drop) => first !== undefined && tuple(drop) === tuple(first));
    expect(again.length).toBe(2);
    expect(Number(nanos(again[1]?.time ?? '') - nanos(again[0]?.time ?? '')) / 1e9).toBeCloseTo(1, 2);
  });
});

describe('policy verdicts', () => {
  const verdicts = ofType(5);

  it('name the policies that allow, and say false for reply', () => {
    const allowed = verdicts.filter((flow) => ['FORWARDED', 'REDIRECTED'].includes(flow.verdict));
    expect(new Set(allowed.map((flow) => flow.verdict)).size).toBe(2);
    for (const flow of allowed) {
      const field = flow.traffic_direction === 'EGRESS' ? 'egress_allowed_by' : 'ingress_allowed_by';
      expect(flow[field]).toHaveLength(1);
      expect(flow.is_reply).toBe(false);
      const producer = flow[field]?.[0]?.name === 'orders-produce';
      expect(flow.auth_type).toBe(producer ? 'SPIRE' : undefined);
    }
    expect(allowed.some((flow) => flow.auth_type === 'SPIRE')).toBe(true);
    expect(
      allowed.some((flow) => flow.egress_allowed_by?.[0]?.kind === 'CiliumClusterwideNetworkPolicy'),
    ).toBe(true);
  });

  it('in audit mode name nobody and let the packet pass', () => {
    const audits = verdicts.filter((flow) => flow.verdict === 'AUDIT');
    expect(audits.length).toBeGreaterThan(10);
    const passed = new Set(
      ofType(TRACE)
        .filter((flow) => flow.trace_reason === 'NEW')
        .map(tuple),
    );
    for (const audit of audits) {
      expect(Object.keys(audit).filter((name) => name.endsWith('_by'))).toEqual([]);
      expect(passed.has(tuple(audit))).toBe(true);
    }
  });
});

describe('socket events', () => {
  it('show the service before translation and the pod after it, with source port 0', () => {
    const socks = ofType(7);
    const before = socks.filter((flow) => flow.verdict === 'TRACED');
    const after = socks.filter((flow) => flow.verdict === 'TRANSLATED');
    expect(before.length).toBe(after.length);
    expect(before.length).toBeGreaterThan(100);
    for (const flow of before) expect(flow.destination_service).toBeDefined();
    for (const flow of after) expect(flow.destination.pod_name).toBeDefined();
    for (const flow of socks) {
      expect(flow.Type).toBe('SOCK');
      expect(Object.values(flow.l4 ?? {})[0]?.source_port).toBeUndefined();
      expect(flow.is_reply).toBeUndefined();
      expect(flow.traffic_direction).toBeUndefined();
    }
  });

  it('are the only ones, besides packets to a service without backend, that show a service', () => {
    for (const flow of flows) {
      const service = flow.destination_service ?? flow.source_service;
      if (service !== undefined) expect(flow.verdict === 'TRACED' || flow.drop_reason === 158).toBe(true);
    }
  });
});

describe('application records', () => {
  const records = ofType(129);

  it('have ports but no flags, ethernet or interface, and latency on responses only', () => {
    const bare = (flow: JsonFlow): boolean =>
      flow.ethernet === undefined && flow.interface === undefined && flow.l4?.['TCP']?.flags === undefined;
    expect(offenders(records, bare)).toEqual([]);
    expect(offenders(records, (flow) => flow.is_reply === (flow.l7?.type === 'RESPONSE'))).toEqual([]);
    const timed = records.filter((flow) => flow.l7?.latency_ns !== undefined);
    const mayBeTimed = ({ l7 }: JsonFlow): boolean => l7?.type === 'RESPONSE' && l7.http !== undefined;
    expect(offenders(timed, mayBeTimed)).toEqual([]);
    const http = records.filter((flow) => flow.l7?.type === 'RESPONSE' && flow.l7.http !== undefined);
    const unknown = http.filter((flow) => flow.l7?.latency_ns === undefined).length;
    expect(unknown / http.length).toBeGreaterThan(0.002);
    expect(unknown / http.length).toBeLessThan(0.05);
  });

  it('come from the client’s side, the server’s side, or both, by edge', () => {
    const sides = (path: RegExp, client: string): Set<string | undefined> =>
      new Set(
        records
          .filter((flow) => flow.l7?.type === 'REQUEST' && path.test(flow.l7.http?.url ?? ''))
          .filter((flow) => flow.source.labels?.includes(`k8s:app=${client}`))
          .map((flow) => flow.traffic_direction),
      );
    expect(sides(/\/\/catalog\//, 'frontend')).toEqual(new Set(['EGRESS', 'INGRESS']));
    expect(sides(/\/\/recommendations\//, 'frontend')).toEqual(new Set(['EGRESS']));
    expect(sides(/\/\/catalog\//, 'recommendations')).toEqual(new Set(['INGRESS']));
  });

  it('swap source and destination in a response, but for agents that do not for DNS', () => {
    const responses = records.filter((flow) => flow.l7?.type === 'RESPONSE');
    const forms = new Set<string>();
    for (const flow of responses) {
      const { dns } = flow.l7 ?? {};
      const ports = Object.values(flow.l4 ?? {})[0] ?? {};
      if (dns !== undefined)
        forms.add(`${flow.node_name.at(-1)} ${ports.source_port === 53 ? 'swapped' : 'kept'}`);
      else expect((ports.source_port ?? 0) < 32_768).toBe(true);
    }
    expect(forms).toContain('4 kept');
    expect(forms).toContain('1 swapped');
  });

  it('record a refused request as a dropped request without a reason and without an answer', () => {
    const refused = records.filter((flow) => flow.verdict === 'DROPPED');
    expect(refused.some((flow) => flow.l7?.http?.method === 'DELETE')).toBe(true);
    expect(refused.some((flow) => flow.l7?.dns?.query === 'tracker.example.net.')).toBe(true);
    for (const flow of refused) {
      expect(flow.l7?.type).toBe('REQUEST');
      expect(flow.drop_reason_desc).toBeUndefined();
    }
  });

  it('look names up as resolvers do: A and AAAA, search domains, failures', () => {
    const answers = records.filter((flow) => flow.l7?.type === 'RESPONSE' && flow.l7.dns !== undefined);
    const dns = answers.map((flow) => flow.l7?.dns);
    for (const one of dns) expect(one?.query.endsWith('.')).toBe(true);
    const aliased = dns.filter((one) => one?.cnames !== undefined);
    expect(aliased.length).toBeGreaterThan(0);
    for (const one of aliased)
      expect(one).toMatchObject({ rrtypes: ['CNAME', 'A'], ips: [expect.any(String)] });
    expect(new Set(dns.map((one) => one?.qtypes[0]))).toEqual(new Set(['A', 'AAAA']));
    expect(new Set(dns.map((one) => one?.rcode ?? 0))).toEqual(new Set([0, 2, 3]));
    const missing = dns.filter((one) => one?.rcode === 3);
    for (const one of missing)
      expect(one?.query).toMatch(/^[\w.-]+\.[a-z]+\.[a-z-]+\.svc\.cluster\.local\.$/);
    for (const one of dns.filter((answer) => answer?.ips === undefined)) expect(one?.ttl).toBe(4_294_967_295);
  });

  it('carry the trace of the request in context and header alike, also on responses', () => {
    const traced = records.filter((flow) => flow.trace_context !== undefined);
    expect(new Set(traced.map((flow) => flow.l7?.type))).toEqual(new Set(['REQUEST', 'RESPONSE']));
    for (const flow of traced) {
      const id = flow.trace_context?.parent.trace_id ?? '';
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      if (flow.l7?.type !== 'REQUEST') continue;
      const header = flow.l7.http?.headers.find(({ key }) => key === 'Traceparent')?.value;
      expect(header?.slice(3, 35)).toBe(id);
    }
    expect(records.some((flow) => flow.l7?.http !== undefined && flow.trace_context === undefined)).toBe(
      true,
    );
  });

  it('include Kafka from the old agent', () => {
    const kafka = records.filter((flow) => flow.l7?.kafka !== undefined);
    expect(kafka.length).toBeGreaterThan(10);
    expect(new Set(kafka.map((flow) => flow.node_name))).toEqual(new Set(['demo/demo-worker-3']));
  });
});
