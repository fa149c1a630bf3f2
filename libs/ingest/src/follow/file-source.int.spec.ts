import {
  appendFile,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Simulation, toJsonLine, type SimulatedEvent } from '@flowledger/simulator';
import { SourceRig, until, uuidsOf } from '../testing/source-rig.js';

const FROM = 1_790_000_000_000_000_000n;

const events = ((): SimulatedEvent[] => {
  const to = FROM + 20_000_000_000n;
  const simulation = new Simulation({
    seed: 11,
    from: FROM,
    to,
    nodes: 2,
    callsPerSecond: 10,
    scenario: 'test',
  });
  return [...simulation.events()].filter((event) => event.kind === 'flow').slice(0, 400);
})();
const lines = events.map((event) => `${toJsonLine(event)}\n`);
const text = (from: number, to?: number): string => lines.slice(from, to).join('');

let rig: SourceRig;
let folder: string;

beforeEach(async () => {
  rig = await SourceRig.open();
  folder = join(rig.directory, 'exports');
  await mkdir(folder);
});

afterEach(() => rig.close());

const at = (name: string): string => join(folder, name);
const flowsInLog = async (): Promise<number> => (await rig.content()).uuids.length;
const come = (count: number): Promise<void> =>
  until(`${count} flows came`, async () => (await flowsInLog()) >= count);

/** All flows are in the log, would be stored once, and no line was read twice. */
async function expectOnce(count = events.length): Promise<void> {
  const content = await rig.content();
  expect(content.uuids).toEqual(uuidsOf(events.slice(0, count)));
  expect(content.flows).toBe(count);
  expect(content.duplicates).toBe(0);
  expect(content.dead).toBe(0);
}

const metric = async (event: string): Promise<number> => {
  const found = new RegExp(`flowledger_ingest_files_total\\{event="${event}"\\} (\\d+)`).exec(
    await rig.metrics.text(),
  );
  return Number(found?.[1] ?? 0);
};

describe('a followed file', () => {
  it('is read as it grows; a last line waits for its end', async () => {
    await writeFile(at('events.log'), text(0, 100));
    rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(100);
    const [first, second] = [lines[100]?.slice(0, 50) ?? '', lines[100]?.slice(50) ?? ''];
    await appendFile(at('events.log'), first);
    await appendFile(at('events.log'), second + text(101));
    await come(400);
    await expectOnce();
    expect((await rig.content()).headers.every(({ source }) => source === 'hubble-file')).toBe(true);
  });

  it('goes on after a restart where the log ended, also in the middle of a line', async () => {
    await writeFile(at('events.log'), text(0, 150) + (lines[150]?.slice(0, 30) ?? ''));
    const stop = rig.run(rig.files({ patterns: [at('*.log')] }));
    await come(150);
    await stop();
    await appendFile(at('events.log'), (lines[150]?.slice(30) ?? '') + text(151));
    rig.run(rig.files({ patterns: [at('*.log')] }));
    await come(400);
    await expectOnce();
  });

  it('may be rotated by renaming: what its writer still adds is read, and so is the new file', async () => {
    const writer = await open(at('events.log'), 'a');
    await writer.write(text(0, 100));
    rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(100);
    await rename(at('events.log'), at('gone-from-the-pattern'));
    await writer.write(text(100, 200));
    await writeFile(at('events.log'), text(200));
    await writer.close();
    await come(400);
    await until('the old one is closed', async () => (await metric('rotated')) === 1);
    await expectOnce();
  });

  it('may be rotated by renaming several times within the pattern', async () => {
    await writeFile(at('events.log'), text(0, 100));
    rig.run(rig.files({ patterns: [at('events*.log')] }));
    await come(100);
    await rename(at('events.log'), at('events-1.log'));
    await writeFile(at('events.log'), text(100, 250));
    await rename(at('events-1.log'), at('events-2.log'));
    await rename(at('events.log'), at('events-1.log'));
    await writeFile(at('events.log'), text(250));
    await come(400);
    await expectOnce();
  });

  it('may be rotated by copying and truncating: the copy gives what was not read yet', async () => {
    await writeFile(at('events.log'), text(0, 100));
    const stop = rig.run(rig.files({ patterns: [at('events.log*')] }));
    await come(100);
    await stop();
    await appendFile(at('events.log'), text(100, 180));
    await copyFile(at('events.log'), at('events.log.1'));
    await truncate(at('events.log'), 0);
    await appendFile(at('events.log'), text(180));
    rig.run(rig.files({ patterns: [at('events.log*')] }));
    await come(400);
    const content = await rig.content();
    expect(content.uuids).toEqual(uuidsOf(events));
    expect(content.flows).toBe(400);
  });

  it('is read anew when it was truncated under our eyes', async () => {
    await writeFile(at('events.log'), text(0, 200));
    rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(200);
    await truncate(at('events.log'), 0);
    await until('that is noticed', async () => (await metric('replaced')) === 1);
    await appendFile(at('events.log'), text(200));
    await come(400);
    await expectOnce();
  });

  it('that was rotated and compressed while nobody followed is finished from its backup', async () => {
    await writeFile(at('events.log'), text(0, 100));
    const stop = rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(100);
    await stop();
    await writeFile(at('events-2026-01-01T00-00-00.log.gz'), gzipSync(text(0, 250)));
    await rm(at('events.log'));
    await writeFile(at('events.log'), text(250));
    rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(400);
    await expectOnce();
    expect(await metric('lost')).toBe(0);
  });

  it('that is gone after a restart is told to be lost', async () => {
    await writeFile(at('events.log'), text(0, 100));
    const stop = rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(100);
    await stop();
    const other = await open(at('keeps-the-inode-busy'), 'w');
    await rename(at('events.log'), at('elsewhere'));
    await writeFile(at('events.log'), text(100));
    await other.close();
    rig.run(rig.files({ patterns: [at('events.log')] }));
    await come(400);
    await expectOnce();
    expect(await metric('lost')).toBe(1);
  });

  it('is read by folders and patterns that come into being later', async () => {
    rig.run(rig.files({ patterns: [join(folder, 'node-*', 'events?.log')] }));
    await mkdir(at('node-a'));
    await mkdir(at('node-b'));
    await writeFile(at('node-a/events1.log'), text(0, 200));
    await writeFile(at('node-b/events2.log'), text(200));
    await writeFile(at('node-b/other.log'), text(0, 10));
    await come(400);
    await expectOnce();
  });
});

