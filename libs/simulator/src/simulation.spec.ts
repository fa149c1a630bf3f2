import { describe, expect, it } from 'vitest';
import { Simulation, type SimulatedEvent, type SimulationOptions } from './index.js';

const SECOND = 1_000_000_000n;
const START = 1_790_000_000n * SECOND;
const FAULTS = {
  lostEvents: 0.05,
  clockSkewMs: [0, 250, -300, 2],
  duplicateShare: 0.05,
  aggregatedShare: 0.05,
  podChurn: 60,
  nodeOutages: 120,
};

function options(more: Partial<SimulationOptions> = {}): SimulationOptions {
  return {
    seed: 7,
    from: START,
    to: START + 120n * SECOND,
    callsPerSecond: 30,
    scenario: 'test',
    incidentStart: START + 60n * SECOND,
    faults: FAULTS,
    ...more,
  };
}

function play(simulation: Simulation): SimulatedEvent[] {
  return [...simulation.events()];
}

function fingerprint(events: readonly SimulatedEvent[]): string[] {
  return events.map(
    ({ node, timeNs, kind, bytes }) => `${node} ${timeNs} ${kind} ${Buffer.from(bytes).toString('base64')}`,
  );
}

describe('a simulation', () => {
  it('gives the same bytes and the same truth for the same options', () => {
    const one = new Simulation(options({ keepCalls: true }));
    const two = new Simulation(options({ keepCalls: true }));
    const first = fingerprint(play(one));
    expect(fingerprint(play(two))).toEqual(first);
    expect(two.truth.calls).toEqual(one.truth.calls);
    expect(two.truth.totals).toEqual(one.truth.totals);
    expect(first.length).toBeGreaterThan(5000);
  });

  it('gives other events for another seed', () => {
    const [one, two] = [7, 8].map((seed) =>
      fingerprint(play(new Simulation(options({ seed }))).filter((event) => event.kind === 'flow')),
    );
    const known = new Set(one);
    expect(two?.length).toBeGreaterThan(5000);
    expect(two?.filter((line) => known.has(line))).toEqual([]);
  });

  it('goes on in a second run exactly where the first one stopped', () => {
    const whole = new Simulation(options());
    const expected = fingerprint(play(whole));
    const seam = [0n, 1n, 37n, 61n, 120n];
    const parts = seam.slice(1).map((until, index) => {
      const from = START + (seam[index] ?? 0n) * SECOND;
      return new Simulation(options({ from, to: START + until * SECOND }));
    });
    expect(parts.flatMap((part) => fingerprint(play(part)))).toEqual(expected);
    for (const name of ['calls', 'events', 'flows', 'weightedFlows', 'lostFlows', 'duplicates'] as const) {
      const sum = parts.reduce((total, part) => total + part.truth.totals[name], 0);
      expect(sum, name).toBe(whole.truth.totals[name]);
    }
  });

  it('orders events by time and keeps them within the window', () => {
    const quiet = { ...FAULTS, duplicateShare: 0 };
    const { from, to } = options();
    let last = 0n;
    for (const { timeNs } of new Simulation(options({ faults: quiet })).events()) {
      expect(timeNs >= last && timeNs >= from && timeNs < to).toBe(true);
      last = timeNs;
    }
    expect(last).toBeGreaterThan(0n);
  });

  it('replays what it sent, byte for byte, when the relay reconnects', () => {
    const simulation = new Simulation(options());
    const lines = fingerprint(play(simulation));
    const { duplicates, events } = simulation.truth.totals;
    expect(new Set(lines).size).toBe(events);
    expect(lines.length).toBe(events + duplicates);
    expect(duplicates).toBeGreaterThan(0);
  });

  it('makes about as many calls as it is asked for', () => {
    const seconds = 600n;
    const simulation = new Simulation(
      options({ to: START + seconds * SECOND, callsPerSecond: 20, incidents: false, faults: {} }),
    );
    play(simulation);
    const rate = simulation.truth.totals.calls / Number(seconds);
    expect(rate).toBeGreaterThan(17);
    expect(rate).toBeLessThan(23);
  });

  it('follows the day in the demo: more at 14:00 than at 02:00', () => {
    const midnight = (START / (86_400n * SECOND)) * 86_400n * SECOND;
    const calls = [2n, 14n].map((hour) => {
      const from = midnight + hour * 3600n * SECOND;
      const simulation = new Simulation({
        seed: 3,
        from,
        to: from + 300n * SECOND,
        callsPerSecond: 20,
      });
      play(simulation);
      return simulation.truth.totals.calls;
    });
    expect(calls[1]).toBeGreaterThan(2 * (calls[0] ?? Infinity));
  });

  it('gives nothing for an empty window but can describe itself', () => {
    const simulation = new Simulation(options({ to: START }));
    expect(play(simulation)).toEqual([]);
    expect(simulation.describe().nodes).toHaveLength(4);
  });

  it('lets its events be read once, since reading writes the truth', () => {
    const simulation = new Simulation(options({ to: START + SECOND }));
    play(simulation);
    expect(() => play(simulation)).toThrow('can be read once');
  });

  it.each([
    ['a broken second', { from: START + 1n }],
    ['an end before the beginning', { to: START - SECOND }],
    ['no node', { nodes: 0 }],
    ['a negative rate', { callsPerSecond: -1 }],
    ['a clock too far off', { faults: { clockSkewMs: [1000] } }],
  ])('refuses %s', (_what, wrong) => {
    expect(() => new Simulation(options(wrong))).toThrow(RangeError);
  });

  it.each([1, 2, 7])('runs on %i nodes', (nodes) => {
    const events = play(new Simulation(options({ nodes })));
    expect(new Set(events.map((event) => event.node)).size).toBe(nodes);
  });

  it('makes an hour of the demo at ten calls a second, and says how fast', () => {
    const to = START + 3600n * SECOND;
    const simulation = new Simulation({ seed: 20, from: START, to, callsPerSecond: 10 });
    const begun = performance.now();
    const events = play(simulation).length;
    const perSecond = Math.round(events / ((performance.now() - begun) / 1000));
    process.stdout.write(`simulator: ${events} events, ${perSecond} events/s on one thread\n`);
    expect(events).toBeGreaterThan(100_000);
  });
});

