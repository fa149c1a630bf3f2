import { describe, expect, it } from 'vitest';
import type { PartitionBounds, StoredRecord } from '@flowledger/event-log';
import { encodeEnvelope } from '@flowledger/model';
import type { LedgerRow } from '@flowledger/query';
import { accountFor } from './accounting.js';

const NOW = 1_800_000_000_000;
const EPOCH = 42n;

interface Append {
  readonly events: number;
  /** How long ago the log took it and its first event happened, ms. */
  readonly appended?: number;
  readonly happened?: number;
}

/** A log of one partition in memory, the oldest `removed` records gone by retention. */
function logOf(appends: readonly Append[], removed = 0): Parameters<typeof accountFor>[0] {
  const records = appends.map(({ events, appended = 1000, happened = 1000 }, offset): StoredRecord => {
    const firstTimeNs = BigInt(NOW - happened) * 1_000_000n;
    const header = {
      version: 1,
      tenant: 'default',
      cluster: 'default',
      stream: 'node-1',
      source: 'demo',
      codec: 'hubble.get_flows_response',
      count: events,
      firstTimeNs,
      lastTimeNs: firstTimeNs,
      receivedMs: NOW - appended,
    } as const;
    const value = encodeEnvelope(
      header,
      Array.from({ length: events }, () => new Uint8Array([10, 0])),
    );
    return { offset: BigInt(offset), appendedMs: NOW - appended, events, value };
  });
  const sum = (list: readonly StoredRecord[]): bigint =>
    BigInt(list.reduce((n, record) => n + record.events, 0));
  const bounds: PartitionBounds = {
    start: BigInt(removed),
    end: BigInt(records.length),
    eventsBeforeStart: sum(records.slice(0, removed)),
    eventsBeforeEnd: sum(records),
    bytes: 0,
  };
  return {
    epoch: EPOCH,
    partitions: 1,
    bounds: async () => bounds,
    read: async (partition, from) => ({
      partition,
      records: records.filter((record) => record.offset >= from && record.offset >= bounds.start),
    }),
  };
}

function ledger(counts: Partial<Record<keyof LedgerRow, number>>, epoch = EPOCH): LedgerRow[] {
  const text = (name: keyof LedgerRow): string => String(counts[name] ?? 0);
  return [
    {
      _le: String(epoch),
      _lp: 0,
      event_count: text('event_count'),
      flow_count: text('flow_count'),
      other_count: text('other_count'),
      duplicate_count: text('duplicate_count'),
      dead_count: text('dead_count'),
      skipped_count: text('skipped_count'),
      first_offset: '0',
      last_offset: text('last_offset'),
    },
  ];
}

describe('accountFor', () => {
  it('closes the books when every event is a row, a duplicate, a dead letter or skipped', async () => {
    const books = ledger({
      flow_count: 3,
      other_count: 1,
      duplicate_count: 2,
      dead_count: 1,
      skipped_count: 3,
      last_offset: 1,
    });
    expect(await accountFor(logOf([{ events: 4 }, { events: 6 }]), books, NOW)).toEqual({
      unaccounted: 0n,
      overdue: 0n,
    });
  });

  it('counts events of removed records too: retention loses none', async () => {
    const books = ledger({ flow_count: 9, last_offset: 1 });
    expect(await accountFor(logOf([{ events: 4 }, { events: 6 }], 1), books, NOW)).toMatchObject({
      unaccounted: 1n,
    });
  });

  it('counts what was appended and not loaded, and does not doubt the window for its live end', async () => {
    const books = ledger({ flow_count: 4, last_offset: 0 });
    expect(await accountFor(logOf([{ events: 4 }, { events: 6 }]), books, NOW)).toEqual({
      unaccounted: 6n,
      overdue: 0n,
    });
    expect(await accountFor(logOf([{ events: 4 }]), [], NOW)).toEqual({ unaccounted: 4n, overdue: 0n });
  });

  it.each([
    ['waited for ten seconds', { events: 6, appended: 10_000 }],
    ['are from an hour ago, as of an import', { events: 6, happened: 3_600_000 }],
  ])('puts the window in doubt when pending events %s', async (_name, pending) => {
    const books = ledger({ flow_count: 4, last_offset: 0 });
    expect(await accountFor(logOf([{ events: 4 }, pending]), books, NOW)).toEqual({
      unaccounted: 6n,
      overdue: 6n,
    });
  });

  it('puts the window in doubt when a later record is booked and an earlier one is not', async () => {
    const books = ledger({ flow_count: 6, last_offset: 1 });
    expect(await accountFor(logOf([{ events: 4 }, { events: 6 }]), books, NOW)).toEqual({
      unaccounted: 4n,
      overdue: 4n,
    });
    const more = logOf([{ events: 4 }, { events: 6 }, { events: 1 }]);
    expect(await accountFor(more, books, NOW)).toEqual({ unaccounted: 5n, overdue: 5n });
  });

  it('does not take the books of another log for its own', async () => {
    const books = ledger({ flow_count: 4, last_offset: 0 }, 7n);
    expect(await accountFor(logOf([{ events: 4 }]), books, NOW)).toMatchObject({ unaccounted: 4n });
  });

  it('is never negative when the loader was faster than the reading of the log', async () => {
    const books = ledger({ flow_count: 10, last_offset: 1 });
    expect(await accountFor(logOf([{ events: 4 }]), books, NOW)).toEqual({ unaccounted: 0n, overdue: 0n });
  });
});
