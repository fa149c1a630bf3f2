import type { ColumnStore } from '@flowledger/column-store';
import { AppError, type ErrorCode } from '@flowledger/platform';

/** What happens to one insert: nothing, a fault before the engine saw it, or a fault after it was applied. */
export type InsertFate = 'ok' | 'lost' | 'applied' | 'unreached' | { readonly engineCode: number };

/** A store in front of a real one whose inserts end as `fate` says; everything else passes. */
export function faultyStore(
  store: ColumnStore,
  fate: (table: string, token: string) => InsertFate,
): ColumnStore {
  const fault = (code: ErrorCode, engineCode?: number): AppError =>
    new AppError(code, 'made to fail', { retry: true, details: { code: engineCode } });
  return {
    insert: async (batch, options) => {
      const end = fate(batch.table, options.token);
      if (end === 'lost') throw fault('STORE_UNCERTAIN');
      if (end === 'unreached') throw fault('STORE_UNAVAILABLE');
      if (typeof end === 'object') throw fault('STORE_UNCERTAIN', end.engineCode);
      await store.insert(batch, options);
      if (end === 'applied') throw fault('STORE_UNCERTAIN');
    },
    query: (plan, signal) => store.query(plan, signal),
    command: (statement, signal) => store.command(statement, signal),
    readNative: (plan, signal) => store.readNative(plan, signal),
    readParquet: (plan, signal) => store.readParquet(plan, signal),
    writeNative: (plan, blocks, signal) => store.writeNative(plan, blocks, signal),
    version: () => store.version(),
    close: () => store.close(),
  };
}
