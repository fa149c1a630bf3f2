import { describe, expect, it } from 'vitest';
import { HubbleMetrics } from './hubble-metrics.js';
import { parseHandlers } from './metric-config.js';
import { flowsOf } from './testing/flow-of.js';

const POD = (name: string, app: string, more: object = {}): object => ({
  identity: 1000,
  namespace: 'shop',
  pod_name: name,
  labels: [`k8s:app=${app}`, 'k8s:tier=x'],
  ...more,
});
const WEB = POD('web-5d4f8c7b9d-abcde', 'web', { workloads: [{ name: 'web', kind: 'Deployment' }] });
const API = POD('api-0', 'api');
const WORLD = { identity: 2, labels: ['reserved:world'] };

const tcp = (flags: object, more: object = {}): object => ({
  verdict: 'FORWARDED',
  Type: 'L3_L4',
  event_type: { type: 4 },
  trace_observation_point: 'TO_ENDPOINT',
  traffic_direction: 'INGRESS',
  is_reply: false,
  IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
  l4: { TCP: { source_port: 40000, destination_port: 8080, flags } },
  source: WEB,
  destination: API,
  ...more,
});
const l7 = (type: 'REQUEST' | 'RESPONSE', body: object, more: object = {}): object => ({
  verdict: 'FORWARDED',
  Type: 'L7',
  event_type: { type: 129 },
  traffic_direction: 'INGRESS',
  is_reply: type === 'RESPONSE',
  IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 'IPv4' },
  l4: { TCP: { source_port: 40000, destination_port: 8080 } },
  source: type === 'RESPONSE' ? API : WEB,
  destination: type === 'RESPONSE' ? WEB : API,
  l7: { type, ...body },
  ...more,
});
const DENIED = { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', is_reply: null };

/** Samples of one family after counting flows, sorted. */
function count(
  enabled: readonly string[],
  flows: readonly object[],
  options: { readonly correct?: boolean; readonly maxSeries?: number; readonly open?: boolean } = {},
): (family: string) => string[] {
  const metrics = new HubbleMetrics({
    handlers: parseHandlers(enabled),
    budget: { maxSeries: options.maxSeries ?? 1000, idleMs: 60_000 },
    correct: options.correct ?? false,
  });
  for (const flow of flowsOf(flows)) metrics.count(flow, 1000);
  const lines = metrics.text(options.open ?? false, 1000).split('\n');
  return (family) => lines.filter((line) => new RegExp(`^${family}[{ ]`).test(line)).toSorted();
}

describe('the series of Hubble', () => {
  it('count every flow once by kind', () => {
    const flows = [
      tcp({ SYN: true }),
      tcp({}, { event_type: { type: 5 } }),
      l7('REQUEST', { http: { method: 'GET' } }),
    ];
    expect(count(['flow'], flows)('hubble_flows_processed_total')).toEqual([
      'hubble_flows_processed_total{protocol="HTTP",type="L7",subtype="HTTP",verdict="FORWARDED"} 1',
      'hubble_flows_processed_total{protocol="TCP",type="PolicyVerdict",subtype="",verdict="FORWARDED"} 1',
      'hubble_flows_processed_total{protocol="TCP",type="Trace",subtype="to-endpoint",verdict="FORWARDED"} 1',
    ]);
  });

  it('count a denied packet twice as Hubble does, once when corrected', () => {
    const flows = [
      tcp({ SYN: true }, { ...DENIED, event_type: { type: 1, sub_type: 133 } }),
      tcp({ SYN: true }, { ...DENIED, event_type: { type: 5 } }),
    ];
    const drops = (correct: boolean): string[] => count(['drop'], flows, { correct })('hubble_drop_total');
    expect(drops(false)).toEqual(['hubble_drop_total{reason="POLICY_DENIED",protocol="TCP"} 2']);
    expect(drops(true)).toEqual(['hubble_drop_total{reason="POLICY_DENIED",protocol="TCP"} 1']);
  });

  it('tell flags of TCP, SYN-ACK apart from SYN, of flows that passed', () => {
    const flows = [
      tcp({ SYN: true }),
      tcp({ SYN: true, ACK: true }, { is_reply: true }),
      tcp({ FIN: true, ACK: true }),
      tcp({ RST: true }),
      tcp({ RST: true }, { ...DENIED, event_type: { type: 1 } }),
    ];
    expect(count(['tcp'], flows)('hubble_tcp_flags_total')).toEqual([
      'hubble_tcp_flags_total{flag="FIN",family="IPv4"} 1',
      'hubble_tcp_flags_total{flag="RST",family="IPv4"} 1',
      'hubble_tcp_flags_total{flag="SYN",family="IPv4"} 1',
      'hubble_tcp_flags_total{flag="SYN-ACK",family="IPv4"} 1',
    ]);
  });

  it('count DNS queries, refusals, responses and their types', () => {
    const dns = (more: object): object => ({ dns: { query: 'a.example.', qtypes: ['A'], ...more } });
    const flows = [
      l7('REQUEST', dns({})),
      l7('REQUEST', dns({}), { verdict: 'DROPPED' }),
      l7('RESPONSE', dns({ rcode: 3 })),
      l7('RESPONSE', dns({ ips: ['1.2.3.4', '1.2.3.5'], rrtypes: ['CNAME', 'A'] })),
      l7('REQUEST', { dns: { query: 'a.example.', qtypes: ['AAAA'] } }),
    ];
    const of = count(['dns:query;ignoreAAAA'], flows);
    expect(of('hubble_dns_queries_total')).toEqual([
      'hubble_dns_queries_total{rcode="",qtypes="A",ips_returned="0",query="a.example."} 1',
      'hubble_dns_queries_total{rcode="Policy denied",qtypes="A",ips_returned="0",query="a.example."} 1',
    ]);
    expect(of('hubble_dns_responses_total')).toEqual([
      'hubble_dns_responses_total{rcode="No Error",qtypes="A",ips_returned="2",query="a.example."} 1',
      'hubble_dns_responses_total{rcode="Non-Existent Domain",qtypes="A",ips_returned="0",query="a.example."} 1',
    ]);
    expect(of('hubble_dns_response_types_total')).toEqual([
      'hubble_dns_response_types_total{type="A",qtypes="A",query="a.example."} 1',
      'hubble_dns_response_types_total{type="CNAME",qtypes="A",query="a.example."} 1',
    ]);
  });

  const GET = { http: { method: 'GET', url: '/', protocol: 'HTTP/1.1' } };
  const OK = { http: { method: 'GET', url: '/', protocol: 'HTTP/1.1', code: 200 } };

  it('count HTTP by requests and responses in the old form, by responses in the new one, seen from the client', () => {
    const flows = [l7('REQUEST', GET), l7('RESPONSE', { ...OK, latency_ns: '30000000' })];
    const labels = 'sourceContext=pod-short;destinationContext=app';
    const old = count([`http:${labels}`], flows);
    expect(old('hubble_http_requests_total')).toEqual([
      'hubble_http_requests_total{source="shop/web",destination="api",method="GET",protocol="HTTP/1.1",reporter="server"} 1',
    ]);
    expect(old('hubble_http_responses_total')[0]).toContain(
      '{source="shop/api",destination="web",method="GET"',
    );
    const now = count([`httpV2:${labels}`], flows);
    expect(now('hubble_http_requests_total')).toEqual([
      'hubble_http_requests_total{source="shop/web",destination="api",method="GET",protocol="HTTP/1.1",status="200",reporter="server"} 1',
    ]);
    const buckets = now('hubble_http_request_duration_seconds_bucket');
    expect(buckets).toContain(
      'hubble_http_request_duration_seconds_bucket{source="shop/web",destination="api",method="GET",reporter="server",le="0.05"} 1',
    );
    expect(buckets.filter((line) => line.endsWith(' 1'))).toHaveLength(9);
    expect(now('hubble_http_request_duration_seconds_sum')[0]).toMatch(/ 0\.03$/);
  });

  it('observe an unknown latency as nothing when corrected, as 0 s like Hubble otherwise', () => {
    const durations = (correct: boolean): string[] =>
      count(['httpV2'], [l7('RESPONSE', OK)], { correct })('hubble_http_request_duration_seconds_count');
    expect(durations(false)).toEqual([
      'hubble_http_request_duration_seconds_count{method="GET",reporter="server"} 1',
    ]);
    expect(durations(true)).toEqual([]);
  });

  it('give the trace of an observation as an exemplar, in OpenMetrics only', () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traced = l7('RESPONSE', OK, { trace_context: { parent: { trace_id: traceId } } });
    const lines = (open: boolean): string[] =>
      count(['httpV2:exemplars=true'], [traced], { open })('hubble_http_requests_total');
    expect(lines(true)[0]).toContain(` 1 # {traceID="${traceId}"} 1 1.000`);
    expect(lines(false)[0]).not.toContain('traceID');
  });

  it('count policy verdicts but those of the host, and L7 records as verdicts of the proxy', () => {
    const verdict = { event_type: { type: 5 }, policy_match_type: 2 };
    const flows = [
      tcp({ SYN: true }, verdict),
      tcp({ SYN: true }, { ...verdict, ...DENIED, policy_match_type: 0, traffic_direction: 'EGRESS' }),
      tcp({ SYN: true }, { ...verdict, source: { identity: 1, labels: ['reserved:host'] } }),
      l7('REQUEST', GET, { verdict: 'REDIRECTED' }),
    ];
    expect(count(['policy'], flows)('hubble_policy_verdicts_total')).toEqual([
      'hubble_policy_verdicts_total{direction="egress",match="none",action="dropped"} 1',
      'hubble_policy_verdicts_total{direction="ingress",match="l3-l4",action="forwarded"} 1',
      'hubble_policy_verdicts_total{direction="ingress",match="l7/http",action="redirected"} 1',
    ]);
  });

  it('count flows to the world: no replies, drops by policy only, SYN only where asked', () => {
    const out = { destination: WORLD, traffic_direction: 'EGRESS' };
    const flows = [
      tcp({ SYN: true }, out),
      tcp({ ACK: true }, out),
      tcp({ ACK: true }, { ...out, is_reply: true }),
      tcp({ SYN: true }, { ...out, ...DENIED, event_type: { type: 1 } }),
      tcp(
        { SYN: true },
        { ...out, ...DENIED, drop_reason_desc: 'INVALID_SOURCE_IP', event_type: { type: 1 } },
      ),
      tcp({ SYN: true }),
    ];
    const of = (options: string): string[] =>
      count([`flows-to-world${options}`], flows)('hubble_flows_to_world_total');
    expect(of('')).toEqual([
      'hubble_flows_to_world_total{protocol="TCP",verdict="DROPPED"} 1',
      'hubble_flows_to_world_total{protocol="TCP",verdict="FORWARDED"} 2',
    ]);
    expect(of(':any-drop;syn-only;port')).toEqual([
      'hubble_flows_to_world_total{protocol="TCP",verdict="DROPPED",port="8080"} 2',
      'hubble_flows_to_world_total{protocol="TCP",verdict="FORWARDED",port="8080"} 1',
    ]);
  });

  it('count ports of what passed and is no reply, ICMP with its types, SCTP and Kafka', () => {
    const icmp = {
      l4: { ICMPv6: { type: 128 } },
      IP: { source: 'fd00::1', destination: 'fd00::2', ipVersion: 'IPv6' },
    };
    const sctp = { l4: { SCTP: { source_port: 1, destination_port: 2, chunk_type: 'INIT_ACK' } } };
    const unnamed = { ...sctp, l4: { SCTP: { source_port: 1, destination_port: 2 } } };
    const kafka = { kafka: { api_key: 'produce', topic: 'orders', error_code: 3 } };
    const flows = [
      tcp({ SYN: true }),
      tcp({}, { is_reply: true }),
      tcp({}, icmp),
      tcp({}, sctp),
      tcp({}, unnamed),
      l7('RESPONSE', kafka),
    ];
    const of = count(['port-distribution', 'icmp', 'sctp', 'kafka'], flows);
    expect(of('hubble_port_distribution_total')).toEqual([
      'hubble_port_distribution_total{protocol="ICMPv6",port="0"} 1',
      'hubble_port_distribution_total{protocol="SCTP",port="2"} 2',
      'hubble_port_distribution_total{protocol="TCP",port="8080"} 1',
    ]);
    expect(of('hubble_icmp_total')).toEqual(['hubble_icmp_total{family="IPv6",type="EchoRequest"} 1']);
    expect(of('hubble_sctp_chunk_types_total')).toEqual([
      'hubble_sctp_chunk_types_total{chunk_type="INIT_ACK",family="IPv4"} 1',
    ]);
    expect(of('hubble_kafka_requests_total')).toEqual([
      'hubble_kafka_requests_total{topic="orders",api_key="produce",error_code="3",reporter="server"} 1',
    ]);
  });

  it('always tell lost events, by where they were lost', () => {
    const metrics = new HubbleMetrics({
      handlers: [],
      budget: { maxSeries: 10, idleMs: 1000 },
      correct: false,
    });
    metrics.lost(1, 7, 0);
    metrics.lost(1, 2, 0);
    expect(metrics.text(false, 0)).toContain('hubble_lost_events_total{source="perf_event_ring_buffer"} 9\n');
  });
});

