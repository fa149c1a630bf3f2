import { describe, expect, it } from 'vitest';
import { diagnose } from './checks.js';
import type { DoctorFacts, StoreFacts } from './facts.js';

const STORE: StoreFacts = {
  version: '26.7.2.1',
  clockSkewMs: 12,
  schema: 10,
  knownSchema: 10,
  dedupWindows: { flows: 1000, red_1m: 1000 },
  views: ['red_1m_mv', 'red_1h_mv', 'red_edges_1h_mv', 'edges_1m_mv', 'edges_1h_mv', 'drops_1m_mv'],
  rawTtlDays: 14,
  highestPartition: { '42': 3 },
  pinnedSettings: [],
  readerMayWrite: false,
};
const LOG: NonNullable<DoctorFacts['log']> = { epoch: 42n, partitions: 4, lagMs: 0, topic: [] };
const SOUND: DoctorFacts & { readonly store: StoreFacts } = {
  node: '20.20.2',
  config: {
    durability: 'disk',
    fullPolicy: 'refuse',
    minFree: 512 * 2 ** 20,
    retentionAgeMs: 7 * 86_400_000,
    rawDays: 14,
    partitions: 4,
    host: '127.0.0.1',
    insecure: false,
    hasToken: false,
  },
  host: { openFiles: 1_048_576, freeBytes: 50 * 2 ** 30, fileSystem: 0xef53 },
  log: LOG,
  store: STORE,
};
const config = (part: Partial<DoctorFacts['config']>): DoctorFacts => ({
  ...SOUND,
  config: { ...SOUND.config, ...part },
});
const host = (part: Partial<DoctorFacts['host']>): DoctorFacts => ({
  ...SOUND,
  host: { ...SOUND.host, ...part },
});
const store = (part: Partial<StoreFacts>): DoctorFacts => ({ ...SOUND, store: { ...STORE, ...part } });

/** Each unsafe setting, what doctor calls it, and the promise it breaks. */
const UNSAFE: readonly (readonly [string, DoctorFacts, 'warn' | 'unsafe', string, string])[] = [
  ['an old Node.js', { ...SOUND, node: '20.18.9' }, 'unsafe', 'node', 'operation'],
  ['few open files', host({ openFiles: 1024 }), 'warn', 'open files', 'P7'],
  ['data in memory', host({ fileSystem: 0x01021994 }), 'unsafe', 'file system', 'P1'],
  ['data on NFS', host({ fileSystem: 0x6969 }), 'warn', 'file system', 'P1'],
  ['a disk that is nearly full', host({ freeBytes: 2 ** 29 }), 'warn', 'free space', 'P19'],
  ['an open port without a token', config({ host: '0.0.0.0' }), 'unsafe', 'binding', 'security'],
  ['no sync before acknowledging', config({ durability: 'process' }), 'warn', 'durability', 'P1'],
  ['a log that drops what is not loaded', config({ fullPolicy: 'drop_oldest' }), 'warn', 'full log', 'P19'],
  ['a log that cannot be read', { ...SOUND, log: undefined }, 'unsafe', 'log', 'P1'],
  [
    'a loader further behind than the log keeps',
    { ...config({ retentionAgeMs: 7_200_000 }), log: { ...LOG, lagMs: 5_400_000 } },
    'unsafe',
    'log retention',
    'P4',
  ],
  [
    'a topic with one replica',
    {
      ...SOUND,
      log: {
        ...LOG,
        topic: [
          {
            setting: 'replication factor',
            found: '1',
            wanted: 'at least 3',
            breaks: 'losing brokers loses events',
          },
        ],
      },
    },
    'unsafe',
    'topic replication factor',
    'P1',
  ],
  ['another number of partitions', config({ partitions: 8 }), 'warn', 'partitions', 'P2'],
  ['a store that does not answer', { ...SOUND, store: undefined }, 'unsafe', 'store', 'P13'],
  ['an old ClickHouse', store({ version: '23.8.1.1' }), 'unsafe', 'store version', 'P2'],
  ['tables of an older program', store({ schema: 9 }), 'warn', 'schema', 'P18'],
  ['tables of a newer program', store({ schema: 11 }), 'unsafe', 'schema', 'P18'],
  ['a deduplication window of 0', store({ dedupWindows: { flows: 0 } }), 'warn', 'insert tokens', 'P2'],
  ['a view that is gone', store({ views: STORE.views.slice(1) }), 'unsafe', 'views', 'P3'],
  ['another TTL than configured', store({ rawTtlDays: 30 }), 'warn', 'raw retention', 'P3'],
  ['no TTL at all', store({ rawTtlDays: undefined }), 'warn', 'raw retention', 'P3'],
  ['clocks a minute apart', store({ clockSkewMs: -60_000 }), 'warn', 'clocks', 'P20'],
  [
    'rows of partitions the log lacks',
    store({ highestPartition: { '42': 4 } }),
    'unsafe',
    'rows and partitions',
    'P2',
  ],
  ['pinned insert settings', store({ pinnedSettings: ['async_insert'] }), 'unsafe', 'insert settings', 'P2'],
  ['a reading user that may write', store({ readerMayWrite: true }), 'unsafe', 'reading user', 'security'],
];

describe('doctor', () => {
  it('finds nothing in a sound installation', () => {
    const levels = diagnose(SOUND).map(({ check, level }) => [check, level]);
    expect(levels.filter(([, level]) => level !== 'ok')).toEqual([]);
    expect(levels.length).toBeGreaterThan(15);
  });

  it.each(UNSAFE)('names the promise that %s breaks, and the remedy', (_, facts, level, check, promise) => {
    const found = diagnose(facts).filter((finding) => finding.level !== 'ok');
    expect(found.map((finding) => finding.check)).toEqual([check]);
    expect(found[0]).toMatchObject({ level, promise, remedy: expect.stringMatching(/\w{3}/) as string });
  });

  it('takes any number of partitions where none is asked for', () => {
    const facts = { ...config({ partitions: 0 }), log: { ...LOG, partitions: 7 } };
    expect(diagnose(facts).find(({ check }) => check === 'partitions')).toMatchObject({
      level: 'ok',
      text: '7',
    });
  });

  it('is content with an open port when a token is asked for', () => {
    const findings = diagnose(config({ host: '0.0.0.0', hasToken: true }));
    expect(findings.every(({ level }) => level === 'ok')).toBe(true);
  });

  it('says nothing about a loader that is within the hour', () => {
    const facts = {
      ...config({ retentionAgeMs: 7_200_000 }),
      log: { ...LOG, lagMs: 3_000_000 },
    };
    expect(diagnose(facts).every(({ level }) => level === 'ok')).toBe(true);
  });
});
