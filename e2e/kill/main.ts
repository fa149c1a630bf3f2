// Kills processes of the running group at random moments under load, then checks every book.
//   npm run kill-test -- [--kills 50] [--seed 1] [--port 17117] [--keep] [--kafka]
// With --kafka the log is in a real Kafka, whose broker is one of the victims.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openColumnStore } from '@flowledger/column-store';
import { openLogReader, type EventLog } from '@flowledger/event-log';
import { configOrExit } from '@flowledger/platform';
import { startJvmBroker } from '@flowledger/testkit';
import { checkBooks, type BooksReport } from './books.js';
import { GroupUnderTest } from './group.js';
import { batches, send } from './load.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const flag = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const kills = flag('kills', 50);
const seed = flag('seed', 1);
const dataDir = await mkdtemp(join(tmpdir(), 'flowledger-kill-'));
const broker = process.argv.includes('--kafka') ? await startJvmBroker() : undefined;
const ONE_BROKER =
  '--log-kind kafka --log-replication-factor 1 --log-min-in-sync-replicas 1 --log-session-timeout 3s';
const settings = broker === undefined ? [] : [...ONE_BROKER.split(' '), '--log-brokers', broker.address];
/** A group of consumers that lost a member takes a session to notice: kills that come faster only test the start. */
const pace = broker === undefined ? 1 : 4;
const group = new GroupUnderTest(root, dataDir, flag('port', 17117), settings);

/** mulberry32: small, seeded, good enough to choose victims. */
function randomOf(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const acknowledged = new Set<string>();
let loading = true;
let sent = 0;

async function load(lane: number): Promise<void> {
  for (const batch of batches(seed * 100 + lane, 1500)) {
    while (loading && !(await send(group.url, batch, 20_000))) await delay(50);
    if (!loading) return;
    for (const uuid of batch.uuids) acknowledged.add(uuid);
    sent++;
  }
}

async function killMany(): Promise<Record<string, number>> {
  const random = randomOf(seed);
  const killed: Record<string, number> = {};
  for (let n = 0; n < kills; n++) {
    await delay((200 + random() * 1800) * pace);
    const living = await group.living();
    const choice = Math.floor(random() * (living.length + (broker === undefined ? 0 : 1)));
    const victim = living[choice];
    if (victim === undefined) {
      await broker?.kill();
      await broker?.restart();
      killed['broker'] = (killed['broker'] ?? 0) + 1;
      continue;
    }
    await group.kill(victim);
    killed[victim.name] = (killed[victim.name] ?? 0) + 1;
  }
  return killed;
}

async function coverage(): Promise<{ unaccounted: number; status: string } | undefined> {
  try {
    const response = await fetch(`${group.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ coverage(window: { last: "24h" }) { unaccounted status } }' }),
    });
    const answer = (await response.json()) as {
      data?: { coverage: { unaccounted: number; status: string } };
    };
    return answer.data?.coverage;
  } catch {
    return undefined;
  }
}

async function settled(): Promise<number> {
  const began = performance.now();
  let unaccounted = Number.NaN;
  while (performance.now() - began < 120_000) {
    unaccounted = (await coverage())?.unaccounted ?? Number.NaN;
    if (unaccounted === 0) break;
    await delay(200);
  }
  say(`unaccounted ${unaccounted} after ${((performance.now() - began) / 1000).toFixed(1)} s of quiet`);
  return unaccounted;
}

async function books(): Promise<BooksReport> {
  const state = JSON.parse(await readFile(join(dataDir, 'run/group.json'), 'utf8')) as {
    processes: { name: string; url?: string }[];
  };
  const { writer } = JSON.parse(await readFile(join(dataDir, 'run/store-credentials.json'), 'utf8')) as {
    writer: string;
  };
  const url = state.processes.find((p) => p.name === 'store')?.url;
  if (url === undefined) throw new Error('no store in the group');
  const store = openColumnStore({ url, user: 'writer', password: writer, database: 'flowledger' });
  const log: EventLog = await openLogReader(configOrExit(['--data-dir', dataDir, ...settings]));
  try {
    return await checkBooks(log, store, acknowledged);
  } finally {
    await store.close();
    await log.close();
  }
}

say(`seed ${seed}: ${kills} kills on ${dataDir}`);
await group.start();
const lanes = [1, 2, 3, 4].map(load);
const killed = await killMany();
loading = false;
await Promise.all(lanes);
say(`killed ${JSON.stringify(killed)}; ${sent} files acknowledged, ${acknowledged.size} uuids`);
const unaccounted = await settled();
const report = await books();
const code = await group.stop();
await broker?.stop();
say(JSON.stringify(report));
const differences = Object.values(report.rollupDifferences).reduce((a, b) => a + b, 0);
const exact =
  report.missingIds.length === 0 &&
  report.surplusIds.length === 0 &&
  report.missingUuids.length === 0 &&
  differences === 0;
const ok = exact && unaccounted === 0 && code === 0 && sent > 0 && report.eventsInLog > 0;
if (!process.argv.includes('--keep')) await rm(dataDir, { recursive: true, force: true });
say(
  `${ok ? 'exact' : 'NOT EXACT'}: seed ${seed}, ${kills} kills, ${report.eventsInLog} events in the log, exit code ${code ?? 'none'}`,
);
process.exit(ok ? 0 : 1);
