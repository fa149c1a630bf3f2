import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { FlowCells, QueryFixture } from '../testing/query-fixture.js';
import type { RankedRow } from '../group/ranked-groups.js';
import { planTcpHealth } from '../tcp/plan-tcp-health.js';
import { readTcpHealth } from '../tcp/read-tcp-health.js';
import { planDns } from './plan-dns.js';
import { readDns } from './read-dns.js';

const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const WINDOW = { fromNs: START, toNs: START + 600_000_000_000n };
const MS = 1_000_000n;

/** Columns that every row names. */
const BLANK: FlowCells = {
  _le: 7,
  _lp: 0,
  tenant: 'default',
  cluster: 'default',
  node: 'node-1',
  l7_type: 0,
  l7_kind: 0,
  l4_protocol: 0,
  verdict: 1,
  event_type: 129,
  is_reply: 1,
  traffic_direction: 2,
  client_side: 1,
  client_namespace: 'shop',
  client_workload: 'web',
  server_namespace: 'kube-system',
  server_workload: 'coredns',
  server_port: 53,
  src_ip: '::ffff:10.0.0.1',
  dst_ip: '::ffff:10.0.0.2',
  src_port: 40_000,
  dst_port: 53,
  tcp_flags: 0,
  dns_query: '',
  dns_qtypes: [],
  dns_rcode: 0,
  endpoint: '',
  weight: 1,
};

let offset = 0;
function row(atMs: number, cells: FlowCells): FlowCells {
  return { ...BLANK, _lo: offset++, _li: 0, bucket_time: timeLiteral(START + BigInt(atMs) * MS), ...cells };
}

interface Lookup {
  readonly atMs: number;
  readonly name: string;
  readonly port: number;
  readonly rcode?: number;
  readonly answerMs?: number;
  readonly denied?: boolean;
  readonly side?: 1 | 2;
  readonly weight?: number;
}

function lookUp({
  atMs,
  name,
  port,
  rcode,
  answerMs = atMs + 3,
  denied,
  side = 2,
  weight = 1,
}: Lookup): FlowCells[] {
  const common = {
    l7_kind: 1,
    dns_query: `${name}.`,
    dns_qtypes: ['A'],
    endpoint: name,
    traffic_direction: side,
    node: side === 2 ? 'node-1' : 'node-2',
    weight,
  };
  const asked = row(atMs, { ...common, l7_type: 1, src_port: port, verdict: denied === true ? 2 : 1 });
  if (rcode === undefined) return [asked];
  const back = {
    src_ip: '::ffff:10.0.0.2',
    dst_ip: '::ffff:10.0.0.1',
    src_port: 53,
    dst_port: port,
    client_side: 2,
    is_reply: 2,
  };
  return [asked, row(answerMs, { ...common, ...back, l7_type: 2, dns_rcode: rcode })];
}

describe('dns on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert([
      ...lookUp({ atMs: 0, name: 'a.example', port: 1, rcode: 0 }),
      ...lookUp({ atMs: 10, name: 'a.example', port: 2, rcode: 3 }),
      ...lookUp({ atMs: 20, name: 'a.example', port: 3, rcode: 2, weight: 4 }),
      ...lookUp({ atMs: 30, name: 'a.example', port: 4 }),
      ...lookUp({ atMs: 40, name: 'b.example', port: 5, denied: true }),
      // The agent stamped the query after its answer.
      ...lookUp({ atMs: 60, answerMs: 50, name: 'b.example', port: 6, rcode: 5 }),
      // Answered after the end of the window; then too late; then asked after it.
      ...lookUp({ atMs: 599_900, answerMs: 601_000, name: 'c.example', port: 7, rcode: 0 }),
      ...lookUp({ atMs: 599_901, answerMs: 610_000, name: 'c.example', port: 8, rcode: 0 }),
      ...lookUp({ atMs: 600_001, name: 'c.example', port: 9, rcode: 0 }),
      // The same socket asked before the window and was answered then.
      ...lookUp({ atMs: -50, name: 'd.example', port: 10, rcode: 0 }),
    ]);
  });

  afterAll(() => fixture.stop());

  async function dns(request: Parameters<typeof planDns>[0]) {
    const planned = must(planDns({ window: WINDOW, ...request }, CONTEXT));
    return readDns(await fixture.run<RankedRow>(planned.plan), planned);
  }

  it('counts queries, answers by code, refusals and what got no answer, by name', async () => {
    const { groups, total, other, groupCount } = await dns({});
    const named = Object.fromEntries(
      groups.map(({ key, stats }) => {
        const { queries, answers, nxdomain, servfail, otherErrors, denied, unanswered } = stats;
        return [key[0]?.value, [queries, answers, nxdomain, servfail, otherErrors, denied, unanswered]];
      }),
    );
    expect(named).toEqual({
      'a.example': [7n, 6n, 1n, 4n, 0n, 0n, 1n],
      'b.example': [1n, 1n, 0n, 0n, 1n, 1n, 0n],
      'c.example': [2n, 0n, 0n, 0n, 0n, 0n, 1n],
    });
    expect([total.queries, total.unanswered, other, groupCount]).toEqual([10n, 2n, null, 3]);
  });

  it('adds up what a limit leaves out', async () => {
    const { groups, total, other, groupCount } = await dns({ limit: 1, orderBy: 'FAILURES' });
    expect(groups.map(({ key }) => key[0]?.value)).toEqual(['a.example']);
    expect(other?.queries).toBe(3n);
    expect([total.queries, groupCount]).toEqual([10n, 3]);
  });

  it('says that nobody measured the latency', async () => {
    const { missing, total } = await dns({ groupBy: [] });
    expect(total.histogram.size).toBe(0);
    expect(missing.map(({ reason }) => reason)).toEqual(['NOT_MEASURED_BY_SOURCE']);
  });

  it('counts one reporter where both sides saw the query', async () => {
    await fixture.insert([
      ...lookUp({ atMs: 7_200_000, name: 'twice.example', port: 11, rcode: 0, side: 2 }),
      ...lookUp({ atMs: 7_200_000, name: 'twice.example', port: 11, rcode: 0, side: 1 }),
    ]);
    const window = { fromNs: START + 7_199_000n * MS, toNs: START + 7_300_000n * MS };
    const { total } = await dns({ window, groupBy: [] });
    expect([total.queries, total.answers, total.unanswered]).toEqual([1n, 1n, 0n]);
  });

  it('refuses groupings that only answers have', () => {
    const planned = planDns({ groupBy: [{ dimension: 'STATUS_CLASS' }] }, CONTEXT);
    expect(planned).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED_GROUPING' } });
  });
});