describe('contexts', () => {
  it('take the first name that is there, by direction', () => {
    const enabled = [
      'drop:sourceContext=dns|identity;destinationEgressContext=ip;destinationIngressContext=workload-name|pod',
    ];
    const drop = { ...DENIED, event_type: { type: 1 } };
    const out = { ...drop, destination: WORLD, traffic_direction: 'EGRESS' };
    const lines = count(enabled, [tcp({}, drop), tcp({}, out)])('hubble_drop_total');
    expect(lines).toEqual([
      'hubble_drop_total{source="k8s:app=web,k8s:tier=x",destination="10.0.0.2",reason="POLICY_DENIED",protocol="TCP"} 1',
      'hubble_drop_total{source="k8s:app=web,k8s:tier=x",destination="api",reason="POLICY_DENIED",protocol="TCP"} 1',
    ]);
  });

  it('are labels of their own where asked, escaped', () => {
    const enabled = [
      'flow:labelsContext=source_namespace,source_workload',
      'source_workload_kind',
      'traffic_direction',
    ];
    const [line] = count(enabled, [tcp({})])('hubble_flows_processed_total');
    expect(line).toContain(
      '{source_namespace="shop",source_workload="web",source_workload_kind="Deployment",traffic_direction="ingress",',
    );
  });
});

