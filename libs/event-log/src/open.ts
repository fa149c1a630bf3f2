import { join } from 'node:path';
import { isAppError, systemClock, type Config, type Log } from '@flowledger/platform';
import { openEmbeddedLog, type EmbeddedLog } from './embedded/embedded-log.js';
import type { EmbeddedLogEvent } from './embedded/options.js';

/** The consumer group of the loaders; retention never removes what it has not committed. */
export const LOADER_GROUP = 'loader';

const WRITER_WAIT_MS = 15_000;
const READER_WAIT_MS = 30_000;

/**
 * The log that the configuration names, for appending. A previous writer that is still ending is waited for, at most
 * 15 s; then CONFLICT.
 */
export async function openLogWriter(config: Config, log: Log): Promise<EmbeddedLog> {
  const { partitions, segmentSize, retentionSize, retentionAge, fullPolicy, minFree, durability } =
    config.log;
  const deadline = systemClock.monotonic() + WRITER_WAIT_MS;
  for (;;) {
    try {
      return await openEmbeddedLog({
        directory: join(config.data.dir, 'log'),
        mode: 'writer',
        partitions,
        segmentBytes: segmentSize,
        retention: { maxBytes: retentionSize, maxAgeMs: retentionAge, groups: [LOADER_GROUP] },
        fullPolicy,
        minFreeBytes: minFree,
        durability,
        onEvent: (event) => report(event, log),
      });
    } catch (error) {
      if (!isAppError(error, 'CONFLICT') || !error.retry || systemClock.monotonic() > deadline) throw error;
      await systemClock.sleep(100);
    }
  }
}

/** The same log for reading and consuming; waits for the writer to create it, at most 30 s. */
export function openLogReader(config: Config): Promise<EmbeddedLog> {
  return openEmbeddedLog({
    directory: join(config.data.dir, 'log'),
    mode: 'reader',
    openWaitMs: READER_WAIT_MS,
  });
}

function report(event: EmbeddedLogEvent, log: Log): void {
  if (event.kind === 'fault') log.error({ code: event.error.code, error: event.error.message }, 'log fault');
  else if (event.kind === 'removed') log.info({ ...event.range }, 'log retention removed records');
  else log.warn({ ...event.note }, 'log repaired at open');
}
