import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../port.js';
import { withArchive } from './archived-log.js';
import { openEmbeddedLog, type EmbeddedLog } from './embedded-log.js';

let root: string;
let open: EmbeddedLog[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flowledger-archived-'));
  open = [];
});
afterEach(async () => {
  for (const log of open) await log.close();
  rmSync(root, { recursive: true, force: true });
});

const archive = (): string => join(root, 'archive');

async function openLog(
  name: string,
  more: { archive?: string } = { archive: archive() },
): Promise<EmbeddedLog> {
  const directory = join(root, name);
  // One record a segment, so that retention can remove single ones.
  const log = await openEmbeddedLog({ directory, mode: 'writer', partitions: 2, segmentBytes: 200, ...more });
  open.push(log);
  return log;
}

async function fill(log: EmbeddedLog, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const value = Buffer.alloc(150, i);
    await log.append([
      { partition: 0, events: i + 1, value },
      { partition: 1, events: 1, value },
    ]);
  }
}

async function readAll(
  log: EventLog,
  partition: number,
  from: bigint,
): Promise<readonly (readonly [bigint, number])[]> {
  const found: (readonly [bigint, number])[] = [];
  for (let at = from; ;) {
    const { records } = await log.read(partition, at, { maxBytes: 300, maxWaitMs: 0 });
    const last = records.at(-1);
    if (last === undefined) return found;
    for (const { offset, value } of records) found.push([offset, value[0] ?? -1]);
    at = last.offset + 1n;
  }
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => [BigInt(from + i), from + i]);

describe('a log with an archive', () => {
  it('is read from its first record on after retention removed the beginning, with the counts of events', async () => {
    const log = await openLog('log');
    await fill(log, 12);
    await log.trim(0, 7n);
    expect((await log.bounds(0)).start).toBe(7n);
    const whole = await withArchive(log, archive());
    expect(await whole.bounds(0)).toMatchObject({
      start: 0n,
      end: 12n,
      eventsBeforeStart: 0n,
      eventsBeforeEnd: 78n,
    });
    expect(await readAll(whole, 0, 0n)).toEqual(numbers(0, 12));
    expect(await readAll(whole, 0, 5n)).toEqual(numbers(5, 12));
    expect(await readAll(whole, 1, 0n)).toEqual(numbers(0, 12));
  });

  it('goes on being read while more is appended and removed, also by another process of the log', async () => {
    const log = await openLog('log');
    await fill(log, 4);
    await log.trim(0, 2n);
    await fill(log, 4);
    await log.trim(0, 6n);
    const reader = await openEmbeddedLog({ directory: join(root, 'log'), mode: 'reader' });
    open.push(reader);
    const offsets = (await readAll(await withArchive(reader, archive()), 0, 0n)).map(([offset]) => offset);
    expect(offsets).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  });

  it('reaches back only as far as nothing is missing, with or without its indexes', async () => {
    const log = await openLog('log');
    await fill(log, 10);
    await log.trim(0, 8n);
    const folder = join(archive(), 'p00000');
    const name = (offset: number, suffix: string) =>
      join(folder, `${String(offset).padStart(20, '0')}.${suffix}`);
    await rm(name(3, 'seg'));
    for (const file of await readdir(folder)) if (file.endsWith('.idx')) await rm(join(folder, file));
    const whole = await withArchive(log, archive());
    expect((await whole.bounds(0)).start).toBe(4n);
    const batch = await whole.read(0, 0n, { maxBytes: 1000, maxWaitMs: 0 });
    expect(batch.truncated).toEqual({ from: 0n, to: 4n });
    expect(await readAll(whole, 0, 4n)).toEqual(numbers(4, 10));
  });

  it('is as it is without the archive when that does not reach it', async () => {
    const log = await openLog('log', { archive: archive() });
    await fill(log, 4);
    await log.trim(0, 2n);
    await log.close();
    const later = await openLog('log', {});
    await later.trim(0, 3n);
    const whole = await withArchive(later, archive());
    expect((await whole.bounds(0)).start).toBe(3n);
  });

  it('keeps what it could not archive', async () => {
    const file = join(root, 'archive');
    const log = await openLog('log', { archive: join(file, 'below') });
    await fill(log, 3);
    rmSync(file, { recursive: true, force: true });
    await writeFile(file, '');
    await expect(log.trim(0, 2n)).rejects.toThrow();
    expect((await log.bounds(0)).start).toBe(0n);
    expect(await readAll(log, 0, 0n)).toEqual(numbers(0, 3));
    await fill(log, 1);
  });

  it('refuses the archive of another log, and a folder without one', async () => {
    const log = await openLog('log');
    await fill(log, 3);
    await log.trim(0, 1n);
    const other = await openLog('other', {});
    await expect(withArchive(other, archive())).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(withArchive(log, join(root, 'nothing'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
