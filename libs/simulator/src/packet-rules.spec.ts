import { describe, expect, it } from 'vitest';
import { offenders, playRun, type JsonEnd, type JsonFlow } from './testing/json-flow.js';

const { flows } = playRun();
const ofType = (type: number): JsonFlow[] => flows.filter((flow) => flow.event_type.type === type);

const TRACE = 4;
const node = (flow: JsonFlow): number => Number(flow.node_name.at(-1)) - 1;
const isLocal = (ip: string | undefined, flow: JsonFlow): boolean =>
  ip !== undefined && (ip.startsWith(`10.0.${node(flow)}.`) || ip.startsWith(`fd00:10:0:${node(flow) + 1}:`));

describe('endpoints', () => {
  it('carry workloads and endpoint id on the side of the observing node only', () => {
    let local = 0;
    let remote = 0;
    const wrong: unknown[] = [];
    for (const flow of flows) {
      const ends = [
        [flow.source, flow.IP?.source],
        [flow.destination, flow.IP?.destination],
      ] as const;
      for (const [end, ip] of ends) {
        if (end.workloads === undefined && end.ID === undefined) remote += end.pod_name === undefined ? 0 : 1;
        else if (isLocal(ip, flow)) local++;
        else wrong.push(flow);
      }
    }
    expect(wrong).toEqual([]);
    expect(local).toBeGreaterThan(1000);
    expect(remote).toBeGreaterThan(1000);
  });

  it('carry sorted labels with a source, and pods their namespace, name and identity', () => {
    const ends = flows.flatMap(({ source, destination }) => [source, destination]);
    const sorted = ({ labels = [] }: JsonEnd): boolean => labels.join() === [...labels].sort().join();
    const sourced = ({ labels = [] }: JsonEnd): boolean =>
      labels.every((label) => /^(k8s|reserved|cidr|fqdn):/.test(label));
    const complete = ({ pod_name: pod, namespace, identity = 0 }: JsonEnd): boolean =>
      pod === undefined || (namespace !== undefined && identity >= 256);
    expect(offenders(ends, sorted)).toEqual([]);
    expect(offenders(ends, sourced)).toEqual([]);
    expect(offenders(ends, complete)).toEqual([]);
  });

  it('number CIDR and FQDN identities by node', () => {
    const byNode = new Map<string, Set<number>>();
    for (const flow of flows) {
      if (!(flow.destination.labels ?? []).includes('fqdn:*.example.com')) continue;
      const identity = flow.destination.identity ?? 0;
      expect(identity >>> 24).toBe(1);
      byNode.set(flow.node_name, (byNode.get(flow.node_name) ?? new Set()).add(identity));
    }
    expect(byNode.size).toBeGreaterThan(1);
    for (const identities of byNode.values()) expect(identities.size).toBe(1);
    expect(new Set([...byNode.values()].flatMap((identities) => [...identities])).size).toBe(byNode.size);
  });

  it('name outside hosts from the view of the client, without a trailing dot', () => {
    const named = flows.filter((flow) => flow.destination_names?.includes('api.bank.example.com'));
    expect(named.length).toBeGreaterThan(0);
    expect(flows.some((flow) => flow.source_names?.includes('api.bank.example.com'))).toBe(true);
    expect(offenders(named, (flow) => isLocal(flow.IP?.source, flow))).toEqual([]);
  });

  it('give the canary other labels under the same workload', () => {
    const catalog = flows.flatMap(({ source, destination }) =>
      [source, destination].filter((end) => end.workloads?.[0]?.name === 'catalog'),
    );
    const canaries = catalog.filter((end) => end.labels?.includes('k8s:track=canary'));
    expect(canaries.length).toBeGreaterThan(0);
    expect(canaries.length).toBeLessThan(catalog.length);
    expect(canaries[0]?.identity).not.toBe(catalog.find((end) => !canaries.includes(end))?.identity);
  });
});

