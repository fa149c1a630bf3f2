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
    costPerSecond: whole(
      1_000_000,
      0,
      1_000_000_000,
      'Cost (`extensions.cost.requested`) that one caller may ask for in a second, ten times that at once; 0 = no limit',
    ),
    introspection: choice(
      ['auto', 'on', 'off'],
      'auto',
      'Questions about the schema; `auto` allows them to whoever carries the token, and on loopback',
    ),
    persistedQueries: choice(
      ['automatic', 'prepared', 'off'],
      'automatic',
      'Operations named by the SHA-256 of their document; `prepared` answers those of `api.preparedQueries` only',
    ),
    preparedQueries: text('', 'JSON file of prepared documents: a list, or an object by SHA-256'),
  }),
  admin: z.strictObject({
    host: text('127.0.0.1', 'Address of the health, metrics and intake listener of ingestor and worker'),
    port: whole(0, 0, 65535, 'Port of that listener; 0 picks a free one; a group on one machine ignores it'),
    token: secret('Bearer token of that listener, asked for by everything but /healthz and /readyz'),
    insecure: toggle(false, 'Allow that listener beyond loopback without a token'),
  }),
  ingestor: z.strictObject({
    url: text('', 'Where the api passes uploads on to; empty: the ingestor of the same group'),
  }),
  observer: z.strictObject({
    enabled: toggle(true, "Serve Hubble's Observer API, for the hubble CLI and the Hubble UI"),
    host: text(
      '127.0.0.1',
      'Address to listen on; anything but loopback needs credentials or `observer.insecure`',
    ),
    port: whole(4245, 0, 65535, 'Port of the Observer API; where it is taken, a free one is used and named'),
    tlsCert: text('', 'PEM file of the certificate; empty serves plain text'),
    tlsKey: text('', 'PEM file of its private key'),
    tlsClientCa: text(
      '',
      'PEM file of the authority that client certificates must be from; empty asks for none',
    ),
    token: secret('Bearer token that calls must carry; needs TLS'),
    username: text('', 'User name of basic auth; needs TLS'),
    password: secret('Password of basic auth'),
    insecure: toggle(false, 'Allow listening beyond loopback without credentials'),
    matchInferred: toggle(false, 'Filters on services and workloads also match inferred ones'),
    followBuffer: size(
      '16MiB',
      '64KiB',
      '1GiB',
      'Bytes that may wait for a client that follows and reads slowly',
    ),
  }),
  log: z.strictObject({
    kind: choice(['embedded', 'kafka'], 'embedded', 'Where the event log is kept'),
    brokers: list('Kafka brokers to begin with, host:port'),
    topic: text('flowledger.envelopes.v1', 'Kafka topic of the log; its counts are in `<topic>.counts`'),
    replicationFactor: whole(3, 1, 32, 'Replicas of a Kafka topic that is created'),
    minInSyncReplicas: whole(2, 1, 32, 'Replicas that must have a record before it is acknowledged'),
    strict: toggle(false, 'Refuse a Kafka topic that breaks a promise, instead of warning'),
    compression: choice(['lz4', 'zstd'], 'lz4', 'Compression in Kafka; zstd needs Node.js 22.15'),
    sessionTimeout: duration(
      '10s',
      '1s',
      '30m',
      'Silence after which Kafka gives the partitions of a worker away',
    ),
    tls: toggle(false, 'Speak TLS with the Kafka brokers'),
    tlsCa: text('', 'PEM file of the certificates that sign the brokers’; empty: those of the system'),
    tlsCert: text('', 'PEM file of our own certificate, for mutual TLS'),
    tlsKey: text('', 'PEM file of its key'),
    tlsServerName: text('', 'Name that the brokers’ certificates carry, where it is not their host name'),
    saslMechanism: choice(
      ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
      'none',
      'How we prove to the Kafka brokers who we are',
    ),
    saslUsername: text('', 'User name for that'),
    saslPassword: secret('Password for that'),
    partitions: whole(
      0,
      0,
      256,
      'Partitions of the event log, fixed when it is created; 0: two when embedded, four in Kafka, and an existing log keeps its own',
    ),
    retentionSize: size('10GiB', '64MiB', '1024TiB', 'Bytes the log may keep'),
    retentionAge: duration('7d', '1h', '3650d', 'How long the log keeps records'),
    segmentSize: size('64MiB', '1MiB', '4GiB', 'Bytes of one segment file'),
    archive: text(
      '',
      'Directory that segments are copied to before retention removes them, for replays; empty: they are gone',
    ),
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
    maxRows: whole(100_000, 100, 1_000_000, 'Rows of one insert, at most'),
    maxAge: duration('1s', '50ms', '1m', 'Longest time a record waits for its batch to fill'),
  }),
  source: z.strictObject({
    hubbleFiles: list('Hubble export files to read once at start', { flag: 'hubble-file' }),
    followFiles: list('Hubble export files to follow, with `*` and `?`: rotated and compressed ones too', {
      flag: 'follow-file',
    }),
    hubbleRelay: list('Hubble Relay addresses (host:port) to read all flows from, live', {
      flag: 'hubble-relay',
    }),
    relayMode: choice(
      ['relay', 'peers'],
      'relay',
      '`relay`: one stream of all nodes; `peers`: the addresses are hubble-peer services, each agent gets its own stream',
    ),
    relayTls: toggle(false, 'Speak TLS with the relay, or with peer service and agents'),
    relayTlsCa: text(
      '',
      'PEM file of the authorities that sign their certificates; empty: those of the system',
    ),
    relayTlsCert: text('', 'PEM file of our own certificate, where they ask for one (mTLS)'),
    relayTlsKey: text('', 'PEM file of its key'),
    relayTlsServerName: text(
      '',
      'Name that the certificate must carry; empty: the host name, in `peers` mode Cilium’s names',
    ),
    relayReopen: duration('10m', '10s', '24h', 'A stream is opened anew after this long'),
    relayIdle: duration(
      '30s',
      '1s',
      '10m',
      'How often the counts of the nodes are compared with what arrived; a silent node is read anew',
    ),
    samplingPolicy: text(
      '',
      'YAML file that says which flows of relays and followed files are taken in, and how many; empty: all',
    ),
    relayBuffer: size(
      '32MiB',
      '1MiB',
      '4GiB',
      'Bytes that may wait for the log, for each address and for all files; then reading pauses',
    ),
    tenant: text('default', 'Tenant of everything these sources send'),
    cluster: text('default', 'Cluster of flows whose node name carries none'),
  }),
  live: z.strictObject({
    buffer: size('8MiB', '16KiB', '1GiB', 'Bytes of live flows that may wait for one slow subscriber'),
    recent: size(
      '16MiB',
      '1MiB',
      '4GiB',
      'Bytes of decoded records that the live tail keeps for each partition',
    ),
    subscriptions: whole(5_000, 1, 1_000_000, 'Subscriptions that may be open at once'),
    perConnection: whole(20, 1, 1_000, 'Subscriptions that one WebSocket may hold'),
  }),
  retention: z.strictObject({
    rawDays: whole(14, 1, 3650, 'Days that single flows are kept'),
    rollupDays: whole(90, 1, 3650, 'Days that one-minute rollups and events are kept'),
    hourDays: whole(400, 1, 3650, 'Days that one-hour rollups are kept'),
    rawSize: size('0B', '0B', '1024TiB', 'Bytes that single flows and events may take; 0B is no limit'),
    rollupSize: size('0B', '0B', '1024TiB', 'Bytes that one-minute rollups may take; 0B is no limit'),
    minFree: size(
      '1GiB',
      '0B',
      '64TiB',
      'Free bytes on the disk of the tables below which the oldest days go; 0B never',
    ),
  }),
  hubbleMetrics: z.strictObject({
    enabled: list(
      'Hubble metrics to serve for Prometheus, in the syntax of Hubble: `drop:sourceContext=pod;destinationContext=pod`; empty serves none',
    ),
    configFile: text(
      '',
      'YAML file of Hubble metrics with contexts and filters (Hubble’s dynamic configuration), read again when it changes; in place of `hubbleMetrics.enabled`',
    ),
    host: text(
      '127.0.0.1',
      'Address of the Hubble metrics; anything but loopback needs `hubbleMetrics.insecure`',
    ),
    port: whole(9965, 0, 65535, 'Port of the Hubble metrics; 0 picks a free one'),
    insecure: toggle(false, 'Allow the Hubble metrics, which ask for no token, beyond loopback'),
    correct: toggle(false, 'Leave out what Hubble counts twice or as zero; off shows the numbers of Hubble'),
    maxSeries: whole(10_000, 10, 10_000_000, 'Series of one family; names beyond it are counted together'),
    idle: duration('1h', '1m', '30d', 'How long a series stays that nothing is counted in'),
  }),
  policy: z.strictObject({
    files: list('Files and directories of policy objects (YAML, JSON) for explanations, drafts and reports', {
      flag: 'policy-file',
    }),
    kubernetes: choice(
      ['off', 'in-cluster', 'kubeconfig'],
      'off',
      'Follow policy objects in Kubernetes: with the service account of this pod, or with `policy.kubeconfig`',
    ),
    kubeconfig: text('', 'kubeconfig file; its current context, with a token or a client certificate'),
    kubernetesCluster: text(
      '',
      'Cluster of flows that the objects in Kubernetes are about; empty: every cluster',
    ),
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
