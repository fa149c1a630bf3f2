import { z } from 'zod';
import { choice, duration, list, secret, size, text, toggle, whole } from './settings.js';

/**
 * Every setting there is. A key has one path: YAML `section.key`, flag `--section-key`, environment
 * `FLOWLEDGER_SECTION_KEY`. Unknown keys are refused everywhere. docs/reference/configuration.md is generated from here.
 */
export const configSchema = z.strictObject({
  data: z.strictObject({
    dir: text('.flowledger', 'Directory of the embedded log and store', { flag: 'data-dir' }),
  }),
  api: z.strictObject({
    host: text('127.0.0.1', 'Address to listen on; anything but loopback needs a token or `api.insecure`', {
      flag: 'host',
    }),
    port: whole(7117, 0, 65535, 'Port of GraphQL, the start page and intake; 0 picks a free one', {
      flag: 'port',
    }),
    token: secret('Bearer token that every request must carry; empty asks for none (loopback only)'),
    insecure: toggle(false, 'Allow listening beyond loopback without a token', { flag: 'insecure' }),
    allowedHosts: list('Host names accepted in Host and Origin headers beside localhost'),
    maxConcurrentQueries: whole(8, 1, 256, 'Store queries that may run at once for all requests'),
    queryTimeout: duration('15s', '100ms', '10m', 'Longest time one store query may take'),
  }),
  log: z.strictObject({
    partitions: whole(4, 1, 256, 'Partitions of the event log; fixed when the log is created'),
    retentionSize: size('10GiB', '64MiB', '1024TiB', 'Bytes the log may keep'),
    retentionAge: duration('7d', '1h', '3650d', 'How long the log keeps records'),
    segmentSize: size('64MiB', '1MiB', '4GiB', 'Bytes of one segment file'),
    fullPolicy: choice(
      ['refuse', 'drop_oldest'],
      'refuse',
      'What to do when the log may not grow and nothing may be removed',
    ),
    minFree: size('512MiB', '0B', '1TiB', 'Free disk space below which the log takes nothing'),
    durability: choice(
      ['disk', 'process'],
      'disk',
      '`disk` syncs before acknowledging; `process` survives kill -9 but not a power cut',
    ),
  }),
  store: z.strictObject({
    url: text('', 'ClickHouse HTTP address; empty starts the embedded engine'),
    user: text('writer', 'User that writes and migrates'),
    password: secret('Password of that user'),
    readUser: text('reader', 'User that answers queries; read-only'),
    readPassword: secret('Password of the reading user'),
    database: text('flowledger', 'Database that holds all tables'),
    cluster: text('', 'ClickHouse cluster name for ON CLUSTER and Replicated engines; empty for one node'),
    port: whole(0, 0, 65535, 'Port of the embedded engine; 0 picks a free one'),
    memory: size('2GiB', '512MiB', '1TiB', 'Memory cap of the embedded engine'),
    concurrency: whole(8, 1, 64, 'Queries the embedded engine runs at once'),
  }),
  sink: z.strictObject({
    maxRows: whole(50_000, 100, 1_000_000, 'Rows of one insert'),
    maxAge: duration('1s', '50ms', '1m', 'Longest time a record waits for its batch to fill'),
  }),
  source: z.strictObject({
    hubbleFiles: list('Hubble export files to read once at start', { flag: 'hubble-file' }),
    tenant: text('default', 'Tenant of everything these sources send'),
    cluster: text('default', 'Cluster of flows whose node name carries none'),
  }),
  retention: z.strictObject({
    rawDays: whole(14, 1, 3650, 'Days that single flows are kept'),
    rollupDays: whole(90, 1, 3650, 'Days that one-minute rollups and events are kept'),
    hourDays: whole(400, 1, 3650, 'Days that one-hour rollups are kept'),
  }),
  demo: z.strictObject({
    enabled: choice(
      ['auto', 'true', 'false'],
      'auto',
      'Demo cluster; `auto` plays it when no source is configured',
      { offFlag: 'no-demo' },
    ),
    history: duration('24h', '1m', '14d', 'How far back the demo begins'),
    callsPerSecond: whole(1, 1, 1000, 'Calls a second of the demo cluster; each makes several flows'),
  }),
  diagnostics: z.strictObject({
    level: choice(
      ['debug', 'info', 'warn', 'error'],
      'warn',
      'Least severe line that is logged to standard error',
    ),
  }),
});

/** The effective configuration: all values present, in base units (ms, bytes). */
export type Config = z.output<typeof configSchema>;