describe('every flow', () => {
  it('has a uuid of its own, unless an exporter aggregated it', () => {
    const single = flows.filter((flow) => flow.aggregate === undefined);
    const uuids = new Set(single.map((flow) => flow.uuid));
    expect(uuids.size).toBe(single.length);
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(offenders([...uuids], (uuid) => form.test(uuid ?? ''))).toEqual([]);
    const aggregated = flows.filter((flow) => flow.aggregate !== undefined);
    expect(aggregated.length).toBeGreaterThan(50);
    for (const { aggregate = {}, uuid, traffic_direction: direction } of aggregated) {
      expect(uuid).toBeUndefined();
      const key = direction === undefined ? 'unknown_direction' : direction.toLowerCase();
      expect(Object.keys(aggregate)).toEqual([`${key}_flow_count`]);
      expect(aggregate[`${key}_flow_count`]).toBeGreaterThan(1);
    }
  });

  it('names its node with the cluster, and its emitter unless the agent is old', () => {
    const named = (flow: JsonFlow): boolean =>
      /^demo\/demo-worker-[1-4]$/.test(flow.node_name) &&
      flow.node_labels.includes(`kubernetes.io/hostname=${flow.node_name.slice(5)}`);
    expect(offenders(flows, named)).toEqual([]);
    const old = (flow: JsonFlow): boolean => flow.node_name === 'demo/demo-worker-3';
    expect(offenders(flows, (flow) => (flow.emitter === undefined) === old(flow))).toEqual([]);
  });

  it('fills the deprecated fields as agents do', () => {
    expect(offenders(flows, (flow) => (flow.reply ?? false) === (flow.is_reply ?? false))).toEqual([]);
    const reasons = (flow: JsonFlow): boolean => !flow.drop_reason === (flow.drop_reason_desc === undefined);
    expect(offenders(flows, reasons)).toEqual([]);
    expect(offenders(flows, (flow) => (flow.IP === undefined) === (flow.Summary === undefined))).toEqual([]);
  });

  it('orders the flags of its summary as Cilium does', () => {
    const order = ['SYN', 'ACK', 'RST', 'FIN', 'PSH'];
    const tcp = flows.filter((flow) => flow.Summary?.startsWith('TCP Flags: ') === true);
    const written = ({ l4 }: JsonFlow): string =>
      order.filter((name) => l4?.['TCP']?.flags?.[name] === true).join(', ');
    expect(offenders(tcp, (flow) => flow.Summary === `TCP Flags: ${written(flow)}`)).toEqual([]);
    const seen = new Set(tcp.map((flow) => flow.Summary));
    expect(seen).toContain('TCP Flags: SYN, ACK');
    expect(seen).toContain('TCP Flags: ACK, FIN');
  });
});

describe('trace events', () => {
  const traces = ofType(TRACE);

  it('are forwarded, and tell the connection’s direction and reply state only with a conntrack result', () => {
    const states = new Set(traces.map((flow) => `${flow.is_reply}`));
    const rule = ({
      verdict,
      trace_reason: reason,
      is_reply: reply,
      traffic_direction: to,
    }: JsonFlow): boolean =>
      verdict === 'FORWARDED' &&
      (reason === undefined ? reply === undefined && to === undefined : reply === (reason === 'REPLY'));
    expect(offenders(traces, rule)).toEqual([]);
    expect([...states].sort()).toEqual(['false', 'true', 'undefined']);
  });

  it('leave the sub type out exactly at to-endpoint', () => {
    const rule = (flow: JsonFlow): boolean =>
      (flow.event_type.sub_type === undefined) === (flow.trace_observation_point === 'TO_ENDPOINT');
    expect(offenders(traces, rule)).toEqual([]);
  });

  it('call a reply to an inbound connection ingress although the packet leaves', () => {
    const replies = traces.filter(
      (flow) => flow.is_reply === true && flow.trace_observation_point !== 'TO_ENDPOINT',
    );
    expect(replies.length).toBeGreaterThan(100);
    expect(offenders(replies, (flow) => flow.traffic_direction === 'INGRESS')).toEqual([]);
  });

  it('show an interface where a packet meets a device, and the proxy’s port on the way to it', () => {
    const device = ['TO_ENDPOINT', 'TO_OVERLAY', 'TO_NETWORK'];
    const rule = ({ trace_observation_point: point = '', ...flow }: JsonFlow): boolean =>
      (flow.interface !== undefined) === device.includes(point) &&
      (flow.proxy_port !== undefined) === (point === 'TO_PROXY') &&
      flow.ethernet !== undefined;
    expect(offenders(traces, rule)).toEqual([]);
    expect(traces.some((flow) => flow.tunnel?.protocol === 'VXLAN')).toBe(true);
    expect(traces.some((flow) => flow.IP?.encrypted === true)).toBe(true);
    expect(traces.some((flow) => flow.IP?.source_xlated?.startsWith('192.168.10.'))).toBe(true);
  });

  it('exist for IPv6, ICMP, UDP, host, remote node, health, API server and world', () => {
    expect(traces.some((flow) => flow.IP?.ipVersion === 'IPv6')).toBe(true);
    expect(traces.some((flow) => flow.l4?.['ICMPv4']?.type === 8)).toBe(true);
    expect(traces.some((flow) => flow.l4?.['ICMPv6']?.type === 128)).toBe(true);
    expect(traces.some((flow) => flow.l4?.['SCTP']?.destination_port === 9899)).toBe(true);
    expect(traces.some((flow) => flow.l4?.['UDP']?.destination_port === 8125)).toBe(true);
    for (const name of ['host', 'remote-node', 'health', 'kube-apiserver', 'world']) {
      const label = `reserved:${name}`;
      const found = traces.some(({ source, destination }) =>
        [source, destination].some((end) => end.labels?.includes(label)),
      );
      expect(found, name).toBe(true);
    }
  });
});
