import { migrate, type ColumnStore } from '@flowledger/column-store';
import { MIGRATIONS, startTestStore } from '@flowledger/testkit';
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import type { Result } from '../result.js';

/** 2080-01-10 00:00:00 UTC: far from now, so that no retention touches the rows of a test. */
export const DAY_S = 3_471_984_000;

/** The end of the test day, as the planners' now. */
export const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: BigInt(DAY_S + 86_400) * 1_000_000_000n,
  limits: DEFAULT_LIMITS,
  retention: DEFAULT_RETENTION,
};

/** Column values of one row of `flows`; columns that are not named keep their defaults. */
export type FlowCells = Readonly<Record<string, string | number | bigint | readonly string[]>>;

/** A real engine with all tables, for one test file. */
export interface QueryFixture {
  readonly writer: ColumnStore;
  /** Runs a plan as the API does. */
  run<Row>(plan: QueryPlan): Promise<readonly Row[]>;
  /** Writes rows of `flows`; the views fill the rollups. All rows must name the same columns. */
  insert(rows: readonly FlowCells[]): Promise<void>;
  stop(): Promise<void>;
}

/** The value of a good result; a refusal fails the test. */
export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

function literal(value: FlowCells[string]): string {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (typeof value === 'object') return `[${value.map(literal).join(', ')}]`;
  return String(value);
}

/** Text of a time in ns for a `DateTime64(9)` column. */
export function timeLiteral(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${date}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`;
}

/** Starts an engine and makes the tables; takes about two seconds. */
export async function startQueryFixture(): Promise<QueryFixture> {
  const store = await startTestStore();
  const { url, database } = store;
  await migrate(
    { url, user: 'writer', password: store.password('writer'), database },
    { directory: MIGRATIONS, variables: { RAW_TTL_DAYS: 30, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 } },
  );
  const writer = store.store('writer');
  const reader = store.store('reader');
  return {
    writer,
    run: async <Row>(plan: QueryPlan): Promise<readonly Row[]> => (await reader.query<Row>(plan)).rows,
    insert: async (rows) => {
      const columns = Object.keys(rows[0] ?? {});
      for (let at = 0; at < rows.length; at += 500) {
        const values = rows
          .slice(at, at + 500)
          .map((row) => `(${columns.map((column) => literal(row[column] ?? 0)).join(', ')})`);
        const sql = `INSERT INTO flows (${columns.join(', ')}) VALUES ${values.join(', ')}`;
        await writer.command({
          name: 'test_rows',
          sql,
          params: {},
          settings: { max_query_size: 10_000_000 },
        });
      }
    },
    stop: () => store.stop(),
  };
}
