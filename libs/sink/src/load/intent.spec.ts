import { describe, expect, it } from 'vitest';
import { decodeIntent, encodeIntent, sameCounts } from './intent.js';

const INTENT = {
  from: 2n ** 60n,
  to: 2n ** 60n + 999n,
  counts: { flows: 50_000, events: 3, dead_letters: 0, skipped_events: 7 },
  minutes: [1_700_000_040, 1_700_000_100] as const,
};

describe('intent', () => {
  it('comes back as it was announced, in less than the 4 KiB a log takes', () => {
    const text = encodeIntent(INTENT);
    expect(text.length).toBeLessThan(1024);
    expect(decodeIntent(text)).toEqual(INTENT);
  });

  it.each([
    '',
    '{',
    'null',
    '7',
    '{"v":2,"f":"1","t":"2","n":{},"m":[0,0]}',
    '{"v":1,"f":"-1","t":"2","n":{},"m":[0,0]}',
    '{"v":1,"f":"1","t":"2","n":{"flows":"9"},"m":[0,0]}',
  ])('takes %j for no intent', (text) => {
    expect(decodeIntent(text)).toBeUndefined();
  });

  it('tells a batch rebuilt by other code by its counts, where a table not named counts as empty', () => {
    expect(sameCounts(INTENT.counts, { ...INTENT.counts })).toBe(true);
    expect(sameCounts({ flows: 1, events: 0 }, { flows: 1 })).toBe(true);
    expect(sameCounts(INTENT.counts, { ...INTENT.counts, flows: 49_999 })).toBe(false);
  });
});