const [FIN, SYN, RST, ACK, FLAGS] = [1, 2, 4, 16, 512];

/** A packet of the connection from `port`; `back` is from the server. */
function packet(atMs: number, port: number, flags: number, back = false, more: FlowCells = {}): FlowCells {
  const common = {
    event_type: 4,
    l4_protocol: 1,
    tcp_flags: flags | FLAGS,
    server_workload: 'db',
    server_port: 5432,
  };
  const ends: FlowCells = back
    ? {
        src_ip: '::ffff:10.0.0.2',
        dst_ip: '::ffff:10.0.0.1',
        src_port: 5432,
        dst_port: port,
        client_side: 2,
        is_reply: 2,
      }
    : { src_port: port, dst_port: 5432 };
  return row(atMs, { ...common, ...ends, ...more });
}

describe('tcpHealth on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    const opened = (atMs: number, port: number): FlowCells[] => [
      packet(atMs, port, SYN),
      packet(atMs + 1, port, SYN | ACK, true),
      packet(atMs + 2, port, ACK),
    ];
    const drop = { event_type: 1, verdict: 2, event_sub_type: 133, drop_reason: 133 };
    await fixture.insert(
      [
        ...opened(0, 1),
        packet(5, 1, FIN | ACK),
        // The same socket again, at once after the end: another connection, which the server resets.
        ...opened(10, 1),
        packet(20, 1, RST, true),
        // Nothing came back, though it was sent four times.
        ...[0, 1_000, 3_000, 7_000].map((atMs) => packet(atMs, 2, SYN)),
        packet(0, 3, SYN),
        packet(1, 3, RST | ACK, true),
        // Half-open.
        packet(0, 4, SYN),
        packet(1, 4, SYN | ACK, true),
        packet(0, 5, SYN),
        packet(0, 5, SYN, false, drop),
        // Both nodes saw this one; the server's node under another client port.
        ...opened(100, 6),
        ...opened(100, 60_006).map((cells) => ({ ...cells, traffic_direction: 1, node: 'node-2' })),
        // Opened before the window, reset by the client in it.
        packet(-1_000, 7, SYN),
        packet(50, 7, RST, false),
        // A SYN at the end whose answer comes after it.
        packet(599_999, 8, SYN),
        packet(600_100, 8, SYN | ACK, true),
        packet(600_101, 8, ACK),
      ].map((cells) => ({ event_sub_type: 0, drop_reason: 0, ...cells })),
    );
  });

  afterAll(() => fixture.stop());

  it('tells how connections began and ended, each once', async () => {
    const planned = must(planTcpHealth({ window: WINDOW }, CONTEXT));
    const { groups, total, missing } = readTcpHealth(await fixture.run<RankedRow>(planned.plan), planned);
    expect(groups.map(({ key }) => key.map(({ value }) => value))).toEqual([
      ['shop/web', 'kube-system/db', '5432'],
    ]);
    expect(total).toEqual({
      opened: 8n,
      established: 5n,
      unanswered: 1n,
      refused: 1n,
      halfOpen: 1n,
      dropped: 1n,
      clientResets: 1n,
      serverResets: 1n,
    });
    expect(missing.map(({ path }) => path)).toEqual([
      'total.retransmissions',
      'total.rttMs',
      'total.zeroWindows',
    ]);
  });
});
