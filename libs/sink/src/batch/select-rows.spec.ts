import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from '@flowledger/model';
import { bytesColumn, numberColumn, uint64Column, wordColumn } from './make-columns.js';
import { fixedView } from './read-column.js';
import { selectRows } from './select-rows.js';

interface Row {
  readonly id: number;
  readonly wide: bigint;
  readonly word: string;
  readonly text: string;
  readonly list: readonly string[];
}

function batchOf(rows: readonly Row[]): ColumnBatch {
  let end = 0;
  const ends = Uint32Array.from(rows, (row) => (end += row.list.length));
  const { indices, dictionary } = wordColumn(
    'list',
    rows.flatMap((row) => row.list),
  );
  const items = {
    kind: 'dictionary',
    name: 'list',
    type: 'LowCardinality(String)',
    dictionary,
    indices,
  } as const;
  return {
    table: 'things',
    rows: rows.length,
    columns: [
      numberColumn(
        'id',
        'UInt16',
        rows.map((row) => row.id),
      ),
      uint64Column(
        'wide',
        rows.map((row) => row.wide),
      ),
      wordColumn(
        'word',
        rows.map((row) => row.word),
      ),
      bytesColumn(
        'text',
        rows.map((row) => Buffer.from(row.text)),
      ),
      { kind: 'array', name: 'list', type: 'Array(LowCardinality(String))', ends, items },
    ],
  };
}

/** Reads rows back by hand, so that the test does not use what it tests. */
function rowsOf(batch: ColumnBatch): Row[] {
  const [id, wide] = [fixedView(batch, 'id'), fixedView(batch, 'wide')];
  const [, , word, text, list] = batch.columns;
  if (word?.kind !== 'dictionary' || text?.kind !== 'bytes' || list?.kind !== 'array')
    throw new Error('columns moved');
  const { items } = list;
  if (items.kind !== 'dictionary') throw new Error('items moved');
  const spell = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
  return Array.from({ length: batch.rows }, (_, row) => ({
    id: id.getUint16(row * 2, true),
    wide: wide.getBigUint64(row * 8, true),
    word: spell(word.dictionary[word.indices[row] ?? 0]),
    text: spell(text.data.subarray(row === 0 ? 0 : text.ends[row - 1], text.ends[row])),
    list: [...items.indices.subarray(row === 0 ? 0 : list.ends[row - 1], list.ends[row])].map((index) =>
      spell(items.dictionary[index]),
    ),
  }));
}

const row = fc.record({
  id: fc.integer({ min: 0, max: 65_535 }),
  wide: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  word: fc.constantFrom('', 'a', 'pod', 'łódź'),
  text: fc.string({ maxLength: 5 }),
  list: fc.array(fc.constantFrom('x', '', 'yy'), { maxLength: 3 }),
});

describe('selectRows', () => {
  it('gives the chosen rows of every kind of column, in the order asked for', () => {
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (rows, picks) => {
          const chosen = picks.map((pick) => pick % rows.length);
          const selected = selectRows(batchOf(rows), Uint32Array.from(chosen));
          expect(rowsOf(selected)).toEqual(chosen.map((at) => rows[at]));
        },
      ),
    );
  });

  it('gives an empty batch of no rows', () => {
    expect(selectRows(batchOf([]), new Uint32Array(0)).rows).toBe(0);
  });
});
