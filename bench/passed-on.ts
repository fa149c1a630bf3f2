import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the work a directory in which its cases pass on what they have made, and removes it. */
export async function withPassedOn<T>(work: (passedOn: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
