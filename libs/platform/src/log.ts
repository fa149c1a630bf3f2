import { pino, type Logger as PinoLogger } from 'pino';

/** A logger of events: facts first, then a lower-case message without interpolation. */
export interface Log {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

/** Numbers, closed-set words and error texts; never payloads or secrets. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** JSON lines on standard error, so that standard output stays for results. */
export function openLog(component: string, level: 'debug' | 'info' | 'warn' | 'error'): Log {
  const serializers = {
    error: (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : error),
  };
  const logger: PinoLogger = pino(
    { base: { component, pid: process.pid }, level, serializers },
    pino.destination({ fd: 2, sync: true }),
  );
  return logger;
}

/** A log that keeps nothing, for tests and one-shot commands. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