describe('the demo cluster', () => {
  const simulation = new Simulation({
    seed: 20,
    from: START,
    to: START + 3600n * SECOND,
    callsPerSecond: 1,
  });
  const description = simulation.describe();

  it('has the nodes, namespaces and workloads that the guide names', () => {
    expect(description.cluster).toBe('demo');
    expect(description.nodes).toEqual([1, 2, 3, 4].map((n) => `demo/demo-worker-${n}`));
    expect(description.namespaces).toEqual([
      'default',
      'kube-system',
      'monitoring',
      'production',
      'shop',
      'staging',
    ]);
    const pods = description.workloads.find(({ name }) => name === 'my-app')?.pods ?? [];
    expect(pods).toHaveLength(3);
    for (const pod of pods) expect(pod.name).toMatch(/^my-app-xyz/);
    expect(description.services).toContainEqual(
      expect.objectContaining({ namespace: 'production', name: 'payment-service' }),
    );
  });

  it('tells its incident: 25 minutes before the end, payments denies checkout', () => {
    expect(description.incident).toEqual({
      text: 'shop/checkout -> payments is denied since 2026-09-21T14:48:20Z',
      startNs: START + 2100n * SECOND,
      client: 'shop/checkout',
      server: 'shop/payments',
      port: 8443,
      reason: 181,
      policy: 'shop/payments-lockdown',
    });
  });

  it('gives every living pod an address of its own, and a gone pod its address to another', () => {
    const owners = new Map<string, Set<string>>();
    for (let minute = 0n; minute < 30n; minute++) {
      const from = START + minute * 60n * SECOND;
      const now = new Simulation({ seed: 20, from, to: from, faults: { podChurn: 300 } }).describe();
      const pods = now.workloads.flatMap((workload) =>
        workload.pods.map((pod) => ({ ...pod, workload: workload.name })),
      );
      expect(new Set(pods.map((pod) => pod.ip)).size).toBe(pods.length);
      for (const pod of pods) {
        const known = owners.get(pod.ip) ?? new Set();
        owners.set(pod.ip, known.add(pod.workload));
      }
    }
    expect([...owners.values()].some((workloads) => workloads.size > 1)).toBe(true);
  });
});
