import { quotedName, type ColumnStore } from '@flowledger/column-store';
import { sql } from './sql.js';
import { listTables } from './table-pieces.js';

/** A table that does not read the same in both stores. */
export interface TableDifference {
  readonly table: string;
  readonly hereRows: number;
  readonly thereRows: number;
}

/** Rows and digests of every table of two stores, as a reader sees them (merged); the tables that differ. */
export async function compareStores(
  here: ColumnStore,
  there: ColumnStore,
  signal: AbortSignal,
): Promise<{
  readonly tables: number;
  readonly rows: number;
  readonly differences: readonly TableDifference[];
}> {
  const differences: TableDifference[] = [];
  let [tables, rows] = [0, 0];
  for (const { name, engine } of await listTables(here, signal)) {
    const plain = sql.plan('list_plain_columns', { table: name });
    const columns = (await here.query<{ name: string }>(plain, signal)).rows.map((row) =>
      quotedName(row.name),
    );
    const merges = engine.includes('Replacing') || engine.includes('Aggregating');
    const table = `${quotedName(name)}${merges ? ' FINAL' : ''}`;
    const plan = sql.filled('table_content', { table, columns: columns.join(', ') }, {});
    const [a, b] = await Promise.all([contentOf(here, plan, signal), contentOf(there, plan, signal)]);
    tables++;
    rows += Number(a.rows);
    if (a.rows !== b.rows || a.digest !== b.digest)
      differences.push({ table: name, hereRows: Number(a.rows), thereRows: Number(b.rows) });
  }
  return { tables, rows, differences };
}

async function contentOf(store: ColumnStore, plan: Parameters<ColumnStore['query']>[0], signal: AbortSignal) {
  const { rows } = await store.query<{ rows: string; digest: string }>(plan, signal);
  return rows[0] ?? { rows: '0', digest: '0' };
}
