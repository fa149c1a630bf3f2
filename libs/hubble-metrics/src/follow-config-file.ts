import { readFile } from 'node:fs/promises';
import { AppError, describeError, type Clock, type Log } from '@flowledger/platform';
import { parseDynamicConfig } from './dynamic-config.js';
import type { HubbleMetrics } from './hubble-metrics.js';
import { invalidMetric, type HandlerConfig } from './metric-config.js';

/** How often the file is looked at, ms: as often as Hubble does. */
const LOOK_MS = 10_000;
/** A larger file is not read; one metric takes a few hundred bytes. */
const MAX_BYTES = 1024 * 1024;

/** A file as it was read once. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
  readonly handlers: readonly HandlerConfig[];
}

/** Reads the dynamic configuration. Rejects CONFIG_INVALID when it cannot be read or understood. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await textOf(path);
  return { path, text, handlers: parseDynamicConfig(text) };
}

async function textOf(path: string): Promise<string> {
  const place = `hubbleMetrics.configFile: ${path}`;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${place}: cannot be read`, { retry: true, cause });
  }
  if (bytes.length > MAX_BYTES) throw invalidMetric(place, `larger than ${MAX_BYTES} bytes`);
  return bytes.toString('utf8');
}

/** What following a file needs. */
export interface FollowParts {
  readonly metrics: HubbleMetrics;
  readonly clock: Clock;
  readonly logger: Log;
  readonly signal: AbortSignal;
}

/**
 * Looks at the file every ten seconds until the signal, and puts a changed one in force. By content, not by time, since
 * a ConfigMap is a link that moves. A bad file leaves what was in force, and is told once in the log and all the time
 * in the gauge of `HubbleMetrics.fileHolds`.
 */
export async function followConfigFile(
  first: ConfigFile,
  { metrics, clock, logger, signal }: FollowParts,
): Promise<void> {
  let inForce = first.text;
  let told = '';
  metrics.fileHolds(true);
  for (;;) {
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const text = await textOf(first.path);
      const changed = text !== inForce;
      if (changed) metrics.configure(parseDynamicConfig(text));
      metrics.fileHolds(true);
      inForce = text;
      if (changed) logger.info({ file: first.path }, 'hubble metrics: the changed configuration is in force');
      told = '';
    } catch (error) {
      metrics.fileHolds(false);
      const reason = describeError(error);
      if (reason !== told)
        logger.warn({ error: reason }, 'hubble metrics: the configuration before stays in force');
      told = reason;
    }
  }
}
