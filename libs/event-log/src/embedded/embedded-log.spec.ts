import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeEventLog } from '../contract.js';
import type { EventLog } from '../port.js';
import { openEmbeddedLog } from './embedded-log.js';

describeEventLog('embedded', async (partitions) => {
  const directory = await mkdtemp(join(tmpdir(), 'flowledger-log-'));
  // Segments of a few records, so that every test crosses their borders.
  const open = () => openEmbeddedLog({ directory, mode: 'writer', partitions, segmentBytes: 200 });
  let log = await open();
  const others: EventLog[] = [];
  return {
    log,
    connect: async () => {
      const other = await openEmbeddedLog({ directory, mode: 'reader' });
      others.push(other);
      return other;
    },
    reopen: async () => {
      await log.close();
      log = await open();
      return log;
    },
    removeBefore: async (partition, before) => {
      await log.trim(partition, before);
      return (await log.bounds(partition)).start;
    },
    dispose: async () => {
      for (const other of others) await other.close();
      await log.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
});

describe('a log for which nobody says how many partitions it has', () => {
  it('is made with two, and one that is there keeps its own', async () => {
    for (const [asked, has] of [
      [undefined, 2],
      [4, 4],
    ] as const) {
      const directory = await mkdtemp(join(tmpdir(), 'flowledger-log-'));
      const first = {
        directory,
        mode: 'writer',
        ...(asked === undefined ? {} : { partitions: asked }),
      } as const;
      await (await openEmbeddedLog(first)).close();
      const again = await openEmbeddedLog({ directory, mode: 'writer' });
      expect(again.partitions).toBe(has);
      await again.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
