import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { policiesAsOf } from './policy-history.js';
import { PolicyStates } from './policy-states.js';

const policy = (name: string, app: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name, namespace: 'shop', ...more },
  spec: { endpointSelector: { matchLabels: { app } }, ingress: [{}] },
});
const namesAt = (states: PolicyStates, atNs: bigint): readonly string[] =>
  policiesAsOf(states.snapshots, 'eu', atNs, []).policies.map(({ name }) => name);

describe('the states of policies', () => {
  it('judge each flow by the state of its time', () => {
    const states = new PolicyStates('kubernetes', 'eu', 10);
    states.add({ validFromNs: 100n, objects: [policy('a', 'x')] });
    states.add({ validFromNs: 200n, objects: [policy('a', 'x'), policy('b', 'y')] });
    states.add({ validFromNs: 300n, objects: [policy('b', 'y')] });
    expect([150n, 250n, 350n].map((at) => namesAt(states, at))).toEqual([['a'], ['a', 'b'], ['b']]);
    expect(policiesAsOf(states.snapshots, 'us', 250n, []).known).toBe(false);
  });

  it('are not added when nothing changed that matters, whatever the order of the objects', () => {
    const states = new PolicyStates('kubernetes', '', 10);
    const [a, b] = [policy('a', 'x'), policy('b', 'y')];
    expect(states.add({ validFromNs: 1n, objects: [a, b] })).toBe(true);
    expect(states.add({ validFromNs: 2n, objects: [b, policy('a', 'x', { resourceVersion: '9' })] })).toBe(
      false,
    );
    expect(states.add({ validFromNs: 3n, objects: [b, policy('a', 'z')] })).toBe(true);
    expect(states.add({ validFromNs: 4n, objects: [] })).toBe(true);
    expect(states.times).toEqual([1n, 3n, 4n]);
  });

  it('keep a number of states, and those that matter to a time', () => {
    const states = new PolicyStates('kubernetes', '', 3);
    for (const time of [1n, 2n, 3n, 4n])
      states.add({ validFromNs: time, objects: [policy(`p${time}`, 'x')] });
    expect(states.times).toEqual([2n, 3n, 4n]);
    states.forgetBefore(3n);
    expect(states.times).toEqual([3n, 4n]);
    states.forgetBefore(99n);
    expect(states.times).toEqual([4n]);
  });

  it('hold one object for an unchanged policy, and say what was not understood of each', () => {
    const states = new PolicyStates('kubernetes', '', 10);
    const odd = { ...policy('odd', 'x'), spec: { endpointSelector: {}, ingress: [{ fromMoon: [] }] } };
    states.add({ validFromNs: 1n, objects: [policy('a', 'x'), odd] });
    states.add({ validFromNs: 2n, objects: [policy('a', 'x'), odd, policy('b', 'y')] });
    const [first, second] = states.snapshots;
    expect(first?.policies[0]).toBe(second?.policies[0]);
    expect([first?.problems.length, second?.problems.length]).toEqual([1, 1]);
  });
});
