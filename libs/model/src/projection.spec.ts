import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from './envelope.js';
import type { StreamKey } from './projected-batches.js';
import { Projection } from './projection.js';
import { headerOf, OPTIONS, projectLines, RECEIVED_MS } from './testing/project.js';
import { rowsOf } from './testing/rows.js';

const encode = (line: string) => new TextEncoder().encode(line);
const flowLine = (n: number) =>
  `{"flow":{"time":"2026-01-02T03:04:0${n}.000000001Z","uuid":"00000000-0000-4000-8000-00000000000${n}","verdict":"FORWARDED","node_name":"c/n${n % 2}"}}`;

describe('a projection', () => {
  it('places every row by log, partition, offset and index', () => {
    const projection = new Projection(OPTIONS);
    for (const offset of [5n, 6n]) {
      const events = [encode(flowLine(1)), encode(flowLine(2))];
      projection.add({ offset, value: encodeEnvelope(headerOf('hubble.export_json', 2), events) });
    }
    const rows = rowsOf(projection.take().flows);
    expect(rows.map(({ _le, _lp, _lo, _li }) => [_le, _lp, _lo, _li])).toEqual([
      [OPTIONS.logEpoch, 3, 5n, 0],
      [OPTIONS.logEpoch, 3, 5n, 1],
      [OPTIONS.logEpoch, 3, 6n, 0],
      [OPTIONS.logEpoch, 3, 6n, 1],
    ]);
  });

  it('accounts for every event of a record, whatever becomes of it', () => {
    const lines = [
      flowLine(1),
      flowLine(1),
      '{"lost_events":{"source":"HUBBLE_RING_BUFFER","num_events_lost":"18446744073709551615"},"node_name":"n1","time":"2026-01-02T03:04:05Z"}',
      '{"debug_event":{"type":"DBG_GENERIC"}}',
      'no json',
      '{}',
      '   ',
    ];
    const seen = new Set<bigint>();
    const isDuplicate = (_stream: StreamKey, key: bigint) => seen.has(key) || !seen.add(key);
    const batches = projectLines(lines, { isDuplicate });
    expect(batches.accounts).toEqual([
      {
        offset: 7n,
        events: 7,
        flows: 1,
        otherEvents: 1,
        duplicates: 1,
        dead: 2,
        skipped: 2,
        receivedMs: RECEIVED_MS,
        minBucketTime: 1_767_323_041_000_000_001n,
        maxBucketTime: 1_767_323_045_000_000_000n,
      },
    ]);
    expect(rowsOf(batches.skippedEvents).map(({ _li, reason }) => [_li, reason])).toEqual([
      [1, 'duplicate'],
      [3, 'unsupported_kind'],
      [6, 'blank'],
    ]);
    expect(rowsOf(batches.deadLetters).map(({ _li, reason, bytes }) => [_li, reason, bytes])).toEqual([
      [4, 'json_syntax', 'no json'],
      [5, 'schema', '{}'],
    ]);
    expect(rowsOf(batches.events)[0]).toMatchObject({ kind: 'lost_events', type: 3, count: 2n ** 64n - 1n });
  });

  it('names each stream by one object, and each event by the key that the tables show', () => {
    const asked: [StreamKey, bigint][] = [];
    const isDuplicate = (stream: StreamKey, key: bigint) => asked.push([stream, key]) < 0;
    const rows = rowsOf(projectLines([flowLine(1), flowLine(2), flowLine(3)], { isDuplicate }).flows);
    expect(asked.map(([stream]) => stream.id)).toEqual([
      'default\0c\0n1',
      'default\0c\0n0',
      'default\0c\0n1',
    ]);
    expect(asked[0]?.[0]).toBe(asked[2]?.[0]);
    const halves = rows.map(({ uuid }) => {
      const bytes = Buffer.from(String(uuid), 'hex');
      return bytes.readBigUInt64LE(0) ^ bytes.readBigUInt64LE(8);
    });
    expect(asked.map(([, key]) => key)).toEqual(halves);
  });

  it('turns a damaged record into one dead letter for all the events it held', () => {
    const projection = new Projection(OPTIONS);
    const account = projection.add({ offset: 9n, value: encode('no envelope'), events: 1000 });
    expect(account).toMatchObject({ events: 1000, dead: 1000, flows: 0 });
    expect(rowsOf(projection.take().deadLetters)).toHaveLength(1);
  });

  it('gives equal batches for equal records, whatever it decoded before', () => {
    const record = {
      offset: 1n,
      value: encodeEnvelope(headerOf('hubble.export_json', 2), [encode(flowLine(1)), encode(flowLine(2))]),
    };
    const fresh = new Projection(OPTIONS);
    fresh.add(record);
    const used = new Projection(OPTIONS);
    const others = [3, 4, 5].map((n) => encode(flowLine(n)));
    used.add({ offset: 0n, value: encodeEnvelope(headerOf('hubble.export_json', 3), others) });
    used.take();
    used.add(record);
    expect(used.take()).toEqual(fresh.take());
  });

  it('takes the time of the response for a flow that has none of its own', () => {
    const times = rowsOf(
      projectLines([
        '{"flow":{"verdict":1},"time":"2026-01-02T03:04:05Z"}',
        '{"flow":{"verdict":1,"time":"2026-01-02T03:04:06Z"},"time":"2026-01-02T03:04:05Z"}',
        '{"flow":{"verdict":1}}',
      ]).flows,
    ).map(({ bucket_time, time_quality }) => [bucket_time, time_quality]);
    expect(times).toEqual([
      [1_767_323_045_000_000_000n, 0],
      [1_767_323_046_000_000_000n, 0],
      [BigInt(RECEIVED_MS) * 1_000_000n, 3],
    ]);
  });

  it('starts its caches afresh without anyone noticing: batches and stream keys stay the same', () => {
    const long = (n: number) =>
      flowLine(1).replace('"verdict"', `"policy_log":["${String(n).repeat(1_000_000)}"],"verdict"`);
    const streams = new Set<StreamKey>();
    const isDuplicate = (stream: StreamKey) => streams.add(stream) === undefined;
    const projection = new Projection({ ...OPTIONS, isDuplicate });
    const batches = [];
    for (let round = 0; round < 80; round++) {
      const events = [encode(long(round))];
      projection.add({
        offset: BigInt(round),
        value: encodeEnvelope(headerOf('hubble.export_json', 1), events),
      });
      batches.push(projection.take());
    }
    expect(streams.size).toBe(1);
    expect(
      new Set(batches.map(({ flows }) => JSON.stringify(rowsOf(flows)[0]?.['policy_log']).length)).size,
    ).toBe(2);
    expect(batches.map(({ flows }) => rowsOf(flows)[0]?.['node'])).toEqual(batches.map(() => 'n1'));
  });

  it('tells rows, days and bytes so that a loader can stop in time, and starts empty after take', () => {
    const projection = new Projection(OPTIONS);
    const lines = [flowLine(1), flowLine(1).replace('2026-01-02', '2026-01-05')];
    projection.add({
      offset: 1n,
      value: encodeEnvelope(headerOf('hubble.export_json', 2), lines.map(encode)),
    });
    expect([projection.rows, projection.partitionsTouched()]).toEqual([2, 2]);
    expect(projection.bytes).toBeGreaterThan(0);
    projection.take();
    expect([projection.rows, projection.partitionsTouched()]).toEqual([0, 0]);
    expect(projection.take().flows.rows).toBe(0);
  });
});
