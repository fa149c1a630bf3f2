import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate, type ColumnStore } from '@flowledger/column-store';
import { openKafkaLog, type AppendRecord, type EventLog } from '@flowledger/event-log';
import { Packer } from '@flowledger/ingest';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import {
  MIGRATIONS,
  startTestKafka,
  startTestStore,
  type KafkaSource,
  type TestKafka,
  type TestStore,
} from '@flowledger/testkit';
import { startService, type Service } from './service.js';

/** Long enough for a worker on a machine that does much else. */
export const SESSION_MS = 4_000;
const KEPT_DAYS = 3650;

/** A real Kafka, a real store, and processes of ours on them. */
export interface KafkaRig {
  readonly kafka: TestKafka;
  readonly log: EventLog;
  readonly store: ColumnStore;
  /** Settings every process of this rig needs. */
  readonly environment: Readonly<Record<string, string>>;
  startWorker(): Promise<Service>;
  /** Resolves when the ledger covers all of the log. */
  loaded(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startRig(
  source: Exclude<KafkaSource, { kind: 'none' }>,
  partitions: number,
): Promise<KafkaRig> {
  const kafka = await startTestKafka(source);
  const testStore = await startTestStore();
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-kafka-rig-'));
  const services: Service[] = [];
  const topic = `e2e-${randomUUID()}`;
  const environment = environmentOf(kafka, testStore, topic, partitions, directory);
  await migrate(
    {
      url: testStore.url,
      database: testStore.database,
      user: 'writer',
      password: testStore.password('writer'),
    },
    {
      directory: MIGRATIONS,
      variables: { RAW_TTL_DAYS: KEPT_DAYS, ROLLUP_TTL_DAYS: KEPT_DAYS, HOUR_TTL_DAYS: KEPT_DAYS },
    },
  );
  const log = await openKafkaLog({
    brokers: kafka.brokers,
    mode: 'writer',
    topic,
    partitions,
    replicationFactor: 1,
    minInSyncReplicas: 1,
    retentionMs: 86_400_000,
    retentionBytes: 2 ** 30,
    strict: false,
  });
  const store = testStore.store('writer');
  return {
    kafka,
    log,
    store,
    environment,
    startWorker: async () => {
      const worker = await startService('worker', environment);
      services.push(worker);
      return worker;
    },
    loaded: (limitMs) => untilLoaded(log, store, limitMs),
    stop: async () => {
      for (const service of services) await service.signal('SIGKILL');
      await log.close();
      await testStore.stop();
      await kafka.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function environmentOf(
  kafka: TestKafka,
  store: TestStore,
  topic: string,
  partitions: number,
  directory: string,
): Record<string, string> {
  return {
    FLOWLEDGER_DATA_DIR: directory,
    FLOWLEDGER_LOG_KIND: 'kafka',
    FLOWLEDGER_LOG_BROKERS: kafka.brokers.join(','),
    FLOWLEDGER_LOG_TOPIC: topic,
    FLOWLEDGER_LOG_PARTITIONS: String(partitions),
    FLOWLEDGER_LOG_REPLICATION_FACTOR: '1',
    FLOWLEDGER_LOG_MIN_IN_SYNC_REPLICAS: '1',
    FLOWLEDGER_LOG_SESSION_TIMEOUT: `${SESSION_MS}ms`,
    FLOWLEDGER_STORE_URL: store.url,
    FLOWLEDGER_STORE_DATABASE: store.database,
    FLOWLEDGER_STORE_PASSWORD: store.password('writer'),
    FLOWLEDGER_STORE_READ_PASSWORD: store.password('reader'),
    FLOWLEDGER_RETENTION_RAW_DAYS: String(KEPT_DAYS),
    FLOWLEDGER_SINK_MAX_AGE: '200ms',
    FLOWLEDGER_DIAGNOSTICS_LEVEL: 'warn',
  };
}

async function untilLoaded(log: EventLog, store: ColumnStore, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  const sql =
    'SELECT _lp, toString(max(to_offset) + 1) AS next FROM load_ledger FINAL WHERE _le = {epoch:UInt64} GROUP BY _lp';
  for (;;) {
    const { rows } = await store.query<{ _lp: number; next: string }>({
      name: 'test_loaded',
      sql,
      params: { epoch: log.epoch },
      settings: {},
    });
    const next = new Map(rows.map((row) => [Number(row._lp), BigInt(row.next)]));
    let covered = true;
    for (let partition = 0; partition < log.partitions; partition++)
      covered &&= (next.get(partition) ?? 0n) >= (await log.bounds(partition)).end;
    if (covered) return;
    if (performance.now() > deadline) throw new Error('the ledger does not cover the log in time');
    await delay(100);
  }
}

/** What a feed did until it was told to stop. */
export interface FeedReport {
  /** Uuids of events whose append was acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  readonly appends: number;
}

/** Appends the simulator's events, a pack at a time with pauses, until the signal aborts. */
export async function feedUntil(log: EventLog, seed: number, signal: AbortSignal): Promise<FeedReport> {
  const from = BigInt(Math.floor(Date.now() / 1000) - 6 * 3600) * 1_000_000_000n;
  const to = from + 86_400_000_000_000n;
  const simulation = new Simulation({ seed, from, to, callsPerSecond: 20, scenario: 'test' });
  const acknowledged = new Set<string>();
  let [uuids, appends]: [string[], number] = [[], 0];
  const newPacker = (): Packer =>
    new Packer({
      tenant: 'default',
      cluster: 'demo',
      source: 'demo',
      codec: 'hubble.get_flows_response',
      partitions: log.partitions,
      now: () => Date.now(),
    });
  let packer = newPacker();
  const full: AppendRecord[] = [];
  for (const event of simulation.events()) {
    const packed = packer.add(event.node, event.bytes, event.timeNs);
    if (packed !== undefined) full.push(packed.record);
    const uuid = /"uuid":"([0-9a-f-]{36})"/.exec(toJsonLine(event))?.[1];
    if (uuid !== undefined) uuids.push(uuid);
    if (uuids.length < 400) continue;
    await log.append([...full.splice(0), ...packer.flush().map(({ record }) => record)]);
    for (const one of uuids) acknowledged.add(one);
    [uuids, packer] = [[], newPacker()];
    appends++;
    await delay(20);
    if (signal.aborted) break;
  }
  return { acknowledged, appends };
}
