import { describe, expect, it } from 'vitest';
import { CONTEXT } from '../testing/query-fixture.js';
import type { HintRow } from './read-hints.js';
import { readablePart, searchHints } from './search-hints.js';
import type { HintsPlan } from './plan-hints.js';

const MINUTE = 60_000_000_000n;
const TO = 1_790_121_600_000_000_000n;
const DAY = { fromNs: TO - 1440n * MINUTE, toNs: TO };

function answer(seen: number, elapsedMs: number): { rows: HintRow[]; elapsedMs: number } {
  const row = { value: 'a', flow_total: '1', seen: String(seen), distinct_values: '1' };
  return { rows: seen === 0 ? [] : [row], elapsedMs };
}

const minutes = ({ fromNs, toNs }: { fromNs: bigint; toNs: bigint }): number =>
  Number((toNs - fromNs) / MINUTE);

describe('the part of a window that is read for hints', () => {
  it('is all of it when its newest ten minutes took no time', () => {
    expect(readablePart(DAY, answer(500, 20))).toEqual(DAY);
    expect(readablePart(DAY, answer(0, 25))).toEqual(DAY);
  });

  it('is all of it when so many match that the count ends early', () => {
    expect(readablePart(DAY, answer(700_000, 120))).toEqual(DAY);
  });

  it('is what the time is enough for when few match among many', () => {
    expect(minutes(readablePart(DAY, answer(1000, 70)))).toBe(150);
    expect(minutes(readablePart(DAY, answer(0, 160)))).toBe(50);
  });

  it('is never less than what was looked at', () => {
    expect(minutes(readablePart(DAY, answer(3, 5000)))).toBe(10);
  });
});

describe('a search for hints', () => {
  async function asked(window: typeof DAY, answers: readonly ReturnType<typeof answer>[]): Promise<number[]> {
    const widths: number[] = [];
    const context = { ...CONTEXT, nowNs: TO };
    const found = await searchHints({ field: 'verdict', window }, context, async (plan: HintsPlan) => {
      widths.push(minutes(plan.window));
      return answers[widths.length - 1] ?? answer(1, 1);
    });
    expect(found.ok).toBe(true);
    return widths;
  }

  it('looks at ten minutes of a long window first, and asks a short one at once', async () => {
    expect(await asked(DAY, [answer(5, 70), answer(5, 300)])).toEqual([10, 150]);
    expect(await asked({ ...DAY, fromNs: TO - 60n * MINUTE }, [answer(5, 70)])).toEqual([60]);
  });

  it('tries an eighth when the time runs out all the same, twice', async () => {
    expect(await asked(DAY, [answer(5, 30), answer(0, 1001), answer(0, 1001), answer(0, 1001)])).toEqual([
      10, 1350, 168, 21,
    ]);
  });
});
