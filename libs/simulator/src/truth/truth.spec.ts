import { describe, expect, it } from 'vitest';
import {
  expectedAudited,
  expectedConnections,
  expectedDrops,
  expectedRed,
  Simulation,
  toJsonLine,
  type CallRecord,
  type SimulationOptions,
  type TruthEdge,
} from '../index.js';
import { nanos, type JsonEnd, type JsonFlow } from '../testing/json-flow.js';

const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;
/** Five minutes before a full hour, so that the run lies in two hours. */
const START = (1_790_000_000n / 3600n) * HOUR + HOUR - 300n * SECOND;
const WINDOW = { fromNs: START, toNs: START + 600n * SECOND };

const OPTIONS: SimulationOptions = {
  seed: 13,
  from: WINDOW.fromNs,
  to: WINDOW.toNs,
  callsPerSecond: 15,
  scenario: 'test',
  keepCalls: true,
  faults: { lostEvents: 0.03, nodeOutages: 200, aggregatedShare: 0.05, clockSkewMs: [0, 120, -80] },
};

const simulation = new Simulation(OPTIONS);
const events = [...simulation.events()];
const { totals, calls } = simulation.truth;
const lines = events.map((event) => JSON.parse(toJsonLine(event)) as Record<string, JsonFlow>);
const flows = lines.flatMap((line) => line['flow'] ?? []);

/** Workload of every pod, from what the records of its own node say. */
const owners = new Map(
  flows.flatMap(({ source, destination }) =>
    [source, destination].flatMap(({ pod_name: pod, workloads: [owner] = [] }) =>
      pod === undefined || owner === undefined ? [] : ([[pod, owner.name]] as const),
    ),
  ),
);

function workload({ pod_name: pod, labels = [] }: JsonEnd): string {
  if (pod !== undefined) return owners.get(pod) ?? pod;
  const names = labels.filter((label) => label.startsWith('reserved:'));
  const app = labels.find((label) => label.startsWith('k8s:app='));
  return names[0] ?? app?.slice(8) ?? '';
}

const weightOf = (flow: JsonFlow): number => Object.values(flow.aggregate ?? { one: 1 })[0] ?? 1;
const sum = (list: readonly number[]): number => list.reduce((total, one) => total + one, 0);
const group = (rows: readonly (readonly [key: string, count: number])[]): Record<string, number> => {
  const groups: Record<string, number> = {};
  for (const [key, count] of rows) groups[key] = (groups[key] ?? 0) + count;
  return groups;
};
const edgeText = ({ client, server, serverPort }: TruthEdge): string =>
  `${client.workload} > ${server.workload}:${serverPort}`;

/** The same counting, from the records alone: client and server by port and reply, one reporter an edge and hour. */
function recountRed(): Record<string, number> {
  const rows = flows
    .filter((flow) => flow.l7 !== undefined && (flow.l7.type === 'RESPONSE' || flow.verdict === 'DROPPED'))
    .map((flow) => {
      const [l4 = {}] = Object.values(flow.l4 ?? {});
      const swapped = (l4.source_port ?? 0) < 32_768;
      const [client, server] = swapped ? [flow.destination, flow.source] : [flow.source, flow.destination];
      const port = swapped ? l4.source_port : l4.destination_port;
      const edge = `${workload(client)} > ${workload(server)}:${port}`;
      const what = flow.l7?.type === 'RESPONSE' ? 'requests' : 'denied';
      return { flow, what, edge, hour: `${edge} ${nanos(flow.time) / HOUR}` };
    });
  const served = new Set(
    rows.filter(({ flow }) => flow.traffic_direction === 'INGRESS').map(({ hour }) => hour),
  );
  return group(
    rows
      .filter(({ flow, what, hour }) => {
        const twice = flow.traffic_direction !== 'INGRESS' && what === 'requests';
        return !twice || !served.has(hour);
      })
      .map(({ flow, what, edge }) => [`${edge} ${what}`, weightOf(flow)]),
  );
}

