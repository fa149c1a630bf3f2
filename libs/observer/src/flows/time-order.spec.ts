import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '@flowledger/platform';
import type { LabelledFlow, LiveStep } from '@flowledger/query';
import { inTimeOrder } from './time-order.js';

const CURSOR = { epoch: 1n, partitions: [] };
const CAUGHT_UP: LiveStep = { kind: 'caught_up', atNs: 0n, cursor: CURSOR };
const MISSED: LiveStep = {
  kind: 'missed',
  count: 3n,
  reason: 'SOURCE_LOSS',
  fromNs: 0n,
  toNs: 0n,
  resume: CURSOR,
};

/** Flows of these times; only the time matters here. */
function flows(...times: readonly number[]): LiveStep {
  const made = times.map((time) => ({ flow: { position: { bucketNs: BigInt(time) } } }) as LabelledFlow);
  return { kind: 'flows', flows: made, cursor: CURSOR };
}

type Beat = LiveStep | { readonly waitMs: number };

/** A tail that gives steps with pauses between them, and then waits until it is told to end. */
function tailOf(beats: readonly Beat[], ends = true) {
  let ended = false;
  const open = async function* (signal: AbortSignal): AsyncGenerator<LiveStep> {
    try {
      for (const beat of beats)
        if ('waitMs' in beat) await systemClock.sleep(beat.waitMs);
        else yield beat;
      if (!ends) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    } finally {
      ended = true;
    }
  };
  return { open, ended: () => ended };
}

const options = () => ({ clock: systemClock, signal: AbortSignal.timeout(20_000) });

/** Times in the order they came, one list a step; `missed` for what was missed. */
async function times(beats: readonly Beat[]): Promise<(readonly number[] | 'missed')[]> {
  const found: (readonly number[] | 'missed')[] = [];
  for await (const step of inTimeOrder(tailOf(beats).open, options()))
    found.push(
      step.kind === 'missed' ? 'missed' : step.flows.map(({ flow }) => Number(flow.position.bucketNs)),
    );
  return found;
}

describe('the order of followed flows', () => {
  it('is that of time over all partitions while the log is caught up with', async () => {
    const beats = [flows(1, 4, 7), flows(2, 5, 8), { waitMs: 150 }, flows(0, 3, 6), CAUGHT_UP];
    expect((await times(beats)).flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is that of time among live flows that come within a moment', async () => {
    expect((await times([CAUGHT_UP, flows(5, 7), flows(4, 6)])).flat()).toEqual([4, 5, 6, 7]);
  });

  it('holds no flow for longer than that moment', async () => {
    const beats = [CAUGHT_UP, flows(9), { waitMs: 400 }, flows(1)];
    expect(await times(beats)).toEqual([[9], [1]]);
    const { open } = tailOf([CAUGHT_UP, flows(1)], false);
    const began = performance.now();
    for await (const step of inTimeOrder(open, options())) {
      expect(step.kind).toBe('flows');
      break;
    }
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('goes on with the earlier half when too many wait', async () => {
    const late = Array.from({ length: 4000 }, (_, i) => 10_000 + i);
    const early = Array.from({ length: 4000 }, (_, i) => i);
    const [first, ...rest] = await times([flows(...late), flows(...early), CAUGHT_UP]);
    expect(first).toEqual(early);
    expect(rest.flat()).toEqual(late);
  });

  it('tells what was missed at once', async () => {
    const [first, second] = await times([flows(1), MISSED]);
    expect([first, second]).toEqual(['missed', [1]]);
  });

  it('loses and doubles nothing, whatever comes when', async () => {
    const beat = fc.oneof(
      { weight: 5, arbitrary: fc.array(fc.nat(50), { maxLength: 5 }).map((each) => flows(...each)) },
      { weight: 1, arbitrary: fc.constantFrom<Beat>(CAUGHT_UP, MISSED, { waitMs: 5 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(beat, { maxLength: 12 }), async (beats) => {
        const sent = beats.flatMap((each) =>
          'kind' in each && each.kind === 'flows' ? each.flows.map(({ flow }) => flow.position.bucketNs) : [],
        );
        const came = (await times(beats)).flatMap((step) => (step === 'missed' ? [] : step)).map(BigInt);
        const ascending = (all: readonly bigint[]): bigint[] => all.toSorted((a, b) => Number(a - b));
        expect(ascending(came)).toEqual(ascending(sent));
      }),
      { numRuns: 40 },
    );
  });

  it('ends the tail with the iteration, and passes its fault on', async () => {
    const tail = tailOf([CAUGHT_UP, flows(1)], false);
    for await (const step of inTimeOrder(tail.open, options())) if (step.kind === 'flows') break;
    expect(tail.ended()).toBe(true);
    const broken = async function* (): AsyncGenerator<LiveStep> {
      yield flows(1);
      throw new Error('the log is gone');
    };
    const all = async (): Promise<void> => {
      for await (const step of inTimeOrder(broken, options())) expect(step.kind).toBe('flows');
    };
    await expect(all()).rejects.toThrow('the log is gone');
  });
});
