import type { Column, ColumnBatch, FixedColumn } from '@flowledger/model';
import { describe, expect, it } from 'vitest';
import { withoutDefaultColumns } from './default-columns.js';

const ROWS = 3;
const EMPTY = new Uint8Array(0);

function numbers(name: string, data: Uint8Array): FixedColumn {
  return { kind: 'fixed', name, type: 'UInt16', data };
}

function words(name: string, indices: readonly number[]): Column {
  const dictionary = [EMPTY, Buffer.from('pod')];
  return {
    kind: 'dictionary',
    name,
    type: 'LowCardinality(String)',
    dictionary,
    indices: Uint32Array.from(indices),
  };
}

function text(name: string, ends: readonly number[]): Column & { kind: 'bytes' } {
  const data = new Uint8Array(ends.at(-1) ?? 0).fill(65);
  return { kind: 'bytes', name, type: 'String', ends: Uint32Array.from(ends), data };
}

function left(...columns: Column[]): readonly string[] {
  const batch: ColumnBatch = { table: 't', rows: ROWS, columns };
  return withoutDefaultColumns(batch).columns.map(({ name }) => name);
}

const kept = numbers('kept', Uint8Array.of(1, 0, 0, 0, 0, 0));

describe('withoutDefaultColumns', () => {
  it('leaves out numbers that are all zero and texts that are all empty', () => {
    const zero = numbers('zero', new Uint8Array(ROWS * 2));
    expect(left(kept, zero, words('no_word', [0, 0, 0]), text('no_text', [0, 0, 0]))).toEqual(['kept']);
  });

  it.each([0, 1, 2, 3, 4, 5])('keeps numbers of which only byte %i is not zero', (at) => {
    const data = new Uint8Array(ROWS * 2);
    data[at] = 128;
    expect(left(kept, numbers('some', data))).toEqual(['kept', 'some']);
  });

  it('looks at a view of a larger buffer only, wherever it begins', () => {
    for (const offset of [1, 2, 4]) {
      const buffer = new Uint8Array(32).fill(255);
      buffer.fill(0, offset, offset + ROWS * 2);
      expect(left(kept, numbers('zero', buffer.subarray(offset, offset + ROWS * 2)))).toEqual(['kept']);
    }
  });

  it('keeps texts of which one is not empty', () => {
    expect(left(words('word', [0, 0, 1]), text('text', [0, 1, 1]))).toEqual(['word', 'text']);
  });

  it('keeps lists, which cost the engine more to make up than to read', () => {
    const lists: Column = {
      kind: 'array',
      name: 'lists',
      type: 'Array(String)',
      ends: new Uint32Array(ROWS),
      items: text('', []),
    };
    expect(left(kept, lists)).toEqual(['kept', 'lists']);
  });

  it('keeps one column of rows that hold nothing at all, so that they are counted', () => {
    expect(left(words('first', [0, 0, 0]), text('second', [0, 0, 0]))).toEqual(['first']);
  });
});
