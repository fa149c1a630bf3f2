import { mkdtemp, rm, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEnvelope } from '@flowledger/model';
import type { AppendRecord, LogPosition } from '@flowledger/event-log';
import { importStream, type ImportOptions } from './import.js';
import { ImportManifest } from './manifest.js';
import { Packer, partitionOf } from './packer.js';

const line = (node: string, i: number): string =>
  `{"flow":{"uuid":"${i}"},"node_name":"${node}","time":"2026-01-01T00:00:00.${String(i % 1000).padStart(3, '0')}Z"}`;
const file = (count: number): string =>
  Array.from({ length: count }, (_, i) => line(`n${i % 3}`, i)).join('\n');

const fileStream = (count: number): Readable => Readable.from([Buffer.from(file(count))]);

let directory: string;
let log: AppendRecord[];
let manifest: ImportManifest;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-import-'));
  log = [];
  manifest = await ImportManifest.open(join(directory, 'm'), 1000);
});
afterEach(async () => {
  await manifest.close();
  await rm(directory, { recursive: true });
});

const append = async (records: readonly AppendRecord[]): Promise<LogPosition[]> =>
  records.map((record) => {
    log.push(record);
    return {
      partition: record.partition,
      offset: BigInt(log.filter((r) => r.partition === record.partition).length - 1),
    };
  });
const options = (now = 0): ImportOptions => ({
  tenant: 't',
  cluster: 'c',
  source: 'import',
  partitions: 4,
  append,
  manifest,
  now: () => now,
});

describe('importing a file', () => {
  it('appends every line once, in order within its node, cut at 1,000 events', async () => {
    const outcome = await importStream(fileStream(7000), options());
    expect(outcome).toMatchObject({ read: 7000, appended: 7000, duplicate: 0, rejected: {} });
    const texts = new Map<string, string[]>();
    for (const record of log) {
      const envelope = decodeEnvelope(record.value);
      if (!envelope.ok) throw new Error(envelope.reason);
      const { header, events } = envelope.value;
      expect(record.events).toBe(events.length);
      expect(events.length).toBeLessThanOrEqual(1000);
      expect(record.partition).toBe(partitionOf('t', 'c', header.stream, 4));
      const list = texts.get(header.stream) ?? [];
      texts.set(header.stream, [...list, ...events.map((e) => Buffer.from(e).toString())]);
    }
    for (const [node, lines] of texts)
      expect(lines.join('\n')).toBe(
        file(7000)
          .split('\n')
          .filter((l) => l.includes(`"${node}"`))
          .join('\n'),
      );
    expect(outcome.ranges.reduce((n, r) => n + Number(r.to - r.from) + 1, 0)).toBe(log.length);
  });

  it('appends nothing when the same file comes again, also after a restart', async () => {
    await importStream(fileStream(2500), options());
    const before = log.length;
    await manifest.close();
    await appendFile(join(directory, 'm'), 'torn');
    manifest = await ImportManifest.open(join(directory, 'm'), 1000);
    expect(await importStream(fileStream(2500), options())).toMatchObject({
      read: 2500,
      appended: 0,
      duplicate: 2500,
      ranges: [],
    });
    expect(log.length).toBe(before);
  });

  it('appends only the new chunks of a file that grew', async () => {
    await importStream(fileStream(6000), options());
    const outcome = await importStream(fileStream(6600), options());
    expect(outcome).toMatchObject({ appended: 600, duplicate: 6000 });
  });

  it('forgets chunks whose rows have expired', async () => {
    await importStream(fileStream(10), options(0));
    expect((await importStream(fileStream(10), options(1001))).appended).toBe(10);
  });

  it('does not note a chunk whose append failed', async () => {
    const failing = { ...options(), append: () => Promise.reject(new Error('full')) };
    await expect(importStream(fileStream(10), failing)).rejects.toThrow('full');
    expect((await importStream(fileStream(10), options())).appended).toBe(10);
  });

  it('counts a damaged gzip file as rejected and keeps what could be read', async () => {
    const outcome = await importStream(Readable.from([Buffer.from([0x1f, 0x8b, 8, 0])]), options());
    expect(outcome).toMatchObject({ read: 0, rejected: { gz_corrupt: 1 } });
  });
});

describe('packing', () => {
  it('closes an envelope at the byte limit and on flush', () => {
    const packer = new Packer({ ...options(), codec: 'hubble.export_json', maxBytes: 100 });
    expect(packer.add('n', Buffer.alloc(60), undefined)).toBeUndefined();
    expect(packer.add('n', Buffer.alloc(60), 5n)?.record.events).toBe(2);
    expect(packer.flush()).toEqual([]);
    packer.add('m', Buffer.alloc(1), undefined);
    expect(packer.flush(-1)).toEqual([]);
    expect(packer.flush().map((p) => p.stream)).toEqual(['m']);
  });

  it('never moves a stream to another partition', () => {
    expect(partitionOf('default', 'default', 'n', 4)).toBe(PINNED);
  });
});

/** Pinned by hand from the FNV-1a definition: a change of the formula would move streams. */
const PINNED = 1;
