import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../envelope.js';
import type { AcceptedKeyRow } from './accepted-keys.js';
import { DuplicateRule, type RuledRecord } from './duplicate-rule.js';
import { HeldKeys } from './held-keys.js';
import type { SecondRange } from './import-times.js';

const STREAM = { tenant: 't', cluster: 'c', node: 'n', id: 't\0c\0n' };
/** So many keys lie between two sights of one key that no window knows it any more. */
const BETWEEN = 40_000;

interface MadeRecord {
  readonly source: 'import' | 'relay';
  readonly keys: readonly number[];
}

/** A key's event lies in the second of its number, times seven. */
const secondOf = (key: number): number => 1_000 + key * 7;

function ruled({ source, keys }: MadeRecord, offset: number): RuledRecord {
  const seconds = keys.map(secondOf);
  const value = encodeEnvelope(
    {
      version: 1,
      tenant: 't',
      cluster: 'c',
      stream: 'n',
      source,
      codec: 'hubble.export_json',
      count: 0,
      receivedMs: 0,
      firstTimeNs: BigInt(Math.min(...seconds)) * 1_000_000_000n,
      lastTimeNs: BigInt(Math.max(...seconds)) * 1_000_000_000n,
    },
    [],
  );
  return { offset: BigInt(offset), value };
}

/** Stands for the tables: what was accepted in batches that are over. */
class Accepted {
  readonly #keys = new Set<number>();

  add(keys: readonly number[]): void {
    for (const key of keys) this.#keys.add(key);
  }

  within(ranges: readonly SecondRange[]): AcceptedKeyRow[] {
    const found = [...this.#keys].filter((key) =>
      ranges.some(({ first, last }) => secondOf(key) >= first && secondOf(key) <= last),
    );
    const bytes = Buffer.alloc(found.length * 8);
    found.forEach((key, i) => bytes.writeBigUInt64LE(BigInt(key), i * 8));
    return [{ lo: '0', tenant: 't', cluster: 'c', node: 'n', indexes: [], keys: bytes.toString('base64') }];
  }
}

/** Decisions about every event, by a rule that asks the store in one of two ways. */
function decide(batches: readonly (readonly MadeRecord[])[], holding: boolean): boolean[] {
  const [rule, store] = [new DuplicateRule(), new Accepted()];
  const decisions: boolean[] = [];
  let [offset, filler] = [0, 1_000_000];
  for (const batch of batches) {
    rule.beginBatch();
    const accepted: number[] = [];
    const records = batch.map((record) => ruled(record, offset++));
    const span = rule.spanOf(records);
    if (holding && span !== undefined) rule.hold(span, store.within([span]));
    rule.supply(store.within(rule.secondsOf(records)));
    batch.forEach(({ keys }, i) => {
      rule.beginRecord(records[i] ?? { offset: 0n, value: new Uint8Array(0) });
      for (const key of keys) {
        const duplicate = rule.isDuplicate(STREAM, BigInt(key));
        if (!duplicate) accepted.push(key);
        decisions.push(duplicate);
      }
    });
    rule.beginRecord(ruled({ source: 'relay', keys: [1] }, offset++));
    for (let i = 0; i < BETWEEN; i++) rule.isDuplicate(STREAM, BigInt(filler++), false);
    store.add(accepted);
  }
  return decisions;
}

describe('held keys', () => {
  it('decide as if the store were asked about every batch', () => {
    const record = fc.record({
      source: fc.constantFrom('import' as const, 'import' as const, 'relay' as const),
      keys: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    });
    const batches = fc.array(fc.array(record, { maxLength: 3 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(batches, (made) => {
        expect(decide(made, true)).toEqual(decide(made, false));
      }),
      { numRuns: 15 },
    );
  });

  it('finds a repetition that the window has forgotten, without asking again', () => {
    const twice: MadeRecord[][] = [1, 2].map(() => [{ source: 'import', keys: [1, 2, 3] }]);
    expect(decide(twice, true)).toEqual([false, false, false, true, true, true]);
  });

  it('names what of a range is not held', () => {
    const held = new HeldKeys();
    expect(held.missing({ first: 5, last: 9 })).toEqual({ first: 5, last: 9 });
    held.cover({ first: 5, last: 9 });
    held.cover({ first: 20, last: 30 });
    expect(held.missing({ first: 6, last: 9 })).toBeUndefined();
    expect(held.missing({ first: 6, last: 12 })).toEqual({ first: 10, last: 12 });
    expect(held.missing({ first: 1, last: 6 })).toEqual({ first: 1, last: 4 });
    expect(held.missing({ first: 7, last: 25 })).toEqual({ first: 10, last: 19 });
    expect(held.missing({ first: 1, last: 40 })).toEqual({ first: 1, last: 40 });
  });

  it('gives all up when there is too much of it', () => {
    const held = new HeldKeys();
    held.cover({ first: 0, last: 9 });
    for (let key = 1; key <= 10; key++) held.of('a').add(key, 0);
    held.trim(10);
    expect(held.empty).toBe(false);
    held.of('b').add(1, 0);
    held.trim(10);
    expect(held.empty).toBe(true);
    expect(held.of('a').has(1, 0)).toBe(false);
  });
});
