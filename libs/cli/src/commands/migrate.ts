import { fileURLToPath } from 'node:url';
import { migrate as runMigrations } from '@flowledger/column-store';
import { AppError, configOrExit, EXIT, type Config } from '@flowledger/platform';

/** Where the numbered scripts lie, seen from this library's sources and from its compiled form alike. */
export const migrationsDirectory = fileURLToPath(
  new URL('../../../../migrations/clickhouse', import.meta.url),
);

/** On one machine the directory lock already keeps others out, so a killed run's lock need not block the next for long. */
const EMBEDDED_LOCK_SECONDS = 5;

/** Brings the configured store to the newest schema; a no-op when it is there. */
export async function migrateStore(
  config: Config,
  embedded: boolean,
): Promise<{ version: number; applied: number }> {
  const { url, user, password, database, cluster } = config.store;
  const { rawDays, rollupDays, hourDays } = config.retention;
  return runMigrations(
    { url, user, password, database },
    {
      directory: migrationsDirectory,
      ...(cluster === '' ? {} : { cluster }),
      variables: { RAW_TTL_DAYS: rawDays, ROLLUP_TTL_DAYS: rollupDays, HOUR_TTL_DAYS: hourDays },
      ...(embedded ? { lockTtlSeconds: EMBEDDED_LOCK_SECONDS } : {}),
    },
  );
}

/** `flowledger migrate`: creates or upgrades the tables of a ClickHouse server. The embedded store does so on start. */
export async function migrate(argv: readonly string[]): Promise<number> {
  const config = configOrExit(argv);
  if (config.store.url === '') {
    throw new AppError(
      'CONFIG_INVALID',
      'migrate needs store.url; the embedded store migrates itself at start',
      { retry: false },
    );
  }
  const { version, applied } = await migrateStore(config, false);
  process.stdout.write(`schema version ${version}, ${applied} statements run\n`);
  return EXIT.ok;
}
