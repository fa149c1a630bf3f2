import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImportManifest } from './manifest.js';

const ENTRY_BYTES = 44;
const MAX_AGE_MS = 1000;
const COUNT = 200;

const chunk = (n: number): { digest: Buffer; index: number } => ({
  digest: createHash('sha256').update(String(n)).digest(),
  index: n % 7,
});

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-manifest-'));
  path = join(directory, 'm');
});
afterEach(() => rm(directory, { recursive: true }));

describe('the manifest of imports', () => {
  it('holds every chunk that was noted, also those noted while the disk was at work', async () => {
    const manifest = await ImportManifest.open(path, MAX_AGE_MS);
    for (let n = 0; n < 5; n++) await manifest.add([chunk(n)], n);
    const rest = Array.from({ length: COUNT - 5 }, (_, i) => i + 5);
    await Promise.all(rest.map((n) => manifest.add([chunk(n)], n)));
    expect((await stat(path)).size).toBe(COUNT * ENTRY_BYTES);
    await manifest.close();
    const again = await ImportManifest.open(path, MAX_AGE_MS);
    for (let n = 0; n < COUNT; n++) {
      const { digest, index } = chunk(n);
      expect(again.has(digest, index, n + MAX_AGE_MS)).toBe(true);
      expect(again.has(digest, index, n + MAX_AGE_MS + 1)).toBe(false);
      expect(again.has(digest, index + 1, n)).toBe(false);
    }
    await again.close();
  });

  it('has written what is being noted when it is closed', async () => {
    const manifest = await ImportManifest.open(path, MAX_AGE_MS);
    const noted = [manifest.add([chunk(1)], 1), manifest.add([chunk(2), chunk(3)], 1)];
    await manifest.close();
    await Promise.all(noted);
    expect((await stat(path)).size).toBe(3 * ENTRY_BYTES);
  });

  it('tells everybody who waits for a write that fails, and tries the next one', async () => {
    const manifest = await ImportManifest.open(path, MAX_AGE_MS);
    await manifest.close();
    const together = await Promise.allSettled([manifest.add([chunk(1)], 1), manifest.add([chunk(2)], 1)]);
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(manifest.add([chunk(3)], 1)).rejects.toThrow();
  });
});
