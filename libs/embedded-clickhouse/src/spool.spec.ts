import type * as files from 'node:fs/promises';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Spool } from './spool.js';

/** A disk that takes its time to open a file: longer than anybody needs to remove one. */
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof files>();
  const open: typeof real.open = async (...file) => {
    await delay(50);
    return real.open(...file);
  };
  return { ...real, open };
});

it('leaves nothing behind when the client goes away while its file is being opened', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'flowledger-spool-'));
  const spool = await Spool.open(directory, 100, 50);
  const broken = new Readable({ read: () => undefined });
  const written = spool.write(Buffer.alloc(10, 1), broken);
  broken.destroy(new Error('aborted'));
  await expect(written).rejects.toThrow('aborted');
  await delay(100);
  expect(await readdir(directory)).toEqual([]);
  expect(spool.used).toBe(0);
  await rm(directory, { recursive: true });
});
