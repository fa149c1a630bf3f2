import { describe, expect, it } from 'vitest';
import { hourOf, KnownEndpoints, type HourEndpointRow } from './known-endpoints.js';

const HOUR_S = 3600;
const HOUR_NS = 3_600_000_000_000n;
const CATALOG = ['catalog', 'Deployment', '', ''] as const;

function row(hour: number, address: string, ...was: HourEndpointRow['was']): HourEndpointRow {
  return { cluster: 'demo', hour_s: hour, address, was };
}

describe('known endpoints', () => {
  it('know an address by cluster and hour, in the text that flows have', () => {
    const known = new KnownEndpoints(10);
    known.add([0], [row(0, '::ffff:10.0.0.1', CATALOG)]);
    expect(known.at('demo', HOUR_NS - 1n, '10.0.0.1')).toMatchObject([{ workload: 'catalog' }]);
    expect(known.at('demo', HOUR_NS, '10.0.0.1')).toEqual([]);
    expect(known.at('other', 0n, '10.0.0.1')).toEqual([]);
  });

  it('are a set: what is told again changes nothing, what is told besides is added', () => {
    const known = new KnownEndpoints(10);
    known.add([0], [row(0, '10.0.0.1', CATALOG)]);
    known.add([0], [row(0, '10.0.0.1', CATALOG, ['cart', 'Deployment', '', ''])]);
    expect(known.at('demo', 0n, '10.0.0.1').map(({ workload }) => workload)).toEqual(['catalog', 'cart']);
    expect(known.size).toBe(1);
  });

  it('forget the earliest hours when there are too many addresses, and say so', () => {
    const known = new KnownEndpoints(3);
    for (const hour of [2, 0, 1])
      known.add(
        [hour * HOUR_S],
        [row(hour * HOUR_S, '10.0.0.1', CATALOG), row(hour * HOUR_S, '10.0.0.2', CATALOG)],
      );
    expect([0, 1, 2].map((hour) => known.holds(hour * HOUR_S))).toEqual([false, false, true]);
    expect(known.size).toBe(2);
  });

  it('hold an hour of which the store knows nothing, so that it is not asked again', () => {
    const known = new KnownEndpoints(3);
    known.add([hourOf(HOUR_NS)], []);
    expect(known.holds(HOUR_S)).toBe(true);
  });
});
