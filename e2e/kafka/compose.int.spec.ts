import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceSkip, findKafka, startTestKafka, startTestStore } from '@flowledger/testkit';
import type { TestKafka, TestStore } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batches } from '../kill/load.js';
import { COMPOSE_DIRECTORY, readCompose, type ComposeFile, type ComposeService } from './compose-file.js';
import { startProcess, type Service } from './service.js';

const SECRETS = {
  FLOWLEDGER_WRITER_PASSWORD: 'w-secret',
  FLOWLEDGER_READER_PASSWORD: 'r-secret',
  FLOWLEDGER_ADMIN_TOKEN: 'admin-secret',
  FLOWLEDGER_API_TOKEN: 'api-secret',
};
const OURS = ['migrate', 'ingestor', 'worker', 'api'];
const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');

describe('docker-compose.yml', () => {
  const compose = readCompose(SECRETS);

  it('refuses to come up without its secrets', () => {
    expect(() => readCompose({})).toThrow(/WRITER_PASSWORD/);
  });

  it('runs our services without root, on a read-only root, within limits, and looks after their health', () => {
    for (const name of OURS) {
      const service = compose.services[name];
      expect([name, service?.user, service?.read_only]).toEqual([name, '1000:1000', true]);
      expect(Object.keys(service?.deploy?.resources?.limits ?? {}).sort()).toEqual(['cpus', 'memory']);
      if (name !== 'migrate') expect(service?.healthcheck?.test[0]).toBe('CMD');
    }
  });

  it('publishes nothing beyond this machine and keeps data in volumes', () => {
    const published = Object.values(compose.services).flatMap(({ ports }) => ports ?? []);
    expect(published.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    expect(Object.keys(compose.volumes).sort()).toEqual(['clickhouse-data', 'ingestor-data', 'kafka-data']);
  });

  it('names images and stages that the Dockerfile has', () => {
    const dockerfile = readFileSync(join(COMPOSE_DIRECTORY, 'Dockerfile'), 'utf8');
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage);
    expect(stages).toEqual(expect.arrayContaining(['server', 'embedded']));
  });

  const client = spawnSync('docker', ['compose', 'version']).status === 0;
  if (!client) process.stdout.write('\nSKIPPED: docker compose config: no client with compose is here\n\n');
  it.runIf(client)('is valid for docker compose', () => {
    const run = spawnSync('docker', ['compose', 'config', '--quiet'], {
      cwd: COMPOSE_DIRECTORY,
      env: { ...process.env, ...SECRETS },
    });
    expect(run.stderr.toString()).toBe('');
    expect(run.status).toBe(0);
  });
});

