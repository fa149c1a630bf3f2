import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DedupWindow, type WindowLimits } from './dedup-window.js';

interface Question {
  readonly stream: string;
  readonly key: number;
  /** How many records the log went on before this event. */
  readonly step: number;
}

/** The rule in its plainest form: look at everything that was accepted. */
class PlainWindow {
  readonly #accepted: { stream: string; key: number; record: number }[] = [];

  constructor(private readonly limits: WindowLimits) {}

  has(stream: string, key: number, record: number): boolean {
    const { perPartition, perStream, records } = this.limits;
    const lately = this.#accepted.slice(-perPartition);
    const ofStream = new Set(this.#accepted.filter((entry) => entry.stream === stream).slice(-perStream));
    const newest = lately.findLast((entry) => entry.stream === stream && entry.key === key);
    return newest !== undefined && ofStream.has(newest) && record - newest.record <= records;
  }

  accept(stream: string, key: number, record: number): void {
    this.#accepted.push({ stream, key, record });
  }
}

const questions = fc.array(
  fc.record({
    stream: fc.constantFrom('a', 'b', 'c'),
    key: fc.integer({ min: 1, max: 30 }),
    step: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 400 },
);
const limits = fc.record({
  perStream: fc.integer({ min: 1, max: 12 }),
  perPartition: fc.integer({ min: 1, max: 24 }),
  records: fc.integer({ min: 1, max: 30 }),
});

function lanes(key: number): [number, number] {
  // Few different low halves, so that keys meet in the table.
  return [(key % 5) + 1, key * 0x01000193];
}

describe('DedupWindow', () => {
  it('answers as a search through everything that was accepted would', () => {
    fc.assert(
      fc.property(limits, questions, (limit, asked) => {
        const window = new DedupWindow(limit);
        const plain = new PlainWindow(limit);
        let record = 0;
        for (const { stream, key, step } of asked as Question[]) {
          record += step;
          const [lo, hi] = lanes(key);
          const expected = plain.has(stream, key, record);
          expect(window.has(stream, lo, hi, record)).toBe(expected);
          if (expected) continue;
          window.accept(stream, lo, hi, record);
          plain.accept(stream, key, record);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps its memory within the limit of the partition however many streams come', () => {
    const window = new DedupWindow({ perStream: 1000, perPartition: 10_000, records: 1e9 });
    const node = (i: number): string => `node-${i % 7000}`;
    for (let i = 1; i <= 50_000; i++) window.accept(node(i), i, i, i);
    expect(window.size).toBe(10_000);
    expect(window.has(node(40_001), 40_001, 40_001, 50_000)).toBe(true);
    expect(window.has(node(40_000), 40_000, 40_000, 50_000)).toBe(false);
  });

  it.each([0, 5000, 1e9])('remembers across the growth of its ring, with room for %i made before', (room) => {
    const window = new DedupWindow({ perStream: 32_768, perPartition: 65_536, records: 1e9 });
    window.reserve(room);
    for (let i = 1; i <= 20_000; i++) window.accept('node', i, 0, i);
    for (let i = 1; i <= 20_000; i++) expect(window.has('node', i, 0, 20_000)).toBe(true);
  });
});
