import type { DoctorFacts, Finding, StoreFacts, TopicSetting } from './facts.js';

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;
const MIN_NODE = [20, 19] as const;
const MIN_OPEN_FILES = 4096;
const MAX_SKEW_MS = 5_000;
/** Blocks of one table within three session timeouts at 16 partitions and one insert a second each. */
const MIN_DEDUP_BLOCKS = 100;
/** statfs types whose contents do not survive, or whose fsync and locks are not a local disk's. */
const VOLATILE: Readonly<Record<number, string>> = { 0x01021994: 'tmpfs', 0x858458f6: 'ramfs' };
const REMOTE: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0x65735546: 'FUSE',
};
const VIEWS = ['red_1m_mv', 'red_1h_mv', 'red_edges_1h_mv', 'edges_1m_mv', 'edges_1h_mv', 'drops_1m_mv'];
const SUPPORTED_STORE = [24, 8] as const;

type Check = (facts: DoctorFacts) => Finding;

const ok = (check: string, promise: string, text: string): Finding => ({ check, level: 'ok', promise, text });
const bad = (
  level: 'warn' | 'unsafe',
  check: string,
  promise: string,
  text: string,
  remedy: string,
): Finding => ({ check, level, promise, text, remedy });

/** Everything doctor knows to be wrong or right about these facts, one finding a check. Pure. */
export function diagnose(facts: DoctorFacts): readonly Finding[] {
  const about = facts.store;
  return [
    ...[...HOST_CHECKS, ...LOG_CHECKS].map((check) => check(facts)),
    ...(facts.log?.topic ?? []).map(topicFinding),
    ...(about === undefined
      ? [bad('unsafe', 'store', 'P13', 'the store does not answer', 'start it, or mend store.url')]
      : STORE_CHECKS.map((check) => check(about, facts))),
  ];
}

/** Promises that settings of a topic keep; the others are about what is durable. */
const TOPIC_PROMISES: Readonly<Record<string, string>> = {
  'retention.ms': 'P4',
  'message.timestamp.type': 'P20',
  'max.message.bytes': 'P7',
};

