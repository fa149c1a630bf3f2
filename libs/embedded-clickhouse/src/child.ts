/**
 * Entry of the store's own process: the engine may crash, take memory and hold threads without taking the application
 * along. Speaks only IPC; ends itself when its parent has gone, however that happened.
 */
import { mkdirSync } from 'node:fs';
import { collectLessOften } from '@flowledger/platform';
import { ClickHouseHttpServer } from './http-server.js';
import type { ChildMessage, ParentMessage, ServerOptions } from './messages.js';

/** How long queries may finish after the parent has vanished, ms. A successor waits for the data directory. */
const ORPHAN_DRAIN_MS = 1_000;

collectLessOften();

let server: ClickHouseHttpServer | null = null;
let ending = false;

function tell(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}

async function end(drainMs: number): Promise<void> {
  if (ending) return;
  ending = true;
  const clean = server === null ? true : await server.stop(drainMs).catch(() => false);
  // A native thread that still runs would make a normal exit wait for it; the tables survive this (they are crash-safe).
  if (!clean) process.kill(process.pid, 'SIGKILL');
  process.exit(0);
}

async function start(options: ServerOptions): Promise<void> {
  try {
    mkdirSync(options.directory, { recursive: true });
    server = await ClickHouseHttpServer.open(options);
    tell({ type: 'ready', port: await server.listen(options.host, options.port), version: server.version });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ type: 'failed', message });
    process.exitCode = 1;
    process.disconnect();
  }
}

process.on('message', (message: ParentMessage) => {
  if (message.type === 'start') void start(message.options);
  else if (message.type === 'stop') void end(message.drainMs);
  else if (server !== null) tell({ type: 'stats', id: message.id, stats: server.stats() });
});
process.on('disconnect', () => void end(ORPHAN_DRAIN_MS));
// The whole process group gets the terminal's signals; the parent decides when the store stops.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
