import type { ColumnStore } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { fillTables, schemaVersion } from './fill-tables.js';
import { listTables, piecesOf, type TablePiece } from './table-pieces.js';

/** A store and the database that its client works in. */
export interface StorePlace {
  readonly store: ColumnStore;
  readonly database: string;
}

/**
 * Copies every table from one store into the empty tables of another. Nothing may be loading into the source: what comes
 * in after its table was copied would be missing. Rejects CONFLICT as `fillTables`, and for unequal schemas.
 */
export async function moveTables(
  from: StorePlace,
  to: StorePlace,
  onPiece: (piece: TablePiece) => void,
  signal: AbortSignal,
): Promise<void> {
  const [source, target] = [await schemaVersion(from.store, signal), await schemaVersion(to.store, signal)];
  if (source !== target)
    throw new AppError('CONFLICT', `schema ${source} here, ${target} there: migrate first`, { retry: false });
  await fillTables(
    { target: to.store, database: to.database, pieces: everything(from, signal), onPiece },
    signal,
  );
}

async function* everything({ store, database }: StorePlace, signal: AbortSignal): AsyncGenerator<TablePiece> {
  for (const table of await listTables(store, signal)) yield* piecesOf(store, database, table, signal);
}
