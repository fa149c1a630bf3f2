import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ColumnStore } from '@flowledger/column-store';
import { isAppError } from '@flowledger/platform';
import type { TestStore } from '@flowledger/testkit';
import { planFlowCopies } from './flows/copy-flows.js';
import { LARGE_CLUSTER, makeFlows, REALISTIC, type TrafficShape } from './flows/made-flows.js';
import { openBenchLog, startStore } from './log-store.js';
import { costOf, type Cost } from './machine.js';
import type { BenchSize } from './result.js';

export const DAY_MS = 86_400_000;
export const FROM_MS = 1_790_035_200_000;
export const ROLLUPS = ['red_1m', 'red_1h', 'red_edges_1h', 'edges_1m', 'edges_1h', 'drops_1m'];
/** What one run of the loader brings; more are copies of these, made in the store. */
const LOADED = 10_000_000;
const QUICK = 1_000_000;

/** How the flows came into the store; kept beside a store that stays. */
export interface HistoryMeta {
  readonly asked: number;
  readonly shape: TrafficShape;
  /** Flows that the loader brought, of them in the log, and bytes of the log. */
  readonly logged: number;
  readonly logBytes: number;
  readonly loading: Omit<Cost<unknown>, 'result'>;
}

/** A store with a day of flows, for as many cases as like to ask it. */
export interface HistoryStore extends HistoryMeta {
  readonly pid: number;
  readonly server: TestStore;
  readonly writer: ColumnStore;
  readonly reader: ColumnStore;
  /** Rows of `flows`. */
  readonly flows: number;
  close(): Promise<void>;
}

/** A tenth of the flows needs a smaller cluster, or there would hardly be two flows of one edge in one minute. */
function shapeOf({ quick, flows }: BenchSize): TrafficShape & { readonly asked: number } {
  const asked = flows ?? (quick ? QUICK : LOADED);
  const cluster = asked < LOADED ? { ...REALISTIC, nodes: 10, workloads: 100 } : LARGE_CLUSTER;
  return { ...cluster, asked, flows: Math.min(asked, LOADED), fromMs: FROM_MS, spanMs: DAY_MS };
}

export async function command(store: ColumnStore, sql: string): Promise<void> {
  await store.command({ name: 'bench_history', sql, params: {}, settings: { max_execution_time: 0 } });
}

async function numberOf(store: ColumnStore, sql: string): Promise<number> {
  const plan = { name: 'bench_history', sql, params: {}, settings: {} };
  return Number((await store.query<{ readonly value: string }>(plan)).rows[0]?.value);
}

/** Waits until nothing merges any more, as in a table that is a day old. */
export async function settled(store: ColumnStore): Promise<void> {
  while ((await numberOf(store, 'SELECT count() AS value FROM system.merges')) > 0) await delay(1000);
}

/** Merges each partition to one part. */
async function mergeAll(store: ColumnStore, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    try {
      await command(store, `OPTIMIZE TABLE ${table} FINAL`);
    } catch (error) {
      // On a busy machine the client gives up before the engine has ended; the merge goes on.
      if (!isAppError(error, 'STORE_UNCERTAIN')) throw error;
      await settled(store);
    }
  }
}

/** Fills the store: what one log holds by the product's loader, the rest by copying it with other ids, times and ports. */
async function fill(
  store: ColumnStore,
  pid: number,
  shape: TrafficShape & { readonly asked: number },
  say: BenchSize['say'],
): Promise<HistoryMeta> {
  const bench = await openBenchLog();
  try {
    say(`${shape.flows} flows of 24 hours into the log`);
    const logged = await bench.fill(makeFlows(shape));
    say('from the log into the store');
    const { result: _, ...loading } = await costOf([pid], () => bench.load(store));
    say(`loaded in ${Math.round(loading.seconds)} s`);
    for (const [index, sql] of planFlowCopies(shape, shape.asked).entries()) {
      await command(store, sql);
      say(`copy ${index + 1} of the flows is in the store`);
    }
    const { asked } = shape;
    return { asked, shape, logged, logBytes: await bench.bytes(), loading };
  } finally {
    await bench.close();
  }
}

function kept(path: string, asked: number): HistoryMeta | undefined {
  if (!existsSync(path)) return undefined;
  const meta = JSON.parse(readFileSync(path, 'utf8')) as HistoryMeta;
  if (meta.asked !== asked)
    throw new TypeError(`${path} tells of ${meta.asked} flows and not of ${asked}; name another directory`);
  return meta;
}

/**
 * Opens the store of `--store DIR`, or one that the cases of a run pass on. An empty directory is filled first, which takes
 * minutes for 10 M flows and a quarter of an hour for 100 M; one that was filled with another number is refused.
 */
export async function openHistoryStore(size: BenchSize): Promise<HistoryStore> {
  const shape = shapeOf(size);
  const directory = size.store ?? size.passedOn;
  const metaPath = join(directory, 'bench-history.json');
  mkdirSync(directory, { recursive: true });
  const found = kept(metaPath, shape.asked);
  const server = await startStore(join(directory, 'store'));
  try {
    const writer = server.store();
    const meta = found ?? (await fill(writer, server.server.pid, shape, size.say));
    // A day that came in order of time has each hour's sums in few parts; copies have brought them again and again.
    if (found === undefined) await mergeAll(writer, shape.asked <= LOADED ? ['flows', ...ROLLUPS] : ROLLUPS);
    writeFileSync(metaPath, JSON.stringify(meta));
    await settled(writer);
    const flows = await numberOf(writer, 'SELECT count() AS value FROM flows');
    const reader = server.store('reader');
    return { ...meta, pid: server.server.pid, server, writer, reader, flows, close: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
