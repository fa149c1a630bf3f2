import { quotedName, type ColumnStore } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { sql } from './sql.js';
import { listTables, type TablePiece } from './table-pieces.js';

const PARTITION_ID = /^[0-9A-Za-z_-]+$/;

export interface FillOptions {
  readonly target: ColumnStore;
  /** The database that `target` works in; its tables exist and are empty. */
  readonly database: string;
  readonly pieces: AsyncIterable<TablePiece>;
  readonly onPiece?: (piece: TablePiece) => void;
}

/**
 * Fills empty tables with pieces. Rows go to a database beside (`<database>_filling`) first and reach their places by
 * partition at the end, so views count nothing twice and a fill that was cut leaves the tables empty: begin it again.
 * Rejects CONFLICT when a table holds rows or lacks a column.
 */
export async function fillTables(options: FillOptions, signal: AbortSignal): Promise<void> {
  const { target, database, pieces, onPiece } = options;
  const tables = await listTables(target, signal);
  await assertEmpty(target, database, signal);
  const staging = `${database}_filling`;
  const drop = { name: 'drop_staging', sql: `DROP DATABASE IF EXISTS ${quotedName(staging)} SYNC` };
  const run = (name: string, text: string): Promise<void> =>
    target.command({ name, sql: text, params: {}, settings: {} }, signal);
  await run(drop.name, drop.sql);
  await run('create_staging', `CREATE DATABASE ${quotedName(staging)}`);
  for (const { name } of tables) {
    const fragments = { staging: quotedName(staging), table: quotedName(name) };
    await target.command(sql.filled('create_staging', fragments, {}), signal);
  }
  for await (const piece of pieces) {
    const known = tables.find(({ name }) => name === piece.table)?.columns ?? [];
    const lacking = piece.columns.find((column) => !known.includes(column));
    if (lacking !== undefined)
      throw new AppError('CONFLICT', `${piece.table}.${lacking} is not in this schema`, { retry: false });
    const fragments = {
      table: `${quotedName(staging)}.${quotedName(piece.table)}`,
      columns: piece.columns.map(quotedName).join(', '),
    };
    await target.writeNative(sql.filled('write_piece', fragments, {}), await piece.open(signal), signal);
    onPiece?.(piece);
  }
  for (const { name } of tables) await attachAll(target, staging, name, signal);
  await run(drop.name, drop.sql);
}

async function attachAll(
  target: ColumnStore,
  staging: string,
  table: string,
  signal: AbortSignal,
): Promise<void> {
  const plan = sql.plan('list_partitions', { database: staging, table });
  for (const { id } of (await target.query<{ id: string }>(plan, signal)).rows) {
    if (!PARTITION_ID.test(id))
      throw new AppError('INTERNAL', `${table} has partition ${id}`, { retry: false });
    const fragments = { staging: quotedName(staging), table: quotedName(table), id };
    await target.command(sql.filled('attach_partition', fragments, {}), signal);
  }
}

async function assertEmpty(target: ColumnStore, database: string, signal: AbortSignal): Promise<void> {
  for (const { name } of await listTables(target, signal)) {
    const plan = sql.plan('list_partitions', { database, table: name });
    if ((await target.query(plan, signal)).rows.length > 0)
      throw new AppError('CONFLICT', `${database}.${name} already holds rows`, { retry: false });
  }
}

/** Version of the newest migration in a store. */
export async function schemaVersion(store: ColumnStore, signal: AbortSignal): Promise<number> {
  const { rows } = await store.query<{ version: number }>(sql.plan('schema_version', {}), signal);
  return rows[0]?.version ?? 0;
}