describe('a compressed file', () => {
  it('is read once, members one after the other', async () => {
    await writeFile(at('a.log.gz'), Buffer.concat([gzipSync(text(0, 300)), gzipSync(text(300))]));
    const stop = rig.run(rig.files({ patterns: [at('*.gz')] }));
    await come(400);
    await stop();
    rig.run(rig.files({ patterns: [at('*.gz')] }));
    await writeFile(at('b.log.gz'), gzipSync('{"lost_events":{}}\n'));
    await until('a later file is read', async () => (await rig.content()).headers.length > 2);
    await expectOnce();
  });

  it('that is damaged gives its complete lines, once it no longer changes', async () => {
    const whole = gzipSync(text(0), { level: 0 });
    await writeFile(at('cut.log.gz'), whole.subarray(0, whole.length / 2));
    await writeFile(at('empty.log.gz'), '');
    await writeFile(at('other.log.gz'), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]));
    rig.run(rig.files({ patterns: [at('*.gz')] }));
    await until('both are given up', async () => (await metric('gz_corrupt')) === 2);
    await come(100);
    expect(await flowsInLog()).toBeLessThan(400);
    expect((await rig.content()).dead).toBe(0);
  });
});

describe('bad input of a followed file', () => {
  it('becomes dead letters, line by line, and never ends the source', async () => {
    const bad = [
      '{"flow":{}}',
      '{}',
      '[]',
      'null',
      '123',
      '"x"',
      `${lines[0]?.trim() ?? ''} trailing`,
      `${lines[0]?.trim() ?? ''}${lines[1]?.trim() ?? ''}`,
      `{"flow":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      '{"flow":{"l4":{"TCP":{"source_port":1e400}}}}',
    ];
    const bytes = Buffer.concat([
      Buffer.from([0xef, 0xbb, 0xbf]),
      Buffer.from(`${text(0, 1).trim()}\r\n\n\r\n${bad.join('\n')}\n`),
      Buffer.from('{"flow":{"node_name":"M\xfcnchen"}}\n', 'latin1'),
      Buffer.from('{"__proto__":{"polluted":true},"constructor":1}\n\0\0\0\n'),
      Buffer.from(text(1)),
    ]);
    await writeFile(at('events.log'), bytes);
    await writeFile(at('nothing.log'), '');
    await writeFile(at('newlines.log'), '\n\r\n\n');
    await writeFile(at('mark.log'), Buffer.from([0xef, 0xbb, 0xbf]));
    rig.run(rig.files({ patterns: [at('*.log')] }));
    await come(400);
    const content = await rig.content();
    expect(content.flows).toBe(400);
    expect(content.dead).toBe(bad.length + 2);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('passes over a line without an end in constant memory', async () => {
    const file = await open(at('events.log'), 'w');
    await file.write(text(0, 10));
    const block = Buffer.alloc(1024 * 1024, 0x61);
    for (let i = 0; i < 64; i++) await file.write(block);
    await file.write(`\n${text(10)}`);
    await file.close();
    const before = process.memoryUsage().rss;
    rig.run(rig.files({ patterns: [at('events.log')], bufferBytes: 1024 * 1024 }));
    await come(400);
    const { dead, headers } = await rig.content();
    expect(dead).toBe(1);
    expect(headers.length).toBeGreaterThan(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * 1024 * 1024);
    expect((await readFile(at('events.log'))).length).toBeGreaterThan(64 * 1024 * 1024);
  });
});
