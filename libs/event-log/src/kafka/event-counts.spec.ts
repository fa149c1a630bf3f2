import fc from 'fast-check';
import { silentLog } from '@flowledger/platform';
import { describe, expect, it } from 'vitest';
import { COUNT_HEADER, decodePoint, encodePoint, eventsIn, EVENTS_HEADER } from './event-headers.js';
import { EventCounts, type Counted } from './event-counts.js';
import type { Fetcher, Fetched } from './fetcher.js';
import type { PartitionProducer } from './partition-producer.js';
import type { FetchedRecord } from './protocol.js';
import type { OutgoingRecord } from './record-batch.js';

/** One partition that several writers append to, and the topic of the points. */
class ModelTopic {
  readonly events: number[] = [];
  readonly headers: FetchedRecord['headers'][] = [];
  readonly points: { key: string; value: string | null }[] = [];
  start = 0;
  read = 0;

  counts(): EventCounts {
    const counts: EventCounts = new EventCounts({
      epoch: 5n,
      partitions: 1,
      topic: 'counts',
      fetcher: {
        fetch: (_topic: string, _p: number, { from }: { from: bigint }) => this.fetch(from),
      } as unknown as Fetcher,
      producer: {
        append: async (records: readonly OutgoingRecord[]) =>
          void this.points.push(
            ...records.map(({ key, value }) => ({ key: String(key), value: value?.toString() ?? null })),
          ),
      } as unknown as PartitionProducer,
      records: (_partition, from, to) => this.records(from, to, counts),
      log: silentLog,
    });
    return counts;
  }

  append(counts: EventCounts, events: number): void {
    this.headers.push({ ...counts.stamp(0), [EVENTS_HEADER]: String(events) });
    this.events.push(events);
    counts.observe(0, [{ offset: BigInt(this.events.length - 1), events }]);
  }

  sum(to: number): bigint {
    return BigInt(this.events.slice(0, to).reduce((total, events) => total + events, 0));
  }

  private async fetch(from: bigint): Promise<Fetched> {
    const records = this.points.slice(Number(from)).map(({ key, value }, at) => ({
      offset: String(Number(from) + at),
      timestamp: '0',
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      headers: {},
    }));
    return { kind: 'records', records };
  }

  private async *records(from: bigint, to: bigint | undefined, counts: EventCounts): AsyncIterable<Counted> {
    const end = to === undefined ? this.events.length : Number(to);
    if (Number(from) < this.start) throw new Error('read before the start');
    for (let at = Number(from); at < end; at++) {
      this.read++;
      const headers = this.headers[at] ?? {};
      counts.observeFetched(0, [{ offset: String(at), timestamp: '0', key: null, value: null, headers }]);
      yield { offset: BigInt(at), events: this.events[at] ?? 0 };
    }
  }
}

describe('EventCounts', () => {
  it('is exact at both ends for any writers, closings and retention, for whoever asks', async () => {
    const step = fc.record({
      writer: fc.nat(2),
      events: fc.nat(1000),
      close: fc.boolean(),
      trim: fc.option(fc.nat(400), { freq: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 400 }), async (steps) => {
        const topic = new ModelTopic();
        const writers = [topic.counts(), topic.counts(), topic.counts()];
        for (const { writer, events, close, trim } of steps) {
          const counts = writers[writer] ?? topic.counts();
          topic.append(counts, events);
          if (close) await counts.close();
          // Somebody has always looked before retention takes what is older.
          if (trim === null) continue;
          const looker = topic.counts();
          await looker.before(0, BigInt(topic.events.length), BigInt(topic.start));
          await looker.close();
          topic.start = Math.max(topic.start, Math.min(trim, topic.events.length));
        }
        const fresh = topic.counts();
        const [start, end] = [BigInt(topic.start), BigInt(topic.events.length)];
        expect(await fresh.before(0, end, start)).toBe(topic.sum(topic.events.length));
        expect(await fresh.before(0, start, start)).toBe(topic.sum(topic.start));
      }),
      { numRuns: 60 },
    );
  });

  it('reads next to nothing when one writer tells what it knows', async () => {
    const topic = new ModelTopic();
    const writer = topic.counts();
    for (let at = 0; at < 5_000; at++) topic.append(writer, 3);
    await writer.close();
    const fresh = topic.counts();
    expect(await fresh.before(0, 5_000n, 0n)).toBe(15_000n);
    expect(topic.read).toBe(0);
  });

  it('removes points from the topic that lie before the first kept record', async () => {
    const topic = new ModelTopic();
    const writer = topic.counts();
    for (let at = 0; at < 2_000; at++) {
      topic.append(writer, 1);
      // A point is published about once a second; here after every hundred records.
      if (at % 100 === 99) await writer.close();
    }
    topic.start = 1_500;
    const looker = topic.counts();
    expect(await looker.before(0, 1_500n, 1_500n)).toBe(1_500n);
    await looker.close();
    const left = new Map(topic.points.map(({ key, value }) => [key, value]));
    const offsets = [...left.values()].flatMap((value) =>
      value === null ? [] : [Number(value.split(':')[0])],
    );
    expect(offsets.filter((offset) => offset <= 1_500).length).toBeLessThanOrEqual(1);
    const fresh = topic.counts();
    expect(await fresh.before(0, 2_000n, 1_500n)).toBe(2_000n);
    expect(await fresh.before(0, 1_500n, 1_500n)).toBe(1_500n);
  });

  it('pays no attention to points of another epoch and to what is no point', async () => {
    const topic = new ModelTopic();
    topic.points.push(
      { key: '4/0/0', value: '9:900' },
      { key: '5/0/0', value: 'nine' },
      { key: '', value: '' },
    );
    topic.append(topic.counts(), 7);
    expect(await topic.counts().before(0, 1n, 0n)).toBe(7n);
  });
});

describe('the headers', () => {
  it('give points back', () => {
    const big = fc.bigInt({ min: 0n, max: (1n << 62n) - 1n });
    fc.assert(
      fc.property(big, big, (offset, events) => {
        expect(decodePoint(encodePoint({ offset, events }))).toEqual({ offset, events });
      }),
    );
  });

  it('count as nothing when they are damaged', () => {
    for (const header of [undefined, '', '-1', '1.5', 'x', '1e99']) expect(eventsIn(header)).toBe(0);
    for (const header of [undefined, null, '', '1', '1:', ':1', '-1:1', '1:1:1', '1:99999999999999999999'])
      expect(decodePoint(header)).toBeUndefined();
    expect(COUNT_HEADER).not.toBe(EVENTS_HEADER);
  });
});