describe('the truth', () => {
  it('adds up with what was given out', () => {
    expect(totals.events + totals.duplicates).toBe(events.length);
    expect(totals.flows).toBe(flows.length);
    expect(totals.events).toBe(totals.flows + totals.lostEvents + totals.nodeStatus + totals.agentEvents);
    expect(sum(Object.values(totals.byType))).toBe(totals.flows);
    expect(totals.weightedFlows).toBe(sum(flows.map(weightOf)));
    expect(totals.weightedFlows).toBeGreaterThan(totals.flows);
    const type = { drop: 1, trace: 4, verdict: 5, sock: 7, l7: 129 } as const;
    for (const [name, number] of Object.entries(type))
      expect(totals.byType[name as keyof typeof type]).toBe(
        flows.filter((flow) => flow.event_type.type === number).length,
      );
  });

  it('counts as lost what the lost-events messages own up to, and apart what nobody does', () => {
    const messages = lines.flatMap((line) => line['lost_events'] ?? []) as unknown as {
      num_events_lost: string;
    }[];
    expect(messages.length).toBe(totals.lostEvents);
    expect(messages.length).toBeGreaterThan(5);
    expect(sum(messages.map((one) => Number(one.num_events_lost)))).toBe(totals.lostFlows);
    expect(totals.unreachableFlows).toBeGreaterThan(0);
    const clean = new Simulation({
      ...OPTIONS,
      faults: { ...OPTIONS.faults, lostEvents: 0, nodeOutages: 0 },
    });
    for (const event of clean.events()) expect(event.kind).not.toBe('lost_events');
    expect(clean.truth.totals.flows).toBe(totals.flows + totals.lostFlows + totals.unreachableFlows);
  });

  it('knows requests and refusals as the records tell them', () => {
    const expected = expectedRed(calls, WINDOW, 'edge').flatMap((row) => [
      [`${edgeText(row.edge)} requests`, row.requests] as const,
      [`${edgeText(row.edge)} denied`, row.denied] as const,
    ]);
    const counted = group(expected.filter(([, count]) => count > 0));
    expect(counted).toEqual(recountRed());
    expect(counted['frontend > catalog:8080 requests']).toBeGreaterThan(100);
    expect(counted['recommendations > catalog:8080 denied']).toBeGreaterThan(3);
  });

  it('knows errors and latencies as the records tell them', () => {
    const edge = 'frontend > recommendations:8080';
    const row = expectedRed(calls, WINDOW, 'edge').find((one) => edgeText(one.edge) === edge);
    const answers = flows.filter(
      ({ l7, source, destination }) =>
        l7?.type === 'RESPONSE' && `${workload(destination)} > ${workload(source)}:8080` === edge,
    );
    expect(row?.faults).toBe(sum(answers.filter(({ l7 }) => (l7?.http?.code ?? 0) >= 500).map(weightOf)));
    expect(row?.faults).toBeGreaterThan(0);
    const known = answers.map(({ l7 }) => BigInt(l7?.latency_ns ?? '0')).filter((ns) => ns > 0n);
    const ascending = known.sort((a, b) => (a < b ? -1 : 1));
    expect(row?.latencies.map(({ ns }) => ns)).toEqual(ascending);
    const all = sum(row?.latencies.map(({ weight }) => weight) ?? []) + (row?.unknownLatency ?? 0);
    expect(all).toBe(row?.requests);
  });

  it('is additive: endpoints make their edge, and parts of the window make the window', () => {
    const requests = (window: typeof WINDOW, by: 'edge' | 'endpoint'): Record<string, number> =>
      group(expectedRed(calls, window, by).map((row) => [edgeText(row.edge), row.requests]));
    const whole = requests(WINDOW, 'edge');
    expect(requests(WINDOW, 'endpoint')).toEqual(whole);
    const cut = START + 417n * SECOND;
    const parts = [
      ...Object.entries(requests({ fromNs: WINDOW.fromNs, toNs: cut }, 'edge')),
      ...Object.entries(requests({ fromNs: cut, toNs: WINDOW.toNs }, 'edge')),
    ];
    expect(group(parts)).toEqual(whole);
  });

  it('knows drops by drop events only, with reason and edge, and audited packets apart', () => {
    const drops = flows.filter((flow) => flow.event_type.type === 1);
    const port = (flow: JsonFlow): number => Object.values(flow.l4 ?? {})[0]?.destination_port ?? 0;
    // A packet to a service without backend shows the service's port, which here is the pod's, too.
    const recount = group(
      drops.map((flow) => [
        `${workload(flow.source)} > ${workload(flow.destination)}:${port(flow)} ${flow.drop_reason}`,
        weightOf(flow),
      ]),
    );
    const expected = expectedDrops(calls, WINDOW).map(
      ({ edge, reason, count }) => [`${edgeText(edge)} ${reason}`, count] as const,
    );
    expect(group(expected)).toEqual(recount);
    expect(expectedDrops(calls, WINDOW).some(({ policy }) => policy === 'deny-staging')).toBe(true);
    const audits = flows.filter((flow) => flow.verdict === 'AUDIT');
    expect(sum(expectedAudited(calls, WINDOW).map(({ count }) => count))).toBe(sum(audits.map(weightOf)));
    expect(audits.length).toBeGreaterThan(0);
  });

  it('counts a connection once, at the best point of its edge and hour', () => {
    const rank: Record<string, number> = { TO_ENDPOINT: 0, TO_STACK: 1, TO_OVERLAY: 2, TO_NETWORK: 3 };
    const rows = flows
      .filter((flow) => flow.trace_reason === 'NEW' && flow.is_reply === false)
      .filter(
        (flow) => (flow.trace_observation_point === 'TO_ENDPOINT') === (flow.traffic_direction === 'INGRESS'),
      )
      .flatMap((flow) => {
        const at = rank[flow.trace_observation_point ?? ''];
        const [l4 = {}] = Object.values(flow.l4 ?? {});
        const edge = `${workload(flow.source)} > ${workload(flow.destination)}:${l4.destination_port ?? 0}`;
        return at === undefined ? [] : [{ flow, at, hour: `${edge} ${nanos(flow.time) / HOUR}` }];
      });
    const best = new Map<string, number>();
    for (const { at, hour } of rows) best.set(hour, Math.min(at, best.get(hour) ?? at));
    const recount = group(
      rows.filter(({ at, hour }) => at === best.get(hour)).map(({ hour, flow }) => [hour, weightOf(flow)]),
    );
    const expected = expectedConnections(calls, WINDOW);
    expect(group(expected.map(({ edge, hour, count }) => [`${edgeText(edge)} ${hour}`, count]))).toEqual(
      recount,
    );
    expect(new Set(expected.map(({ point }) => point)).size).toBeGreaterThan(2);
  });

  it('keeps no call unless asked, but the same totals', () => {
    const lean = new Simulation({ ...OPTIONS, keepCalls: false });
    for (const event of lean.events()) expect(event.node).not.toBe('');
    expect(lean.truth.calls).toEqual([]);
    expect(lean.truth.totals).toEqual(totals);
  });

  it('gives the same answers from two runs as from one', () => {
    const seam = START + 250n * SECOND;
    const incidentStart = START + 300n * SECOND;
    const parts = [
      { from: START, to: seam, incidentStart },
      { from: seam, to: WINDOW.toNs, incidentStart },
    ].flatMap((span) => {
      const part = new Simulation({ ...OPTIONS, ...span });
      for (const event of part.events()) expect(event.timeNs >= span.from).toBe(true);
      return part.truth.calls;
    });
    const sorted = (list: readonly CallRecord[]): unknown[] =>
      expectedRed(list, WINDOW, 'endpoint')
        .map((row) => ({ ...row, key: `${edgeText(row.edge)} ${row.edge.protocol} ${row.endpoint}` }))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    expect(sorted(parts)).toEqual(sorted(calls));
  });
});