describe('the cardinality budget', () => {
  it('folds names beyond it, keeps the sum, and says how often', () => {
    const flows = Array.from({ length: 50 }, (_, port) =>
      tcp(
        { SYN: true },
        { l4: { TCP: { source_port: 1, destination_port: port + 1, flags: { SYN: true } } } },
      ),
    );
    const of = count(['port-distribution'], flows, { maxSeries: 10 });
    const lines = of('hubble_port_distribution_total');
    expect(lines).toHaveLength(11);
    expect(lines).toContain('hubble_port_distribution_total{protocol="TCP",port="(folded)"} 40');
    expect(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)).toBe(50);
    expect(of('flowledger_hubble_metrics_folded_total')).toContain(
      'flowledger_hubble_metrics_folded_total{family="hubble_port_distribution_total"} 40',
    );
  });

  it('forgets series that nothing was counted in for long', () => {
    const budget = { maxSeries: 10, idleMs: 1000 };
    const metrics = new HubbleMetrics({ handlers: parseHandlers(['drop']), budget, correct: false });
    for (const flow of flowsOf([tcp({}, DENIED)])) metrics.count(flow, 0);
    expect(metrics.text(false, 1000)).toContain('hubble_drop_total{');
    expect(metrics.text(false, 1001)).not.toContain('hubble_drop_total{');
  });
});

describe('entries in the syntax of Hubble', () => {
  it.each([
    ['drops', 'drops is none of'],
    ['drop:sourceContext=podd', 'podd is none of'],
    ['drop:query', 'drop has no option query'],
    ['drop:labelsContext=source_pods', 'source_pods is no label'],
  ])('refuses %s', (entry, text) => {
    expect(() => parseHandlers([entry])).toThrow(text);
  });

  it('refuses a metric given twice, and http beside httpV2', () => {
    expect(() => parseHandlers(['drop', 'drop'])).toThrow('given twice');
    expect(() => parseHandlers(['http', 'httpV2'])).toThrow('exclude each other');
  });
});