function topicFinding({ setting, found, wanted, breaks }: TopicSetting): Finding {
  const promise = TOPIC_PROMISES[setting] ?? 'P1';
  return bad('unsafe', `topic ${setting}`, promise, `${found}: ${breaks}`, `set it to ${wanted}`);
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.replace(/^v/, '').split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

const HOST_CHECKS: readonly Check[] = [
  ({ node }) =>
    atLeast(node, MIN_NODE)
      ? ok('node', 'operation', `Node.js ${node}`)
      : bad('unsafe', 'node', 'operation', `Node.js ${node} is not supported`, 'use 20.19 or newer'),
  ({ host: { openFiles } }) =>
    openFiles === undefined || openFiles >= MIN_OPEN_FILES
      ? ok('open files', 'P7', `${openFiles ?? 'unknown'} allowed`)
      : bad('warn', 'open files', 'P7', `only ${openFiles} allowed`, `ulimit -n ${MIN_OPEN_FILES} or more`),
  ({ host: { fileSystem = 0 } }) => {
    const volatile = VOLATILE[fileSystem];
    const remote = REMOTE[fileSystem];
    if (volatile !== undefined)
      return bad(
        'unsafe',
        'file system',
        'P1',
        `the data lies in memory (${volatile})`,
        'set data.dir to a disk',
      );
    if (remote !== undefined)
      return bad(
        'warn',
        'file system',
        'P1',
        `the data lies on ${remote}`,
        'use a local disk: locks and fsync are its',
      );
    return ok('file system', 'P1', 'a local disk');
  },
  ({ host: { freeBytes }, config: { minFree } }) => {
    if (freeBytes === undefined) return ok('free space', 'P19', 'unknown');
    const text = `${(freeBytes / GIB).toFixed(1)} GiB free`;
    return freeBytes >= 2 * minFree
      ? ok('free space', 'P19', text)
      : bad(
          'warn',
          'free space',
          'P19',
          `${text}; intake stops below log.minFree`,
          'free space or shorten retention',
        );
  },
  ({ config: { host, insecure, hasToken } }) => {
    const loopback = ['127.0.0.1', '::1', 'localhost'].includes(host);
    return loopback || hasToken
      ? ok('binding', 'security', loopback ? 'loopback only' : 'a token is asked for')
      : bad(
          'unsafe',
          'binding',
          'security',
          `${host} is open to all${insecure ? ' (insecure)' : ''}`,
          'set api.token',
        );
  },
];

const LOG_CHECKS: readonly Check[] = [
  ({ config: { durability } }) =>
    durability === 'disk'
      ? ok('durability', 'P1', 'synced before it is acknowledged')
      : bad('warn', 'durability', 'P1', 'a power cut loses acknowledged events', 'log.durability: disk'),
  ({ config: { fullPolicy } }) =>
    fullPolicy === 'refuse'
      ? ok('full log', 'P19', 'refuses, and sources wait')
      : bad(
          'warn',
          'full log',
          'P19',
          'the oldest records are dropped, loaded or not',
          'log.fullPolicy: refuse',
        ),
  ({ log, config: { retentionAgeMs } }) => {
    if (log === undefined)
      return bad(
        'unsafe',
        'log',
        'P1',
        'the event log cannot be read',
        'start the ingestor, or mend its settings',
      );
    return retentionAgeMs >= log.lagMs + HOUR_MS
      ? ok(
          'log retention',
          'P4',
          `an hour or more beyond the loader, which is ${Math.round(log.lagMs / 1000)} s behind`,
        )
      : bad(
          'unsafe',
          'log retention',
          'P4',
          'the log may forget what is not loaded',
          'raise log.retentionAge or add workers',
        );
  },
  ({ log, config: { partitions } }) =>
    log === undefined || partitions === 0 || log.partitions === partitions
      ? ok('partitions', 'P2', log === undefined ? 'not known' : String(log.partitions))
      : bad(
          'warn',
          'partitions',
          'P2',
          `the log has ${log.partitions}, log.partitions says ${partitions}`,
          'they are fixed when the log is made; set log.partitions to that number, or to 0',
        ),
];

type StoreCheck = (store: StoreFacts, facts: DoctorFacts) => Finding;

const STORE_CHECKS: readonly StoreCheck[] = [
  ({ version }) =>
    atLeast(version, SUPPORTED_STORE)
      ? ok('store version', 'P2', version)
      : bad(
          'unsafe',
          'store version',
          'P2',
          `ClickHouse ${version} is older than ${SUPPORTED_STORE.join('.')}`,
          'upgrade it',
        ),
  ({ schema, knownSchema }) =>
    schema === knownSchema
      ? ok('schema', 'P18', `version ${schema}`)
      : bad(
          schema > knownSchema ? 'unsafe' : 'warn',
          'schema',
          'P18',
          `version ${schema}, this program knows ${knownSchema}`,
          schema > knownSchema ? 'use the newer program' : '`flowledger migrate`',
        ),
  ({ dedupWindows }) => {
    const short = Object.entries(dedupWindows).filter(([, blocks]) => blocks < MIN_DEDUP_BLOCKS);
    const names = short.map(([table, blocks]) => `${table} ${blocks}`).join(', ');
    return short.length === 0
      ? ok('insert tokens', 'P2', `remembered for ${MIN_DEDUP_BLOCKS} blocks or more`)
      : bad(
          'warn',
          'insert tokens',
          'P2',
          `remembered too shortly: ${names}`,
          'non_replicated_deduplication_window or replicated_deduplication_window = 1000',
        );
  },
  ({ views }) => {
    const missing = VIEWS.filter((view) => !views.includes(view));
    return missing.length === 0
      ? ok('views', 'P3', 'all rollups are fed')
      : bad(
          'unsafe',
          'views',
          'P3',
          `missing: ${missing.join(', ')}`,
          'restore them by `flowledger migrate` into a new database and `replay --swap`',
        );
  },
  ({ rawTtlDays }, { config: { rawDays } }) =>
    rawTtlDays === rawDays
      ? ok('raw retention', 'P3', `${rawDays} days`)
      : bad(
          'warn',
          'raw retention',
          'P3',
          `the table keeps ${rawTtlDays ?? 'everything'}, retention.rawDays says ${rawDays}`,
          'ALTER TABLE flows MODIFY TTL, or set retention.rawDays',
        ),
  ({ clockSkewMs }) =>
    Math.abs(clockSkewMs) <= MAX_SKEW_MS
      ? ok('clocks', 'P20', `${Math.round(clockSkewMs)} ms apart`)
      : bad(
          'warn',
          'clocks',
          'P20',
          `the store's clock is ${Math.round(clockSkewMs / 1000)} s off`,
          'run NTP on both machines',
        ),
  ({ highestPartition }, { log }) => {
    const highest = log === undefined ? undefined : highestPartition[log.epoch.toString()];
    return highest === undefined || log === undefined || highest < log.partitions
      ? ok('rows and partitions', 'P2', 'rows lie in partitions the log has')
      : bad(
          'unsafe',
          'rows and partitions',
          'P2',
          `rows of partition ${highest}, the log has ${log.partitions}`,
          'another log writes into these tables: give each its own database',
        );
  },
  ({ pinnedSettings }) =>
    pinnedSettings.length === 0
      ? ok('insert settings', 'P2', 'the loader may choose its own')
      : bad(
          'unsafe',
          'insert settings',
          'P2',
          `the server pins ${pinnedSettings.join(', ')}`,
          'lift the constraint for the writing user',
        ),
  ({ readerMayWrite }) =>
    readerMayWrite !== true
      ? ok('reading user', 'security', readerMayWrite === false ? 'cannot write' : 'not asked')
      : bad(
          'unsafe',
          'reading user',
          'security',
          'it may write or leave the database',
          'GRANT SELECT only, readonly = 1 or 2',
        ),
];