describe('a call record', () => {
  it('links retries to the attempt before', () => {
    const byId = new Map(calls.map((call) => [call.id, call]));
    expect(byId.size).toBe(calls.length);
    const retries = calls.filter((call) => call.retryOf !== undefined && byId.has(call.retryOf));
    expect(retries.length).toBeGreaterThan(10);
    for (const call of retries) {
      const before = byId.get(call.retryOf ?? '');
      expect(call.attempt).toBe((before?.attempt ?? 0) + 1);
      expect(call.timeNs > (before?.timeNs ?? call.timeNs)).toBe(true);
    }
  });

  it('has a latency exactly when something came back', () => {
    for (const call of calls) {
      const silent = call.latencyNs === undefined;
      if (call.denied === undefined) expect(silent).toBe(call.serverPort === 8125);
      else expect(silent).toBe(call.status === undefined);
    }
  });

  it('says a client waits at least as long as the server works', () => {
    for (const { observations } of calls) {
      const [client, server] = (['client', 'server'] as const).map((side) =>
        observations.find((line) => line.kind === 'l7-response' && line.side === side),
      );
      if (client?.latencyNs === undefined || server?.latencyNs === undefined) continue;
      expect(client.latencyNs >= server.latencyNs).toBe(true);
    }
  });
});
