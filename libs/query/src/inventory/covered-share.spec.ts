import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coveredShare, readNamespaceNodes, readSampledShare, redConfidence } from './covered-share.js';
import type { CoverageFacts, Gap } from './read-coverage.js';

const MINUTE = 60_000_000_000n;
const WINDOW = { fromNs: 0n, toNs: 100n * MINUTE };

function factsWith(gaps: readonly Gap[], more: Partial<CoverageFacts> = {}): CoverageFacts {
  return {
    window: WINDOW,
    gaps,
    eventsLostUpstream: 0n,
    watermarkNs: null,
    oldestKeptNs: 0n,
    nodesReporting: 4,
    nodesExpected: null,
    repairing: false,
    ledger: [],
    ...more,
  };
}

function gap(from: bigint, to: bigint, node: string | null, cause: Gap['cause'] = 'NODE_UNAVAILABLE'): Gap {
  return { fromNs: from * MINUTE, toNs: to * MINUTE, cluster: 'c', node, cause, lost: null };
}

describe('coveredShare', () => {
  it('is 1 without gaps, and the share of node time that gaps leave', () => {
    expect(coveredShare(factsWith([]), WINDOW.toNs)).toBe(1);
    expect(coveredShare(factsWith([gap(0n, 20n, 'n1')]), WINDOW.toNs)).toBe(0.95);
    expect(coveredShare(factsWith([gap(0n, 20n, null, 'EXPIRED')]), WINDOW.toNs)).toBe(0.8);
  });

  it('counts time once that several gaps of a node touch', () => {
    const gaps = [gap(0n, 20n, 'n1'), gap(10n, 40n, 'n1'), gap(5n, 6n, 'n1'), gap(0n, 10n, null)];
    // 40 minutes of n1, 10 of each of the other three.
    expect(coveredShare(factsWith(gaps), WINDOW.toNs)).toBe(1 - 70 / 400);
  });

  it('counts lost events in whole minutes, and all nodes that anybody spoke of', () => {
    const lost: Gap = {
      ...gap(0n, 0n, 'n9', 'RING_BUFFER_LOST'),
      fromNs: 5n * MINUTE + 1n,
      toNs: 5n * MINUTE + 2n,
    };
    expect(coveredShare(factsWith([lost], { nodesExpected: 10 }), WINDOW.toNs)).toBe(1 - 1 / 1000);
  });

  it('is of what has happened, and null of what lies ahead', () => {
    expect(coveredShare(factsWith([gap(0n, 20n, null)]), 40n * MINUTE)).toBe(0.5);
    expect(coveredShare(factsWith([]), 0n)).toBeNull();
  });

  it('stays between 0 and 1 for any gaps', () => {
    const gaps = fc.array(
      fc.record({
        from: fc.bigInt({ min: -50n, max: 150n }),
        length: fc.bigInt({ min: 0n, max: 200n }),
        node: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e')),
      }),
    );
    fc.assert(
      fc.property(gaps, (list) => {
        const share = coveredShare(
          factsWith(list.map(({ from, length, node }) => gap(from, from + length, node))),
          WINDOW.toNs,
        );
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('redConfidence', () => {
  it('is the product of what was heard, recorded one by one, and timed', () => {
    const stats = { requests: 8n, knownLatencyShare: 0.5 };
    expect(redConfidence(stats, 1, 0)).toBe(0.5);
    expect(redConfidence(stats, 0.5, 0.5)).toBe(0.125);
    expect(redConfidence({ requests: 8n, knownLatencyShare: null }, 1, 0)).toBe(1);
  });

  it('is null where there is nothing to believe, or a share is unknown', () => {
    expect(redConfidence({ requests: 0n, knownLatencyShare: null }, 1, 0)).toBeNull();
    expect(redConfidence({ requests: 1n, knownLatencyShare: 1 }, null, 0)).toBeNull();
    expect(redConfidence({ requests: 1n, knownLatencyShare: 1 }, 1, null)).toBeNull();
  });
});

describe('readSampledShare', () => {
  it('is 0 when every flow has a record, and null without flows', () => {
    expect(readSampledShare([{ flow_count: '10', record_count: '10' }])).toBe(0);
    expect(readSampledShare([{ flow_count: '10', record_count: '4' }])).toBeCloseTo(0.6);
    expect(readSampledShare([{ flow_count: '0', record_count: '0' }])).toBeNull();
  });
});

describe('readNamespaceNodes', () => {
  it('names no nodes when none is known, or a pod ran where nobody listened', () => {
    expect(readNamespaceNodes([{ node_names: ['c/b', 'c/a'], unheard_pods: '0' }])).toEqual(['c/a', 'c/b']);
    expect(readNamespaceNodes([{ node_names: ['c/a'], unheard_pods: '1' }])).toBeNull();
    expect(readNamespaceNodes([{ node_names: [], unheard_pods: '0' }])).toBeNull();
    expect(readNamespaceNodes([])).toBeNull();
  });
});
