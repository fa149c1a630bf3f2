import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeProgress } from './node-progress.js';

const S = 1_000_000_000n;
const AT = 1_000n * S;

/** A progress that has seen flows of n1 up to `AT`. */
function read(): NodeProgress {
  const progress = new NodeProgress();
  progress.open(0n);
  progress.flow('n1', AT - S, 0);
  progress.flow('n1', AT, 0);
  return progress;
}

describe('NodeProgress', () => {
  it('asks a first time for everything from where it is told to start', () => {
    expect(new NodeProgress().open(7n)).toBe(7n);
  });

  it('resumes five seconds before the newest flow of the node that is furthest behind', () => {
    const progress = read();
    progress.flow('n2', AT - 60n * S, 0);
    expect(progress.open(0n)).toBe(AT - 65n * S);
  });

  it('does not let a node that has been idle for more than an hour hold the resume back', () => {
    const progress = read();
    progress.flow('idle', AT - 3_601n * S, 0);
    expect(progress.open(0n)).toBe(AT - 5n * S);
    progress.flow('idle', AT + S, 0);
    expect(progress.ended(10_000)).toEqual([]);
  });

  it('finds no interruption when the ring sends again what was received last', () => {
    const progress = read();
    progress.open(0n);
    progress.flow('n1', AT + S, 10);
    progress.flow('n1', AT, 20);
    progress.flow('n1', AT + 2n * S, 30);
    expect(progress.ended(60_000)).toEqual([]);
  });

  it('finds an interruption when the ring begins later, once the order has settled', () => {
    const progress = read();
    progress.open(0n);
    progress.flow('n1', AT + 9n * S, 100);
    progress.flow('n1', AT + 8n * S, 150);
    expect(progress.ended(2_000)).toEqual([]);
    expect(progress.ended(2_100)).toEqual([{ node: 'n1', fromNs: AT, toNs: AT + 8n * S, mark: undefined }]);
    expect(progress.ended(9_000)).toEqual([]);
  });

  it('keeps the question open over several streams that bring nothing', () => {
    const progress = read();
    for (let i = 0; i < 3; i++) expect(progress.open(0n)).toBe(AT - 5n * S);
    progress.flow('n1', AT + 9n * S, 0);
    expect(progress.ended(5_000)).toMatchObject([{ fromNs: AT, toNs: AT + 9n * S }]);
  });

  it('decides at the next stream when the last one ended before the order had settled', () => {
    const progress = read();
    progress.open(0n);
    progress.flow('n1', AT + 9n * S, 0);
    progress.open(0n);
    expect(progress.ended(1)).toMatchObject([{ fromNs: AT, toNs: AT + 9n * S }]);
  });

  it('saves the flow before an undecided interruption, so that a restart asks again', () => {
    const progress = read();
    progress.open(0n);
    progress.flow('n1', AT + 9n * S, 0);
    const restarted = new NodeProgress(progress.saved());
    expect(restarted.open(0n)).toBe(AT - 5n * S);
    restarted.flow('n1', AT + 9n * S, 0);
    expect(restarted.ended(5_000)).toMatchObject([{ fromNs: AT, toNs: AT + 9n * S }]);
  });

  it('tells of silence once, and of its end even when nothing was lost', () => {
    const progress = read();
    expect(progress.silent()).toEqual([{ node: 'n1', atNs: AT }]);
    expect(progress.silent()).toEqual([]);
    const restarted = new NodeProgress(progress.saved());
    expect(restarted.silent()).toEqual([]);
    restarted.open(0n);
    restarted.flow('n1', AT, 0);
    expect(restarted.ended(0)).toEqual([
      { node: 'n1', fromNs: AT, toNs: AT, mark: { stream: 'n1', atNs: AT } },
    ]);
  });

  it('says that what was passed over is missing, even if the next flow is the very next', () => {
    const progress = read();
    expect(progress.open(0n, AT + 5n * S)).toBe(AT + 5n * S);
    progress.flow('n1', AT + 6n * S, 0);
    expect(progress.ended(5_000)).toMatchObject([{ fromNs: AT, toNs: AT + 6n * S }]);
  });

  it('asks nothing about a node that left', () => {
    const progress = read();
    progress.forget('n1');
    progress.open(0n);
    progress.flow('n1', AT + 50n * S, 0);
    expect(progress.ended(60_000)).toEqual([]);
  });

  it('counts replays for nothing', () => {
    const progress = read();
    progress.open(0n);
    for (const time of [AT - S, AT, AT + S]) progress.flow('n1', time, 0);
    expect(progress.counted('n1')).toEqual({ fresh: 3n, lost: 0n });
    expect(progress.counted('')).toEqual({ fresh: 3n, lost: 0n });
    expect(progress.counted('n2')).toEqual({ fresh: 0n, lost: 0n });
  });

  it('never resumes later than a flow that it has not seen, whatever the rings kept', () => {
    const step = fc.record({ node: fc.constantFrom('a', 'b', 'c'), gap: fc.integer({ min: 1, max: 1_000 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(59), (steps, cut) => {
        const progress = new NodeProgress();
        progress.open(0n);
        let time = AT;
        const unseen: bigint[] = [];
        steps.forEach(({ node, gap }, i) => {
          time += BigInt(gap) * 1_000_000n;
          if (i <= cut) progress.flow(node, time, 0);
          else unseen.push(time);
        });
        const since = progress.open(0n);
        for (const missed of unseen) expect(missed).toBeGreaterThanOrEqual(since);
      }),
    );
  });
});
