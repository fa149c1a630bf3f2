import { describe, expect, it } from 'vitest';
import { coverageStatus } from './read-coverage.js';
import type { CoverageFacts, Gap } from './read-coverage.js';

const HOUR = 3_600_000_000_000n;
const window = { fromNs: 100n * HOUR, toNs: 101n * HOUR };

const GAP = { ...window, cluster: '', node: null, lost: null };

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

  it('is OUTSIDE_RETENTION when all of it has expired, and NO_SOURCE when nobody recorded yet', () => {
    const whole = (cause: Gap['cause']) => facts({ oldestKeptNs: window.toNs, gaps: [{ ...GAP, cause }] });
    expect(coverageStatus(whole('EXPIRED'), 0n)).toBe('OUTSIDE_RETENTION');
    expect(coverageStatus(whole('SOURCE_DISCONNECTED'), 0n)).toBe('NO_SOURCE');
  });

  it('is PARTIAL with a gap, even one of a node that lasts all the time, and while a repair is open', () => {
    const expired = facts({ gaps: [{ ...GAP, toNs: window.toNs - 1n, cause: 'EXPIRED' }] });
    expect(coverageStatus(expired, 0n)).toBe('PARTIAL');
    const away = facts({ gaps: [{ ...GAP, node: 'n1', cause: 'NODE_UNAVAILABLE' }] });
    expect(coverageStatus(away, 0n)).toBe('PARTIAL');
    expect(coverageStatus(facts({ repairing: true }), 0n)).toBe('PARTIAL');
    expect(coverageStatus(facts(), 1n)).toBe('PARTIAL');
  });

  it('is STILL_ARRIVING when events that wait may belong to its end', () => {
    expect(coverageStatus(facts({ watermarkNs: window.toNs - 1n }), 1n)).toBe('STILL_ARRIVING');
  });
});
