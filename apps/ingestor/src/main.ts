// Sources → event log. Owns the log's writing side; never talks to the store.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { openLogWriter } from '@flowledger/event-log';
import {
  describeDemo,
  hasSource,
  importStream,
  ImportManifest,
  openDemo,
  openIntake,
  openLiveSources,
  playDemo,
  type DemoOptions,
} from '@flowledger/ingest';
import {
  collectLessOften,
  describeError,
  runProcess,
  startAdminServer,
  systemClock,
  type Config,
  type Log,
} from '@flowledger/platform';

const DAY_MS = 86_400_000;

collectLessOften();
await runProcess('ingestor', async ({ config, log, metrics, life, signal }) => {
  const eventLog = await openLogWriter(config, log);
  life.own('log', () => eventLog.close());
  const manifest = await ImportManifest.open(manifestPath(config), config.retention.rawDays * DAY_MS);
  life.own('manifest', () => manifest.close());

  const appended = metrics.counter('flowledger_ingest_events_total', 'Events made durable in the log', [
    'source',
  ]);
  const received = metrics.counter('flowledger_ingest_received_events_total', 'Events handed to the log', [
    'source',
  ]);
  const appender = (source: string) => async (records: Parameters<typeof eventLog.append>[0]) => {
    const events = records.reduce((sum, record) => sum + record.events, 0);
    received.inc({ source }, events);
    const positions = await eventLog.append(records);
    appended.inc({ source }, events);
    return positions;
  };
  const { tenant, cluster } = config.source;
  const common = { tenant, cluster, partitions: eventLog.partitions, manifest, now: () => systemClock.now() };
  const live = await openLiveSources({
    config,
    partitions: eventLog.partitions,
    appender,
    clock: systemClock,
    log,
    metrics,
  });
  const admin = await startAdminServer({
    ...config.admin,
    metrics,
    status: async () => ({
      ok: true,
      epoch: eventLog.epoch.toString(),
      sources: live.flatMap(({ states }) => states),
    }),
    ready: async () => (await eventLog.bounds(0)).end >= 0n,
    handle: openIntake({
      importOptions: { ...common, append: appender('import') },
      appendRedriven: appender('redrive'),
      log,
      maxUploads: 4,
    }),
  });
  life.own('admin', () => admin.close());

  const work: Promise<unknown>[] = [];
  life.own('sources', async () => {
    await Promise.allSettled(work);
  });
  for (const source of live)
    work.push(
      source
        .run(signal)
        .catch((error: unknown) => log.error({ error: describeError(error) }, 'source stopped')),
    );
  for (const path of config.source.hubbleFiles) {
    const options = { ...common, source: 'hubble-file', append: appender('hubble-file'), signal } as const;
    const file = importStream(createReadStream(path, { highWaterMark: 2 ** 20 }), options);
    work.push(
      file.catch((error: unknown) => log.error({ path, error: describeError(error) }, 'file was not read')),
    );
  }
  const facts = { url: admin.url, epoch: eventLog.epoch.toString() };
  if (!playsDemo(config)) return facts;
  const demo = demoOptions(config, eventLog.partitions, appender('demo'), log);
  const state = await openDemo(demo);
  work.push(
    playDemo(state, demo, signal).catch((error: unknown) =>
      log.error({ error: describeError(error) }, 'demo stopped'),
    ),
  );
  const { nodes, incident } = describeDemo(state, demo);
  return { ...facts, demoNodes: nodes, demoIncident: incident };
});

function demoOptions(
  { source, data, demo }: Config,
  partitions: number,
  append: DemoOptions['append'],
  log: Log,
): DemoOptions {
  return {
    tenant: source.tenant,
    cluster: source.cluster,
    partitions,
    append,
    clock: systemClock,
    log,
    stateFile: join(data.dir, 'run', 'demo.json'),
    historyMs: demo.history,
    callsPerSecond: demo.callsPerSecond,
  };
}

/** Beside the embedded log; with Kafka in the data directory itself, one for each ingestor. */
function manifestPath({ data, log }: Config): string {
  return log.kind === 'kafka'
    ? join(data.dir, 'imports.manifest')
    : join(data.dir, 'log', 'imports.manifest');
}

function playsDemo(config: Config): boolean {
  return config.demo.enabled === 'true' || (config.demo.enabled === 'auto' && !hasSource(config));
}
