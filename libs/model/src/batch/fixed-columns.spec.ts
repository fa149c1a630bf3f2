import { describe, expect, it } from 'vitest';
import { DictionaryMaker } from './dictionary.js';
import { FixedColumns } from './fixed-columns.js';
import { laneOf, ROW_LANES } from './lanes.js';
import { StringTable } from './string-table.js';

const CHUNK = 256;

describe('fixed columns', () => {
  it('gives every column all rows, also one that was only set in the first rows of a batch that grew', () => {
    const columns = new FixedColumns();
    const lanes = new Uint32Array(CHUNK * ROW_LANES);
    const first = new Uint8Array(ROW_LANES);
    for (const name of ['src_ip_xlated', 'file_line', 'interface_name']) first[laneOf(name)] = 1;
    for (let row = 0; row < CHUNK; row++) lanes[row * ROW_LANES + laneOf('file_line')] = row + 1;
    columns.append(lanes, CHUNK, first);
    const rows = CHUNK * 80;
    for (let done = CHUNK; done < rows; done += CHUNK)
      columns.append(new Uint32Array(CHUNK * ROW_LANES), CHUNK, new Uint8Array(ROW_LANES));
    const taken = columns.take(new DictionaryMaker(new StringTable()));
    for (const column of taken.values()) {
      if (column.kind === 'dictionary') expect(column.indices.length, column.name).toBe(rows);
      else expect(column.data.length % rows, column.name).toBe(0);
    }
    const line = taken.get('file_line');
    if (line?.kind !== 'fixed') throw new Error('no column');
    const values = new Uint32Array(line.data.buffer, line.data.byteOffset, rows);
    expect([values[0], values[CHUNK - 1], values[CHUNK], values[rows - 1]]).toEqual([1, CHUNK, 0, 0]);
  });
});
