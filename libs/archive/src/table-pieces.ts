import type { Readable } from 'node:stream';
import { quotedName, type ColumnStore } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { sql } from './sql.js';

/** Rows of a piece at most, about: a piece is one INSERT later, and its bytes are spooled by the embedded engine. */
export const PIECE_ROWS = 200_000;

/** A table as the engine lists it. */
export interface StoredTable {
  readonly name: string;
  readonly engine: string;
  readonly sortingKey: string;
  readonly columns: readonly string[];
}

/** Some rows of one partition of a table. */
export interface TablePiece {
  readonly table: string;
  readonly columns: readonly string[];
  /** Partition id of the engine. */
  readonly partition: string;
  /** Opens the rows as Native blocks; may be called again. */
  open(signal: AbortSignal): Promise<Readable>;
}

const NAME = /^\w+$/;
const LEDGER = ['load_ledger', 'load_repairs'];

/**
 * Tables in the order in which they must be copied while loading goes on: the ledger says what is complete, so it is
 * copied before what it vouches for; rollups before the rows they count, so that rows can only be ahead. Whatever lies
 * beyond the copied ledger is verified and repaired by the next loader, as after a crash.
 */
export async function listTables(store: ColumnStore, signal: AbortSignal): Promise<readonly StoredTable[]> {
  const { rows } = await store.query<{ name: string; engine: string; sorting_key: string }>(
    sql.plan('list_tables', {}),
    signal,
  );
  const tables: StoredTable[] = [];
  for (const { name, engine, sorting_key: sortingKey } of rows) {
    if (!NAME.test(name)) throw new AppError('INTERNAL', `a table is named ${name}`, { retry: false });
    const found = await store.query<{ name: string }>(sql.plan('list_columns', { table: name }), signal);
    tables.push({ name, engine, sortingKey, columns: found.rows.map((row) => row.name) });
  }
  const rank = ({ name, engine }: StoredTable): number =>
    LEDGER.includes(name) ? 0 : engine.includes('Aggregating') ? 1 : 2;
  return tables.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** The pieces of a table as it is now; `database` is the one the store's client works in. */
export async function* piecesOf(
  store: ColumnStore,
  database: string,
  { name, columns, sortingKey }: StoredTable,
  signal: AbortSignal,
): AsyncGenerator<TablePiece> {
  const plan = sql.plan('list_partitions', { database, table: name });
  const { rows } = await store.query<{ id: string; rows: string }>(plan, signal);
  const list = columns.map(quotedName).join(', ');
  for (const { id, rows: count } of rows) {
    const pieces = Math.max(1, Math.ceil(Number(count) / PIECE_ROWS));
    for (let piece = 0; piece < pieces; piece++) {
      const fragments = { columns: list, table: quotedName(name), key: sortingKey };
      const read = sql.filled('read_piece', fragments, { id, pieces, piece });
      yield { table: name, columns, partition: id, open: (until) => store.readNative(read, until) };
    }
  }
}
