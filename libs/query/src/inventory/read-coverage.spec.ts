import { describe, expect, it } from 'vitest';
import { coverageStatus } from './read-coverage.js';
import type { CoverageFacts } from './read-coverage.js';

const HOUR = 3_600_000_000_000n;
const window = { fromNs: 100n * HOUR, toNs: 101n * HOUR };

const facts = (more: Partial<CoverageFacts> = {}): CoverageFacts => ({
  window,
  gaps: [],
  eventsLostUpstream: 0n,
  watermarkNs: window.toNs + HOUR,
  oldestKeptNs: 10n * HOUR,
  nodesReporting: 1,
  nodesExpected: 1,
  repairing: false,
  ledger: [],
  ...more,
});

describe('the status of coverage', () => {
  it('is COMPLETE without gaps and with nothing on its way', () => {
    expect(coverageStatus(facts(), 0n)).toBe('COMPLETE');
  });

  it('is NO_SOURCE when nothing is kept', () => {
    expect(coverageStatus(facts({ oldestKeptNs: null, watermarkNs: null }), 0n)).toBe('NO_SOURCE');
  });

  it('is OUTSIDE_RETENTION when all that is kept is younger', () => {
    expect(coverageStatus(facts({ oldestKeptNs: window.toNs }), 0n)).toBe('OUTSIDE_RETENTION');
  });

  it('is STILL_ARRIVING when events that wait may belong to its end', () => {
    expect(coverageStatus(facts({ watermarkNs: window.toNs - 1n }), 1n)).toBe('STILL_ARRIVING');
  });
});
