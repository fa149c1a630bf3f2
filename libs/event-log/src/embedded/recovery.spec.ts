import { beforeEach, describe, expect, it } from 'vitest';
import {
  appendEach,
  faultOf,
  LOG_DIRECTORY,
  numbered,
  onlyProcess,
  range,
  readNumbers,
  SimulatedMachine,
} from '../testing/open-simulated.js';
import { RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './record.js';

const RECORD_BYTES = RECORD_HEADER_BYTES + 20;

let machine: SimulatedMachine;
beforeEach(() => {
  machine = new SimulatedMachine();
});

describe('opening after a crash', () => {
  it('cuts rubbish off behind the last record, says so, and goes on with the next offset', async () => {
    await appendEach(await machine.open(), numbered(2));
    machine.kill();
    machine.disk.damage(machine.segment(0), (content) => Buffer.concat([content, Buffer.alloc(37, 0xff)]));
    const log = await machine.open();
    const position = SEGMENT_HEADER_BYTES + 2 * RECORD_BYTES;
    expect(log.notes).toEqual([
      { partition: 0, kind: 'torn_tail', segment: 0n, position, bytes: 37, from: 2n, to: 2n },
    ]);
    expect(machine.events.filter(({ kind }) => kind === 'recovered')).toHaveLength(1);
    await log.append(numbered(1, 2));
    expect(await readNumbers(log)).toEqual([0, 1, 2]);
  });

  it('refuses a log whose published records are cut short, naming segment and byte', async () => {
    await appendEach(await machine.open(), numbered(2));
    machine.kill();
    machine.disk.damage(machine.segment(0), (content) => content.subarray(0, content.length - 5));
    expect(await faultOf(machine.open())).toMatchObject({
      code: 'LOG_CORRUPT',
      retry: false,
      details: { partition: 0, segment: '0', position: SEGMENT_HEADER_BYTES + RECORD_BYTES },
    });
  });

  it('refuses a hole before later durable records even when the head is lost', async () => {
    await appendEach(await machine.open(), numbered(3));
    machine.kill();
    await machine.disk.remove(machine.path('head'));
    machine.disk.damage(machine.segment(0), (content) =>
      content.fill(0xff, SEGMENT_HEADER_BYTES + 10, SEGMENT_HEADER_BYTES + 20),
    );
    expect(await faultOf(machine.open())).toMatchObject({
      code: 'LOG_CORRUPT',
      details: { segment: '0', position: SEGMENT_HEADER_BYTES },
    });
  });

  it('takes a hole in the last unsynced write for a torn write', async () => {
    const log = await machine.open();
    await log.append(numbered(1));
    // One write of two records, of which the first never reached the disk; the head is from before.
    const before = machine.disk.content(machine.path('head'));
    await log.append(numbered(2, 1));
    machine.kill();
    machine.disk.damage(machine.path('head'), () => Buffer.from(before));
    const second = SEGMENT_HEADER_BYTES + RECORD_BYTES;
    machine.disk.damage(machine.segment(0), (content) => content.fill(0, second, second + RECORD_BYTES));
    const again = await machine.open();
    expect(again.notes).toMatchObject([{ kind: 'torn_tail', position: second }]);
    expect(await readNumbers(again)).toEqual([0]);
  });

  it('refuses a log from whose middle a segment is gone', async () => {
    await appendEach(await machine.open(), numbered(12));
    machine.kill();
    await machine.disk.remove(machine.segment(3));
    await machine.disk.remove(machine.path('00000000000000000003.idx'));
    expect(await faultOf(machine.open())).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('refuses a log whose partition directory was emptied', async () => {
    await appendEach(await machine.open(), numbered(2));
    machine.kill();
    await machine.disk.remove(machine.segment(0));
    expect(await faultOf(machine.open())).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('refuses a segment of another log', async () => {
    const other = new SimulatedMachine();
    await appendEach(await other.open(), numbered(2));
    await appendEach(await machine.open(), numbered(2));
    machine.kill();
    machine.disk.damage(machine.segment(0), () => Buffer.from(other.disk.content(other.segment(0))));
    expect(await faultOf(machine.open())).toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it.each(['missing', 'damaged'])('rebuilds indexes that are %s', async (state) => {
    await appendEach(await machine.open(), numbered(20));
    machine.kill();
    for (const path of machine.disk.paths().filter((name) => name.endsWith('.idx'))) {
      if (state === 'missing') await machine.disk.remove(path);
      else machine.disk.damage(path, (content) => content.fill(7, 20, 30));
    }
    const log = await machine.open();
    expect(await readNumbers(log)).toEqual(range(0, 20));
    expect(await readNumbers(log, 0, 17n)).toEqual([17, 18, 19]);
  });

  it('survives a head file of which one slot or both are damaged', async () => {
    for (const [from, to] of [
      [0, 96],
      [4096, 4192],
      [0, 4192],
    ]) {
      const log = await machine.open();
      const { end } = await log.bounds(0);
      await log.append(numbered(1, Number(end)));
      machine.kill();
      machine.disk.damage(machine.path('head'), (content) => content.fill(0xee, from, to));
    }
    expect(await readNumbers(await machine.open())).toEqual([0, 1, 2]);
  });
});

describe('reading damaged files', () => {
  it('rejects LOG_CORRUPT naming segment and byte instead of skipping a record', async () => {
    const log = await machine.open();
    await appendEach(log, numbered(12));
    machine.disk.damage(machine.segment(3), (content) => {
      content.writeUInt8(
        content.readUInt8(SEGMENT_HEADER_BYTES + RECORD_BYTES + 60) ^ 1,
        SEGMENT_HEADER_BYTES + RECORD_BYTES + 60,
      );
      return content;
    });
    const position = SEGMENT_HEADER_BYTES + RECORD_BYTES;
    expect(await faultOf(log.read(0, 4n, { maxBytes: 1, maxWaitMs: 0 }))).toMatchObject({
      code: 'LOG_CORRUPT',
      retry: false,
      details: { partition: 0, segment: '3', position },
    });
    expect((await log.read(0, 3n, { maxBytes: 1, maxWaitMs: 0 })).records).toHaveLength(1);
  });

  it('does not read past a segment that somebody removed', async () => {
    const log = await machine.open();
    await appendEach(log, numbered(12));
    await machine.disk.remove(machine.segment(3));
    const fault = await faultOf(log.read(0, 4n, { maxBytes: 1, maxWaitMs: 0 }));
    expect(fault).toMatchObject({ code: 'LOG_CORRUPT', retry: false });
  });
});

describe('who may open', () => {
  it('refuses another number of partitions, naming both', async () => {
    await (await machine.open()).close();
    const fault = await faultOf(machine.open({ partitions: 5 }));
    expect(fault).toMatchObject({ code: 'CONFIG_INVALID', details: { has: 2, asked: 5 } });
    expect(await faultOf(machine.open({ partitions: 5, mode: 'reader' }))).toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('refuses a second writer while the first lives, and lets it in after a kill', async () => {
    const first = await machine.open();
    expect(await faultOf(machine.open())).toMatchObject({ code: 'CONFLICT' });
    await first.append(numbered(1));
    machine.kill();
    const second = await machine.open();
    expect(await readNumbers(second)).toEqual([0]);
  });

  it('stops a writer that was frozen until another process took the log over', async () => {
    const frozen = await machine.open();
    await frozen.append(numbered(1));
    const successor = await machine.open({ processes: onlyProcess(99) });
    machine.clock.advance(10_000);
    expect(await faultOf(frozen.append(numbered(1, 1)))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: false,
    });
    expect(frozen.stopped).toBe('another process took the log over');
    await successor.append(numbered(1, 1));
    expect(await readNumbers(successor)).toEqual([0, 1]);
  });

  it('tells a reader to come back when there is no log yet', async () => {
    expect(await faultOf(machine.open({ mode: 'reader' }))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: true,
    });
    expect(machine.disk.paths()).toEqual([]);
  });

  it('lets a reader wait for the log to be created', async () => {
    const opening = machine.open({ mode: 'reader', openWaitMs: 1_000 });
    const writer = await machine.open();
    await writer.append(numbered(1));
    machine.clock.advance(100);
    expect(await readNumbers(await opening)).toEqual([0]);
  });

  it('refuses to append through a reader and after closing', async () => {
    const writer = await machine.open();
    const reader = await machine.open({ mode: 'reader' });
    expect(await faultOf(reader.append(numbered(1)))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: false,
    });
    await writer.close();
    await writer.close();
    expect(await faultOf(writer.append(numbered(1)))).toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retry: false,
    });
  });

  it('keeps everything under its directory', async () => {
    await (await machine.open()).close();
    expect(machine.disk.paths().every((path) => path.startsWith(`${LOG_DIRECTORY}/`))).toBe(true);
  });
});
