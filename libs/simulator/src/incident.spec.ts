import { describe, expect, it } from 'vitest';
import { Simulation } from './index.js';
import { nanos, playRun, RUN_INCIDENT as start, type JsonFlow } from './testing/json-flow.js';

const SECOND = 1_000_000_000n;
const { flows, agentEvents } = playRun();

describe('the incident', () => {
  const isPayment = (flow: JsonFlow): boolean =>
    flow.l4?.['TCP']?.destination_port === 8443 &&
    (flow.destination.labels ?? []).includes('k8s:app=payments');

  it('is announced by every agent within the second before it', () => {
    const updates = agentEvents.filter(({ agent_event: { type } }) => type === 'POLICY_UPDATED');
    expect(updates).toHaveLength(4);
    for (const { time } of updates) {
      const before = start - nanos(time);
      expect(before > 0n && before < SECOND).toBe(true);
    }
  });

  it('denies every connection from checkout to payments from then on, and none before', () => {
    const dropped = flows.filter(
      (flow) => flow.drop_reason === 181 && flow.event_type.type === 1 && isPayment(flow),
    );
    const arrived = flows.filter(
      (flow) =>
        flow.trace_observation_point === 'TO_ENDPOINT' && flow.trace_reason === 'NEW' && isPayment(flow),
    );
    expect(dropped.length).toBeGreaterThan(50);
    expect(arrived.length).toBeGreaterThan(10);
    for (const flow of dropped) expect(nanos(flow.time) >= start).toBe(true);
    for (const flow of arrived) expect(nanos(flow.time) < start + SECOND / 2n).toBe(true);
  });

  it('makes checkout fail towards frontend, after three attempts', () => {
    const answers = flows.filter(
      (flow) => flow.l7?.type === 'RESPONSE' && flow.l7.http?.url === 'http://checkout/orders',
    );
    const share = (late: boolean): number => {
      const some = answers.filter((flow) => nanos(flow.time) > start + 10n * SECOND === late);
      return some.filter((flow) => flow.l7?.http?.code === 503).length / some.length;
    };
    expect(share(true)).toBe(1);
    expect(share(false)).toBeLessThan(0.2);
    const attempts = simulationCalls().filter((call) => call.attempt === 3);
    expect(attempts.length).toBeGreaterThan(10);
  });
});

function simulationCalls(): readonly { attempt: number }[] {
  const from = start;
  const again = new Simulation({
    seed: 5,
    from,
    to: from + 60n * SECOND,
    incidentStart: from,
    callsPerSecond: 40,
    scenario: 'test',
    keepCalls: true,
  });
  for (const event of again.events()) expect(event.bytes.length).toBeGreaterThan(0);
  return again.truth.calls;
}