describe.runIf(source.kind !== 'none')('the services of docker-compose.yml as processes', () => {
  let kafka: TestKafka;
  let store: TestStore;
  let compose: ComposeFile;
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-compose-'));
  const running = new Map<string, Service>();

  beforeAll(async () => {
    if (source.kind === 'none') return;
    [kafka, store] = await Promise.all([startTestKafka(source), startTestStore()]);
    compose = readCompose({
      ...SECRETS,
      FLOWLEDGER_WRITER_PASSWORD: store.password('writer'),
      FLOWLEDGER_READER_PASSWORD: store.password('reader'),
    });
  }, 400_000);

  afterAll(async () => {
    for (const service of running.values()) await service.signal('SIGKILL');
    await store?.stop();
    await kafka?.stop();
    rmSync(directory, { recursive: true, force: true });
  }, 60_000);

  function serviceOf(name: string): ComposeService {
    const service = compose.services[name];
    if (service === undefined) throw new Error(`no service ${name}`);
    return service;
  }

  /** The service's own environment; only names of hosts, ports and the mount point become those of this machine. */
  function environmentOf(name: string): Record<string, string> {
    const here = Object.entries(serviceOf(name).environment ?? {}).map(([key, value]) => {
      const local = String(value)
        .replace('kafka:9092', kafka.brokers.join(','))
        .replace('http://clickhouse:8123', store.url)
        .replace('http://ingestor:7118', String(running.get('ingestor')?.facts['url']))
        .replace(/^0\.0\.0\.0$/, '127.0.0.1')
        .replace(/^71\d\d$/, '0')
        .replace(/^\/data$/, join(directory, name));
      return [key, local];
    });
    return Object.fromEntries(here) as Record<string, string>;
  }

  async function start(name: string): Promise<string> {
    const service = await startProcess(serviceOf(name).command ?? [], environmentOf(name));
    running.set(name, service);
    return String(service.facts['url']);
  }

  /** Runs the health check as Compose would; true when it ends with 0. */
  async function isHealthy(name: string): Promise<boolean> {
    const [, ...words] = serviceOf(name).healthcheck?.test ?? [];
    const { port } = new URL(String(running.get(name)?.facts['url']));
    const env = { ...process.env, FLOWLEDGER_ADMIN_PORT: port, FLOWLEDGER_API_PORT: port };
    const check = spawn(process.execPath, words.slice(1), { env, stdio: 'ignore' });
    return new Promise((resolve) => check.once('exit', (code) => resolve(code === 0)));
  }

  const withToken = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  it('start with their exact commands and environments, take an import and answer it', async () => {
    const [entry, ...words] = serviceOf('migrate').command?.slice(1) ?? [];
    const migrated = spawnSync(process.execPath, [entry ?? '', ...words], {
      cwd: COMPOSE_DIRECTORY,
      env: { ...process.env, ...environmentOf('migrate') },
    });
    expect([migrated.status, migrated.stderr.toString()]).toEqual([0, '']);
    const ingestor = await start('ingestor');
    const worker = await start('worker');
    const api = await start('api');
    for (const name of ['ingestor', 'worker', 'api'])
      expect([name, await isHealthy(name)]).toEqual([name, true]);

    const [batch] = batches(7, 500);
    const imported = await fetch(`${api}/v1/import`, {
      method: 'POST',
      ...withToken(SECRETS.FLOWLEDGER_API_TOKEN),
      body: batch?.body ?? '',
    });
    const summary = (await imported.json()) as { read: number; accepted: number };
    expect([imported.status, summary.read]).toEqual([200, 500]);
    expect(summary.accepted).toBeGreaterThan(400);

    const answer = await fetch(`${api}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${SECRETS.FLOWLEDGER_API_TOKEN}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: '{ coverage(window: { last: "24h" }) { unaccounted } }' }),
    });
    expect(await answer.json()).toMatchObject({ data: { coverage: { unaccounted: 0 } } });
    await checkMetrics([ingestor, worker, api]);
  }, 180_000);

  async function checkMetrics([ingestor, worker, api]: readonly (string | undefined)[]): Promise<void> {
    const text = async (url: string | undefined, token: string): Promise<string> =>
      (await fetch(`${url ?? ''}/metrics`, withToken(token))).text();
    const admin = SECRETS.FLOWLEDGER_ADMIN_TOKEN;
    expect((await fetch(`${ingestor ?? ''}/metrics`)).status).toBe(401);
    expect((await fetch(`${ingestor ?? ''}/intake/import`, { method: 'POST' })).status).toBe(401);
    expect(await text(ingestor, admin)).toMatch(
      /flowledger_ingest_received_events_total\{source="import"\} 500/,
    );
    expect(await text(ingestor, admin)).toMatch(/flowledger_ingest_events_total\{source="import"\} 500/);
    const loaded = await text(worker, admin);
    expect(loaded).toMatch(/flowledger_sink_events_total\{outcome="flow"\} [1-9]/);
    expect(loaded).toMatch(/flowledger_sink_lag_offsets\{partition="0"\} 0/);
    expect(loaded).toMatch(/flowledger_sink_lag_seconds\{partition="0"\} 0/);
    expect(await text(api, SECRETS.FLOWLEDGER_API_TOKEN)).toMatch(
      /flowledger_process_resident_memory_bytes \d/,
    );
  }

  it('stop in order when they are told to', async () => {
    for (const name of ['api', 'worker', 'ingestor'])
      expect([name, await running.get(name)?.signal('SIGTERM')]).toEqual([name, 0]);
  }, 60_000);
});
