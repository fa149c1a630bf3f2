import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from '@flowledger/model';
import { numberColumn, uint64Column } from '../batch/make-columns.js';
import { fixedView, touchedHours } from '../batch/read-column.js';
import { daySlices } from './day-slices.js';
import { compareRows } from './present-rows.js';

const DAY_NS = 86_400_000_000_000n;

function factsOf(rows: readonly { lo: bigint; li: number; time?: bigint }[]): ColumnBatch {
  const times = uint64Column(
    'bucket_time',
    rows.map((row) => row.time ?? 0n),
  );
  return {
    table: 'flows',
    rows: rows.length,
    columns: [
      uint64Column(
        '_lo',
        rows.map((row) => row.lo),
      ),
      numberColumn(
        '_li',
        'UInt32',
        rows.map((row) => row.li),
      ),
      times,
    ],
  };
}

describe('compareRows', () => {
  it('names the rows that are missing and the positions that are there twice', () => {
    const batch = factsOf([
      { lo: 5n, li: 0 },
      { lo: 5n, li: 1 },
      { lo: 6n, li: 0 },
      { lo: 2n ** 63n, li: 4 },
    ]);
    const present = [
      { lo: '5', indexes: [1, 9, 1] },
      { lo: '9223372036854775808', indexes: [4] },
    ];
    const { missing, copies } = compareRows(batch, present);
    expect([...missing]).toEqual([0, 2]);
    expect(copies).toEqual([{ offset: 5n, index: 1 }]);
  });
});

describe('daySlices', () => {
  it('leaves a batch of sixteen days whole and cuts the seventeenth off', () => {
    const rows = (days: number) =>
      factsOf(
        Array.from({ length: days * 2 }, (_, i) => ({
          lo: BigInt(i),
          li: 0,
          time: BigInt(i % days) * DAY_NS,
        })),
      );
    const whole = rows(16);
    expect(daySlices(whole)).toEqual([whole]);
    expect(daySlices(rows(17)).map((slice) => slice.rows)).toEqual([32, 2]);
    expect(daySlices(rows(40)).map((slice) => slice.rows)).toEqual([32, 32, 16]);
  });

  it('puts every row into exactly one slice', () => {
    const batch = factsOf(
      Array.from({ length: 100 }, (_, i) => ({ lo: BigInt(i), li: 0, time: BigInt((i * 37) % 50) * DAY_NS })),
    );
    const offsets = daySlices(batch).flatMap((slice) => {
      const view = fixedView(slice, '_lo');
      return Array.from({ length: slice.rows }, (_, row) => Number(view.getBigUint64(row * 8, true)));
    });
    expect(offsets.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('has nothing to insert for an empty batch', () => {
    expect(daySlices(factsOf([]))).toEqual([]);
  });
});

describe('touchedHours', () => {
  it('rounds times down to the hour and names each once', () => {
    const hour = 3_600_000_000_000n;
    const batch = factsOf(
      [hour - 1n, hour, 2n * hour - 1n, 0n].map((time, i) => ({ lo: BigInt(i), li: 0, time })),
    );
    expect(touchedHours(batch)).toEqual([0, 3600]);
  });
});
