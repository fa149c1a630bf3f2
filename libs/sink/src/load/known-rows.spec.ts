import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from '@flowledger/model';
import { bytesColumn, uint64Column, wordColumn } from '../batch/make-columns.js';
import { KnownRows } from './known-rows.js';

function batchOf(rows: readonly (readonly [bigint, string, string])[], table = 'label_sets'): ColumnBatch {
  return {
    table,
    rows: rows.length,
    columns: [
      uint64Column(
        'id',
        rows.map(([id]) => id),
      ),
      wordColumn(
        'tenant',
        rows.map(([, tenant]) => tenant),
      ),
      bytesColumn(
        'text',
        rows.map(([, , text]) => Buffer.from(text)),
      ),
    ],
  };
}

describe('KnownRows', () => {
  it('lets each row through until it was written', () => {
    const known = new KnownRows();
    const batch = batchOf([
      [1n, 'a', 'x'],
      [2n, 'a', 'x'],
    ]);
    const first = known.unknown(batch);
    expect(first.batch).toBe(batch);
    expect(known.unknown(batch).batch.rows).toBe(2);
    known.remember(first.keys);
    const next = known.unknown(
      batchOf([
        [2n, 'a', 'x'],
        [3n, 'a', 'x'],
      ]),
    );
    expect(next.batch.rows).toBe(1);
    expect(next.batch.columns[0]).toEqual(uint64Column('id', [3n]));
  });

  it('takes rows for different that differ in any column or in where a value ends', () => {
    const known = new KnownRows();
    known.remember(known.unknown(batchOf([[1n, 'ab', 'c']])).keys);
    const others = batchOf([
      [1n, 'a', 'bc'],
      [2n, 'ab', 'c'],
      [1n, 'ab', 'd'],
      [1n, '', 'abc'],
    ]);
    expect(known.unknown(others).batch.rows).toBe(4);
    expect(known.unknown(batchOf([[1n, 'ab', 'c']], 'endpoints')).batch.rows).toBe(1);
  });

  it('forgets rather than grow without end', () => {
    const known = new KnownRows();
    for (let n = 0; n < 6; n++) {
      const rows = Array.from({ length: 10_000 }, (_, i) => [BigInt(n * 10_000 + i), 'a', 'x'] as const);
      known.remember(known.unknown(batchOf(rows)).keys);
    }
    expect(known.unknown(batchOf([[1n, 'a', 'x']])).batch.rows).toBe(1);
    expect(known.unknown(batchOf([[59_999n, 'a', 'x']])).batch.rows).toBe(0);
  });
});
