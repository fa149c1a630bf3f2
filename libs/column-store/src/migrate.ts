import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, systemClock } from '@flowledger/platform';
import { MigrationLock } from './migration-lock.js';
import { readMigrations, renderMigration } from './migration.js';
import type { Migration, RenderOptions } from './migration.js';
import { openColumnStore } from './open-column-store.js';
import type { ColumnStoreOptions } from './open-column-store.js';
import type { ColumnStore, ParamValue } from './port.js';
import { quotedName } from './sql-files.js';

/** Where a run is, told before and after each statement; a test may throw to stop there. */
export interface MigrationStep {
  readonly version: number;
  readonly name: string;
  /** From 0. */
  readonly statement: number;
  readonly phase: 'start' | 'ran' | 'recorded';
}

export interface MigrateOptions extends Partial<RenderOptions> {
  /** Folder of `NNNN_name.sql` files. */
  readonly directory: string;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: MigrationStep) => void | Promise<void>;
  /** How long to wait for another run. Default 60 s. */
  readonly lockWaitMs?: number;
  /** When an abandoned lock may be taken over. Default 600 s: longer than any statement. */
  readonly lockTtlSeconds?: number;
}

export interface MigrateResult {
  /** Version of the schema now. */
  readonly version: number;
  /** Statements run by this call. */
  readonly applied: number;
}

interface AppliedRow {
  readonly version: number;
  readonly statement: number;
  readonly name: string;
  readonly checksum: string;
}

/** A statement may fill a table of months. Shorter than an abandoned lock is respected. */
const STATEMENT_MS = 540_000;

const run = (
  store: ColumnStore,
  name: string,
  sql: string,
  params: Record<string, ParamValue> = {},
): Promise<void> => store.command({ name, sql, params, settings: {} });

async function readDirectory(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql'));
  const entries = await Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      name,
      await readFile(join(directory, name), 'utf8'),
    ]),
  );
  return readMigrations(new Map(entries));
}

/** The runner's own table, written as a migration would be. One row a statement, written after it ran. */
const BOOKS = `CREATE TABLE IF NOT EXISTS schema_migrations{{ON_CLUSTER}}
(
  version UInt32,
  statement UInt32 COMMENT 'index in the rendered script, from 0',
  name String,
  checksum String COMMENT 'SHA-256 of the script before rendering',
  applied_at DateTime64(3, 'UTC')
)
ENGINE = {{ENGINE:ReplacingMergeTree(applied_at)}}
ORDER BY (version, statement)`;

async function prepare(connection: ColumnStoreOptions, render: RenderOptions): Promise<void> {
  const admin = openColumnStore({ ...connection, database: 'default' });
  const database = quotedName(connection.database);
  try {
    for (const sql of renderMigration(`CREATE DATABASE IF NOT EXISTS ${database}{{ON_CLUSTER}}`, render)) {
      await run(admin, 'create_database', sql);
    }
  } finally {
    await admin.close();
  }
}

/** Throws CONFLICT when the database and the scripts do not tell the same story. */
function checkHistory(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  for (const row of applied) {
    const migration = migrations[row.version - 1];
    const label = `migration ${String(row.version).padStart(4, '0')}_${row.name}`;
    if (migration === undefined) {
      throw new AppError('CONFLICT', `${label} is in the database but not in this program, which is older`, {
        retry: false,
      });
    }
    if (migration.checksum !== row.checksum) {
      throw new AppError('CONFLICT', `${label} was changed after it was applied`, { retry: false });
    }
  }
}

async function applyAll(
  store: ColumnStore,
  lock: MigrationLock,
  migrations: readonly Migration[],
  render: RenderOptions,
  options: MigrateOptions,
): Promise<number> {
  const sql =
    'SELECT version, statement, name, checksum FROM schema_migrations FINAL ORDER BY version, statement';
  const plan = { name: 'read_migrations', sql, params: {}, settings: {} };
  const { rows } = await store.query<AppliedRow>(plan, options.signal);
  checkHistory(rows, migrations);
  const done = new Set(rows.map((row) => `${row.version}/${row.statement}`));
  let applied = 0;
  for (const { version, name, text, checksum } of migrations) {
    const statements = renderMigration(text, render);
    if (statements.every((_, statement) => done.has(`${version}/${statement}`))) continue;
    for (const [statement, rendered] of statements.entries()) {
      options.signal?.throwIfAborted();
      await lock.renew();
      await options.onStep?.({ version, name, statement, phase: 'start' });
      await run(store, `migration_${version}_${name}`, rendered);
      await options.onStep?.({ version, name, statement, phase: 'ran' });
      const record = `INSERT INTO schema_migrations (version, statement, name, checksum, applied_at)
        SELECT {version:UInt32}, {statement:UInt32}, {name:String}, {checksum:String}, now64(3, 'UTC')`;
      await run(store, 'record_migration', record, { version, statement, name, checksum });
      await options.onStep?.({ version, name, statement, phase: 'recorded' });
      applied++;
    }
  }
  return applied;
}

/**
 * Brings `connection.database` (made when missing) to the newest schema. Resumable: every statement is recorded after it ran,
 * and a script of which one is missing runs again from its beginning, so a run killed anywhere is finished by the next one.
 * A script may be run twice: `IF NOT EXISTS`, or what it fills it empties first. One runner at a time.
 *
 * Rejects CONFIG_INVALID for a broken folder, CONFLICT for a changed script, a database newer than the program or a lock
 * held for longer than `lockWaitMs`, LEASE_LOST when another runner took over, and the store's own faults.
 */
export async function migrate(
  connection: ColumnStoreOptions,
  options: MigrateOptions,
): Promise<MigrateResult> {
  const migrations = await readDirectory(options.directory);
  const render: RenderOptions = { cluster: options.cluster ?? null, variables: options.variables ?? {} };
  for (const migration of migrations) renderMigration(migration.text, render);
  await prepare(connection, render);
  const store = openColumnStore({ requestTimeoutMs: STATEMENT_MS, ...connection });
  try {
    const lock = await MigrationLock.acquire(store, {
      owner: randomUUID(),
      ttlSeconds: options.lockTtlSeconds ?? 600,
      waitMs: options.lockWaitMs ?? 60_000,
      clock: systemClock,
      signal: options.signal,
    });
    try {
      for (const sql of renderMigration(BOOKS, render)) await run(store, 'create_books', sql);
      const applied = await applyAll(store, lock, migrations, render, options);
      return { version: migrations.length, applied };
    } finally {
      // A lock that cannot be released expires; the fault that got us here is the one worth telling.
      await lock.release().catch(() => undefined);
    }
  } finally {
    await store.close();
  }
}
