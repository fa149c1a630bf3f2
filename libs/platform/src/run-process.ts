import { readFileSync } from 'node:fs';
import { loadConfig } from './config/load.js';
import { settings } from './config/describe.js';
import type { Config } from './config/schema.js';
import { describeError, isAppError } from './errors.js';
import { Lifecycle, stopSignal } from './lifecycle.js';
import { openLog, type Log } from './log.js';
import { openMetrics, type Metrics } from './metrics.js';

/** Exit codes of every command and process (sysexits where there is one). */
export const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69, config: 78 } as const;

/** What a process of the group is given. */
export interface ProcessContext {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly life: Lifecycle;
  /** Aborted when the process is asked to stop. */
  readonly signal: AbortSignal;
}

/** What a child tells its supervisor once it works. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly facts: Readonly<Record<string, string | number>>;
}

const STOP_DEADLINE_MS = 20_000;

/** Reads the configuration of this process, or prints every problem and exits 78. */
export function configOrExit(argv: readonly string[]): Config {
  const result = loadConfig({ argv, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  if (result.ok) return result.config;
  for (const problem of result.problems) process.stderr.write(`flowledger: ${problem}\n`);
  process.exit(EXIT.config);
}

/**
 * The body of a process's `main`: configuration, start, ready message to the supervisor, wait for the stop signal, stop
 * in reverse order within 20 s. Exit 0 when it stopped cleanly, 1 otherwise, 78 when the configuration is refused, by its
 * form or by what it names.
 */
export async function runProcess(
  component: string,
  start: (context: ProcessContext) => Promise<ReadyMessage['facts']>,
): Promise<never> {
  const config = configOrExit(process.argv.slice(2));
  const log = openLog(component, config.diagnostics.level);
  const life = new Lifecycle(log);
  const signal = stopSignal();
  let failed: number | undefined;
  try {
    const facts = await start({ config, log, metrics: openMetrics(), life, signal });
    const ready: ReadyMessage = { type: 'ready', facts };
    if (process.connected) process.send?.(ready);
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) {
      failed = isAppError(error, 'CONFIG_INVALID') ? EXIT.config : EXIT.failed;
      log.error(
        { error: describeError(error), code: isAppError(error) ? error.code : undefined },
        'process failed',
      );
      process.stderr.write(`flowledger: ${component}: ${describeError(error)}\n`);
    }
  }
  const clean = await life.stop(STOP_DEADLINE_MS);
  process.exit(failed ?? (clean ? EXIT.ok : EXIT.failed));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // The interval keeps the event loop alive; a listener alone would let the process end.
    const alive = setInterval(() => {}, 60_000);
    const done = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

/** The environment that gives a child exactly this configuration, on top of what this process inherited. */
export function childEnvironment(
  config: Config,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('FLOWLEDGER_')) environment[name] = value;
  }
  for (const setting of settings()) {
    const section: Readonly<Record<string, unknown>> = config[setting.section as keyof Config];
    environment[setting.environment] = spell(section[setting.key], setting.form);
  }
  return { ...environment, ...extra };
}

function spell(value: unknown, form: string): string {
  if (Array.isArray(value)) return value.join(',');
  if (form.startsWith('duration')) return `${String(value)}ms`;
  if (form.startsWith('size')) return `${String(value)}B`;
  return String(value);
}
