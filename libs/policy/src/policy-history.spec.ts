import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate/evaluate.js';
import {
  changesSpan,
  policiesAsOf,
  storedChanges,
  type PolicyChange,
  type PolicySnapshot,
} from './policy-history.js';
import type { Policy } from './policy.js';
import { cilium, flow, pod, policies } from './testing/views.js';

const MINUTE = 60_000_000_000n;
const NOON = 1_790_000_000_000_000_000n;
const NOW = NOON + 60n * MINUTE;

const open = cilium('shop', 'p', { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] });
const closed = cilium('shop', 'p', { endpointSelector: {}, ingress: [{}] });

function snapshot(validFromNs: bigint | null, list: readonly Policy[], cluster = ''): PolicySnapshot {
  return { origin: `file ${validFromNs}`, validFromNs, cluster, policies: list, problems: [] };
}

function change(atNs: bigint, more: Partial<PolicyChange> = {}): PolicyChange {
  const named = { kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'p' };
  return { ...named, deleted: false, firstNs: atNs, lastNs: atNs, ...more };
}

const VIEW = flow('INGRESS', pod('shop', 'web'), pod('shop', 'db'), 80);
const verdict = (
  snapshots: readonly PolicySnapshot[],
  atNs: bigint,
  changes: readonly PolicyChange[] = [],
): string => evaluate(policiesAsOf(snapshots, 'demo', atNs, changes).policies, VIEW).verdict;

describe('policies as of a moment', () => {
  const timeline = [snapshot(NOON - 30n * MINUTE, policies(open)), snapshot(NOON, policies(closed))];

  it('are the last state that began before it', () => {
    expect(verdict(timeline, NOON - MINUTE)).toBe('ALLOWED');
    expect(verdict(timeline, NOON)).toBe('DENIED');
    expect(policiesAsOf(timeline, 'demo', NOON, [])).toMatchObject({
      known: true,
      validFromNs: NOON,
      origins: [`file ${NOON}`],
      doubts: [],
    });
  });

  it('of several files of one time are all of them', () => {
    const two = [
      snapshot(NOON, policies(open)),
      snapshot(NOON, policies(cilium('shop', 'q', { endpointSelector: {}, ingress: [{}] }))),
    ];
    expect(policiesAsOf(two, 'demo', NOON, []).policies.map(({ name }) => name)).toEqual(['p', 'q']);
  });

  it('before the first stored state decide nothing for certain', () => {
    expect(verdict(timeline, NOON - 60n * MINUTE)).toBe('UNDETERMINED');
    expect(policiesAsOf(timeline, 'demo', NOON - 60n * MINUTE, []).doubts[0]).toContain('after this flow');
  });

  it('are a file without a time where no other state began', () => {
    const both = [snapshot(null, policies(closed)), snapshot(NOON, policies(open))];
    expect(verdict(both, NOON - MINUTE)).toBe('DENIED');
    expect(verdict(both, NOON)).toBe('ALLOWED');
  });

  it('are those of the cluster, and unknown where nothing is stored', () => {
    const east = [snapshot(null, policies(closed), 'east')];
    expect(verdict(east, NOON)).toBe('ALLOWED');
    expect(policiesAsOf(east, 'demo', NOON, []).known).toBe(false);
    expect(policiesAsOf(east, 'east', NOON, []).known).toBe(true);
  });

  it('do not include what was created later', () => {
    const created = new Date(Number(NOON / 1_000_000n)).toISOString();
    const [policy] = policies({
      ...(closed as object),
      metadata: { name: 'p', namespace: 'shop', creationTimestamp: created },
    });
    expect(verdict([snapshot(null, [policy!])], NOON - 1n)).toBe('ALLOWED');
    expect(verdict([snapshot(null, [policy!])], NOON)).toBe('DENIED');
  });
});

describe('what agents reported', () => {
  const stored = [snapshot(NOON, policies(closed))];

  it('is asked for from a moment after the stored state to the flow', () => {
    expect(changesSpan(stored, 'demo', NOON + MINUTE, NOW)).toEqual({
      fromNs: NOON + 10_000_000_000n,
      toNs: NOON + MINUTE + 1n,
    });
    expect(changesSpan(stored, 'demo', NOON, NOW)).toBeNull();
    expect(changesSpan([], 'demo', NOON, NOW)).toBeNull();
  });

  it('is asked for from the flow to now where a file says no time', () => {
    expect(changesSpan([snapshot(null, [])], 'demo', NOON, NOW)).toEqual({ fromNs: NOON, toNs: NOW });
  });

  it('makes a changed policy doubtful', () => {
    expect(verdict(stored, NOON + 2n * MINUTE, [change(NOON + MINUTE)])).toBe('UNDETERMINED');
    expect(verdict(stored, NOON + 2n * MINUTE, [change(NOON + MINUTE, { name: 'q', deleted: true })])).toBe(
      'DENIED',
    );
  });

  it('takes a deleted policy out, and says so', () => {
    const deleted = [change(NOON + MINUTE, { deleted: true })];
    expect(verdict(stored, NOON + 2n * MINUTE, deleted)).toBe('ALLOWED');
    expect(policiesAsOf(stored, 'demo', NOON + 2n * MINUTE, deleted).doubts).toEqual([
      'CiliumNetworkPolicy shop/p was deleted before this flow',
    ]);
  });

  it('makes a namespace doubtful where a policy came that nobody stored', () => {
    const empty = [snapshot(NOON, [])];
    const came = [change(NOON + MINUTE)];
    expect(verdict(empty, NOON + 2n * MINUTE, came)).toBe('UNDETERMINED');
    expect(verdict(empty, NOON + 2n * MINUTE, [change(NOON + MINUTE, { namespace: 'other' })])).toBe(
      'ALLOWED',
    );
  });

  it('counts deletions after the flow where a file says no time: the policy was there then', () => {
    const today = [snapshot(null, [])];
    expect(verdict(today, NOON, [change(NOON + MINUTE, { deleted: true })])).toBe('UNDETERMINED');
    expect(verdict(today, NOON, [change(NOON + MINUTE)])).toBe('ALLOWED');
  });
});

describe('what two stored states differ by', () => {
  it('is what came, went or has other rules, and when that can have been', () => {
    const [q, r] = ['q', 'r'].map((name) => cilium('shop', name, { endpointSelector: {}, ingress: [{}] }));
    const old = snapshot(NOON - MINUTE, policies(open, q!));
    const current = snapshot(NOON, policies(closed, r!));
    const span = { afterNs: NOON - MINUTE, byNs: NOON };
    const found = storedChanges([old, current], 'demo', NOON + MINUTE);
    expect(found.map(({ policy, what, ...times }) => [policy.name, what, times])).toEqual([
      ['p', 'CHANGED', span],
      ['r', 'ADDED', span],
      ['q', 'REMOVED', span],
    ]);
    expect(storedChanges([old, old, current], 'demo', NOON - 1n)).toEqual([]);
    expect(storedChanges([snapshot(null, policies(open)), current], 'demo', NOON)).toEqual([]);
  });
});
