import { describe, expect, it } from 'vitest';
import type { NodeCount } from './hubble-messages.js';
import { SilenceWatch } from './silence-watch.js';

const node = (name: string, seenFlows: bigint, more: Partial<NodeCount> = {}): NodeCount => ({
  name,
  connected: true,
  seenFlows,
  uptimeNs: seenFlows,
  ...more,
});
const received =
  (fresh: bigint, lost = 0n) =>
  () => ({ fresh, lost });

describe('SilenceWatch', () => {
  it('calls a node silent that goes on observing while nothing of it arrives', () => {
    const watch = new SilenceWatch();
    expect(watch.look([node('n1', 100n)], received(90n)).silent).toEqual([]);
    expect(watch.look([node('n1', 120n)], received(110n)).silent).toEqual([]);
    expect(watch.look([node('n1', 130n)], received(110n)).silent).toEqual(['n1']);
  });

  it('is not alarmed by an idle node, a node out of reach, or one that reports losses', () => {
    for (const [count, now] of [
      [node('n1', 100n), received(5n)],
      [node('n1', 150n, { connected: false }), received(5n)],
      [node('n1', 150n), received(5n, 50n)],
    ] as const) {
      const watch = new SilenceWatch();
      watch.look([node('n1', 100n)], received(5n));
      expect(watch.look([count], now).silent).toEqual([]);
    }
  });

  it('says nothing about a node that no flow has named', () => {
    const watch = new SilenceWatch();
    for (const seen of [100n, 200n, 300n])
      expect(watch.look([node('n1', seen)], () => undefined)).toEqual({ silent: [], unexplained: 0n });
  });

  it('sums what no message accounts for', () => {
    const watch = new SilenceWatch();
    watch.look([node('n1', 100n)], received(100n));
    expect(watch.look([node('n1', 200n)], received(150n, 30n)).unexplained).toBe(20n);
    expect(watch.look([node('n1', 250n)], received(220n, 30n)).unexplained).toBe(0n);
  });

  it('begins anew when an agent does', () => {
    const watch = new SilenceWatch();
    watch.look([node('n1', 100n)], received(100n));
    expect(watch.look([node('n1', 10n)], received(100n))).toEqual({ silent: [], unexplained: 0n });
    expect(watch.look([node('n1', 15n)], received(105n))).toEqual({ silent: [], unexplained: 0n });
  });
});
