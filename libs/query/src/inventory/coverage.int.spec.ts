import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { readNamespaceNodes, readSampledShare } from './covered-share.js';
import { planCoverage, planNamespaceNodes, planSampledShare } from './plan-coverage.js';
import type { CoverageRequest } from './plan-coverage.js';
import { planNodes } from './plan-inventory.js';
import { coverageStatus, readCoverage } from './read-coverage.js';
import type { CoverageFacts, ExtentRow, LedgerRow, LostRow, StatusRow } from './read-coverage.js';
import { readNodes } from './read-inventory.js';
import type { NodeRow } from './read-inventory.js';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const NOON = BigInt(DAY_S + 43_200) * SECOND;
const WINDOW = { fromNs: NOON - HOUR, toNs: NOON };
const NOW = { ...CONTEXT, nowNs: NOON };
const MOST = 2n ** 53n - 1n;

const BOOK = '_le, _lp, from_offset, to_offset, events, flows, other_events, duplicates, dead, skipped';

const CONNECTED = 1;
const UNAVAILABLE = 2;
const GONE = 3;
const FAILED = 4;

describe('coverage on the real engine', () => {
  let fixture: QueryFixture;

  const insert = async (table: string, columns: string, rows: readonly string[]): Promise<void> => {
    const sql = `INSERT INTO ${table} (${columns}) VALUES ${rows.map((row) => `(${row})`).join(', ')}`;
    await fixture.writer.command({ name: 'test_rows', sql, params: {}, settings: {} });
  };

  beforeAll(async () => {
    fixture = await startQueryFixture();
    let offset = 0;
    const flow = (cluster: string, node: string, timeNs: bigint) => ({
      _le: 1,
      _lo: ++offset,
      tenant: 'default',
      cluster,
      node,
      bucket_time: timeLiteral(timeNs),
      verdict: 1,
      event_type: 4,
      weight: 1,
    });
    await fixture.insert([
      flow('east', 'n1', NOON - 40n * HOUR),
      flow('east', 'n1', NOON - 2n * SECOND),
      flow('east', 'n2', NOON - 90n * SECOND),
      // Ten minutes behind the others: not live.
      flow('east', 'n3', NOON - 10n * MINUTE),
      // Its clock is ahead.
      flow('east', 'n4', NOON + 20n * MINUTE),
      // A cluster that ended yesterday.
      flow('west', 'w1', NOON - 26n * HOUR),
    ]);
    const status = (timeNs: bigint, type: number, ...nodes: readonly string[]): string =>
      `1, ${++offset}, 'default', 'east', 'relay', '${timeLiteral(timeNs)}', 'node_status', ${type}, 0, [${nodes.map((node) => `'${node}'`).join(', ')}]`;
    const lost = (timeNs: bigint, node: string, count: bigint): string =>
      `1, ${++offset}, 'default', 'east', '${node}', '${timeLiteral(timeNs)}', 'lost_events', 1, ${count}, []`;
    await insert('events', '_le, _lo, tenant, cluster, node, bucket_time, kind, type, count, nodes', [
      status(NOON - 50n * HOUR, CONNECTED, 'east/n1', 'east/n2', 'east/n3', 'east/n4', 'east/n5', 'east/n6'),
      // Away since yesterday, said three times in two words.
      status(NOON - 30n * HOUR, UNAVAILABLE, 'east/n5'),
      status(NOON - 20n * MINUTE, UNAVAILABLE, 'east/n5'),
      status(NOON - 15n * MINUTE, FAILED, 'east/n5'),
      // Removed yesterday.
      status(NOON - 30n * HOUR, UNAVAILABLE, 'east/n6'),
      status(NOON - 29n * HOUR, GONE, 'east/n6'),
      // Came and went within the window.
      status(NOON - 30n * MINUTE, UNAVAILABLE, 'east/n2'),
      status(NOON - 25n * MINUTE, CONNECTED, 'east/n2'),
      status(NOON - 24n * MINUTE, CONNECTED, 'east/n2'),
      lost(NOON - 10n * MINUTE, 'n1', 2n ** 64n - 1n),
      lost(NOON - 50n * MINUTE, 'n1', 2n ** 64n - 1n),
      lost(NOON - 40n * MINUTE, 'n2', 3n),
      lost(NOON - 40n * MINUTE + 50n * SECOND, 'n2', 3n),
      lost(NOON - 35n * MINUTE, 'n2', 1n),
    ]);
    const books = [
      '1, 0, 0, 9, 10, 7, 1, 1, 1, 0',
      '1, 0, 10, 19, 5, 5, 0, 0, 0, 0',
      '1, 1, 0, 4, 3, 2, 0, 0, 0, 1',
    ];
    await insert('load_ledger', BOOK, books);
    await insert('load_ledger', BOOK, books.slice(1, 2));
    const repair = (from: bigint, to: bigint, finished: number): string =>
      `1, 0, ${++offset}, 0, ${from / SECOND}, ${to / SECOND}, ${finished}`;
    await insert('load_repairs', '_le, _lp, from_offset, to_offset, min_minute, max_minute, done', [
      repair(NOON - 5n * HOUR, NOON - 4n * HOUR, 0),
      repair(NOON - 30n * MINUTE, NOON - 20n * MINUTE, 1),
    ]);
  });

  afterAll(() => fixture.stop());

  async function coverage(request: CoverageRequest): Promise<CoverageFacts> {
    const planned = must(planCoverage(request, NOW));
    const lost = await fixture.run<LostRow>(planned.lost);
    const status = await fixture.run<StatusRow>(planned.status);
    const extent = await fixture.run<ExtentRow>(planned.extent);
    const ledger = await fixture.run<LedgerRow>(planned.ledger);
    return readCoverage({ lost, status, extent, ledger }, planned);
  }

  const gapsOf = (facts: CoverageFacts, cause: string) =>
    facts.gaps
      .filter((gap) => gap.cause === cause)
      .map((gap) => [gap.cluster, gap.node, gap.fromNs - NOON, gap.toNs - NOON]);

  it('sets the watermark to the slowest live node, whatever stopped nodes and fast clocks say', async () => {
    expect((await coverage({ window: WINDOW, cluster: 'east' })).watermarkNs).toBe(NOON - 90n * SECOND);
    expect((await coverage({ window: WINDOW, node: 'n1' })).watermarkNs).toBe(NOON - 2n * SECOND);
    expect((await coverage({ window: WINDOW, cluster: 'west' })).watermarkNs).toBe(NOON - 26n * HOUR);
  });

  it('knows nodes that were away before the window began, and forgets those that had left', async () => {
    const facts = await coverage({ window: WINDOW });
    expect(gapsOf(facts, 'NODE_UNAVAILABLE')).toEqual([
      ['east', 'n5', -HOUR, 0n],
      ['east', 'n2', -30n * MINUTE, -25n * MINUTE],
    ]);
    expect(facts.nodesExpected).toBe(5);
    expect(gapsOf(await coverage({ window: WINDOW, node: 'n2' }), 'NODE_UNAVAILABLE')).toHaveLength(1);
    expect(gapsOf(await coverage({ window: WINDOW, cluster: 'west' }), 'NODE_UNAVAILABLE')).toEqual([]);
  });

  it('adds up losses without wrapping around, and stops at what JSON keeps exactly', async () => {
    expect((await coverage({ window: WINDOW })).eventsLostUpstream).toBe(MOST);
    expect((await coverage({ window: WINDOW, node: 'n2' })).eventsLostUpstream).toBe(7n);
    const lost = (await coverage({ window: WINDOW, node: 'n1' })).gaps.map((gap) => gap.lost);
    expect(lost).toEqual([MOST, MOST]);
    const planned = must(planNodes(WINDOW, NOW));
    const nodes = readNodes(await fixture.run<NodeRow>(planned.plan), planned);
    expect(nodes.map((node) => [node.name, node.eventsLost])).toEqual([
      ['n1', MOST],
      ['n2', 7n],
      ['n3', 0n],
    ]);
  });

  it('makes one gap of losses that follow each other within a minute', async () => {
    const gaps = (await coverage({ window: WINDOW, node: 'n2' })).gaps.filter((gap) => gap.lost !== null);
    expect(gaps.map((gap) => [gap.fromNs - NOON, gap.toNs - NOON, gap.lost])).toEqual([
      [-40n * MINUTE, -40n * MINUTE + 50n * SECOND + 1n, 6n],
      [-35n * MINUTE, -35n * MINUTE + 1n, 1n],
    ]);
  });

  it('sums the ledger by partition and counts a range that was written twice once', async () => {
    const { ledger } = await coverage({ window: WINDOW });
    expect(ledger.map((row) => [row._lp, row.event_count, row.flow_count, row.last_offset])).toEqual([
      [0, '15', '12', '19'],
      [1, '3', '2', '4'],
    ]);
  });

  it('keeps no flow older than the oldest minute, counts the nodes that sent at the end of the window', async () => {
    const facts = await coverage({ window: WINDOW, cluster: 'east' });
    expect(facts.oldestKeptNs).toBe(NOON - 40n * HOUR);
    expect(facts.nodesReporting).toBe(3);
    expect(coverageStatus(facts, 0n)).toBe('PARTIAL');
  });

  it('is being repaired only where an open repair touches the window', async () => {
    expect((await coverage({ window: WINDOW })).repairing).toBe(false);
    const touched = { fromNs: NOON - 4n * HOUR, toNs: NOON - 3n * HOUR };
    expect((await coverage({ window: touched })).repairing).toBe(true);
    expect((await coverage({ window: { ...touched, fromNs: touched.fromNs + MINUTE } })).repairing).toBe(
      false,
    );
  });

  it('tells a time before the first flow from one that retention has removed', async () => {
    const before = { fromNs: NOON - 60n * HOUR, toNs: NOON - 50n * HOUR };
    expect(coverageStatus(await coverage({ window: before }), 0n)).toBe('NO_SOURCE');
    const expired = { fromNs: NOON - 3000n * HOUR, toNs: NOON - 2000n * HOUR };
    expect(coverageStatus(await coverage({ window: expired }), 0n)).toBe('OUTSIDE_RETENTION');
  });

  describe('of a namespace', () => {
    const nodesOf = async (namespace: string, request: CoverageRequest = { window: WINDOW }) =>
      readNamespaceNodes(await fixture.run(must(planNamespaceNodes(namespace, request, NOW))));

    beforeAll(async () => {
      let offset = 10_000;
      const flow = (node: string, source: readonly [string, string, number], target: typeof source) => ({
        _le: 1,
        _lo: ++offset,
        tenant: 'default',
        cluster: 'east',
        node,
        bucket_time: timeLiteral(NOON - 20n * SECOND),
        src_namespace: source[0],
        src_pod: source[1],
        src_endpoint_id: source[2],
        dst_namespace: target[0],
        dst_pod: target[1],
        dst_endpoint_id: target[2],
        verdict: 1,
        event_type: 4,
        weight: 1,
      });
      await fixture.insert([
        flow('n1', ['shop', 'web-1', 7], ['data', 'db-0', 0]),
        flow('n2', ['shop', 'web-1', 0], ['data', 'db-0', 9]),
        flow('n2', ['shop', 'web-2', 3], ['data', 'db-0', 9]),
        // Seen by its peer's node only.
        flow('n2', ['far', 'far-1', 0], ['data', 'db-0', 9]),
      ]);
    });

    it('is that of the nodes its endpoints ran on', async () => {
      expect(await nodesOf('shop')).toEqual(['east/n1', 'east/n2']);
      expect(await nodesOf('data')).toEqual(['east/n2']);
      expect(await nodesOf('shop', { window: WINDOW, node: 'n1' })).toEqual(['east/n1']);
      const facts = await coverage({ window: WINDOW, nodes: ['east/n2'] });
      expect(facts.gaps.map((gap) => gap.node)).toEqual(['n2', 'n2', 'n2']);
      expect([facts.eventsLostUpstream, facts.nodesExpected, facts.nodesReporting]).toEqual([7n, 1, 1]);
    });

    it('is that of all nodes when a pod of it was never heard where it ran, or nothing of it was seen', async () => {
      expect(await nodesOf('far')).toBeNull();
      expect(await nodesOf('nowhere')).toBeNull();
      expect(
        await nodesOf('shop', { window: { fromNs: NOON - 50n * HOUR, toNs: NOON - 45n * HOUR } }),
      ).toBeNull();
    });

    it('counts flows without a record of their own', async () => {
      const share = async (): Promise<number | null> =>
        readSampledShare(
          await fixture.run(must(planSampledShare({ window: WINDOW, nodes: ['east/n1'] }, NOW))),
        );
      expect(await share()).toBe(0);
      await fixture.insert([
        {
          _le: 1,
          _lo: 20_000,
          tenant: 'default',
          cluster: 'east',
          node: 'n1',
          bucket_time: timeLiteral(NOON - 30n * SECOND),
          weight: 7,
        },
      ]);
      // Nine flows in three records.
      expect(await share()).toBeCloseTo(2 / 3);
    });
  });
});
