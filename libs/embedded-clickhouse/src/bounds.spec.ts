import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toClickHouseError } from './clickhouse-error.js';
import { Slots } from './slots.js';
import { Spool } from './spool.js';

describe('Slots', () => {
  it('lets as many in as there are slots, the others in order as slots come back', async () => {
    const slots = new Slots(1, 10, 60_000);
    const release = await slots.acquire();
    const order: number[] = [];
    const second = slots.acquire().then((give) => (order.push(2), give()));
    const third = slots.acquire().then((give) => (order.push(3), give()));
    expect([slots.used, slots.waiting]).toEqual([1, 2]);
    release();
    await Promise.all([second, third]);
    expect(order).toEqual([2, 3]);
    expect([slots.used, slots.waiting]).toEqual([0, 0]);
  });

  it('refuses with 202 who waits too long, and who finds the queue full', async () => {
    const slots = new Slots(1, 1, 20);
    await slots.acquire();
    const waiting = slots.acquire();
    await expect(slots.acquire()).rejects.toMatchObject({ code: 202 });
    await expect(waiting).rejects.toMatchObject({ code: 202 });
    expect(slots.waiting).toBe(0);
  });
});

describe('Spool', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flowledger-spool-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const bytes = (n: number) => Buffer.alloc(n, 1);

  it('counts what bodies hold until they are removed', async () => {
    const spool = await Spool.open(directory, 100, 50);
    const body = await spool.write(bytes(10), Readable.from([bytes(20), bytes(5)], { objectMode: false }));
    expect([body.bytes, spool.used]).toEqual([35, 35]);
    await body.remove();
    expect(spool.used).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['a body over its limit', 413, 60, 0],
    ['a body the spool has no room for', 503, 40, 80],
  ])('refuses %s with %i and leaves nothing behind', async (_what, status, size, held) => {
    const spool = await Spool.open(directory, 100, 50);
    const before = await Promise.all([
      spool.write(bytes(held / 2), null),
      spool.write(bytes(held / 2), null),
    ]);
    const endless = Readable.from([bytes(size), bytes(size)], { objectMode: false });
    await expect(spool.write(bytes(0), endless)).rejects.toMatchObject({ status });
    expect(spool.used).toBe(held);
    expect(await readdir(directory)).toHaveLength(before.length);
  });

  it('leaves nothing behind when the client goes away', async () => {
    const spool = await Spool.open(directory, 100, 50);
    const broken = new Readable({ read: () => undefined });
    const written = spool.write(bytes(10), broken);
    broken.destroy(new Error('aborted'));
    await expect(written).rejects.toThrow('aborted');
    expect(spool.used).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it('removes what an earlier process left, and only that', async () => {
    await writeFile(join(directory, '01234567-89ab-cdef-0123-456789abcdef.spool'), 'x');
    await writeFile(join(directory, 'other'), 'x');
    await Spool.open(directory, 1, 1);
    expect(await readdir(directory)).toEqual(['other']);
  });

  it('refuses a directory that the engine would take for a pattern', async () => {
    await expect(Spool.open(join(directory, 'a*'), 1, 1)).rejects.toThrow('must not contain');
  });
});

describe('toClickHouseError', () => {
  it.each([
    [
      'Code: 60. DB::Exception: Unknown table x. (UNKNOWN_TABLE)',
      60,
      'UNKNOWN_TABLE',
      'Unknown table x.',
      404,
    ],
    [
      'Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY) (version 26.7.2.1). (READONLY)',
      164,
      'READONLY',
      'No.',
      500,
    ],
    ['Code: 62. DB::Exception: (a) (b). (SYNTAX_ERROR)', 62, 'SYNTAX_ERROR', '(a) (b).', 400],
    ['socket hang up', 1002, 'UNKNOWN_EXCEPTION', 'socket hang up', 500],
  ])('reads %j', (text, code, codeName, message, status) => {
    expect(toClickHouseError(new Error(text))).toMatchObject({ code, codeName, message, status });
  });

  it('writes what a server writes', () => {
    const error = toClickHouseError(new Error('Code: 60. DB::Exception: Unknown table x. (UNKNOWN_TABLE)'));
    expect(error.body('26.7')).toBe(
      'Code: 60. DB::Exception: Unknown table x. (UNKNOWN_TABLE) (version 26.7)\n',
    );
  });
});
