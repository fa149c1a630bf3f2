import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from './envelope.js';
import { Projection } from './projection.js';
import { expectedRow } from './testing/expected-row.js';
import { loadHubbleProto, plainObject } from './testing/hubble-proto.js';
import { headerOf, OPTIONS, project, projectLines } from './testing/project.js';
import { Random, randomFlow } from './testing/random-flow.js';
import { bytesIn } from './testing/rebuild-flow.js';
import { rowsOf } from './testing/rows.js';
import { requireSameRow } from './testing/same.js';

const proto = loadHubbleProto();
const encode = (text: string) => new TextEncoder().encode(text);
const wire = (flow: object) =>
  proto.response.encode(proto.response.fromObject({ flow, node_name: 'n' })).finish();
const flowRow = (flow: object) => rowsOf(project('hubble.get_flows_response', [wire(flow)]).flows)[0];

/** What became of one event: `flow`, a dead letter's reason, or a skip reason. */
function fate(event: Uint8Array, codec: 'hubble.export_json' | 'hubble.get_flows_response'): unknown {
  const batches = project(codec, [event]);
  const [dead] = rowsOf(batches.deadLetters);
  const [skipped] = rowsOf(batches.skippedEvents);
  return dead?.['reason'] ?? skipped?.['reason'] ?? (batches.flows.rows === 1 ? 'flow' : 'event');
}

const lineFate = (line: string | Uint8Array) =>
  fate(typeof line === 'string' ? encode(line) : line, 'hubble.export_json');
const wireFate = (bytes: Uint8Array) => fate(bytes, 'hubble.get_flows_response');

describe('bad protobuf (reliability note, B1 to B9)', () => {
  it('B1: a response without a member is a schema dead letter, one with a member we do not know is skipped', () => {
    expect(wireFate(new Uint8Array(0))).toBe('schema');
    expect(wireFate(proto.response.encode(proto.response.fromObject({ node_name: 'n' })).finish())).toBe(
      'schema',
    );
    expect(wireFate(Uint8Array.of(0x32, 1, 1))).toBe('unsupported_kind');
    expect(wireFate(Uint8Array.of(0x0a, 0))).toBe('schema');
  });

  it('B2: a flow without uuid, time and node gets a key, the received time and the stream as node', () => {
    const row = flowRow({ verdict: 1 });
    expect(row).toMatchObject({ node: 'n', time_quality: 3, time_shift: 0n });
    expect(row?.['fallback_key']).not.toBe(0n);
    const nameless = project(
      'hubble.get_flows_response',
      [Uint8Array.of(0x0a, 2, 0x10, 1)],
      {},
      { stream: '' },
    );
    expect(rowsOf(nameless.flows)[0]).toMatchObject({ node: 'unknown', cluster: 'c1' });
  });

  it('B3: numbers that no enum knows are kept', () => {
    expect(flowRow({ verdict: 99, drop_reason_desc: 9999 })).toMatchObject({
      verdict: 99,
      drop_reason: 9999,
    });
  });

  it('B4: a string that is no UTF-8 is a dead letter of its own event only', () => {
    const bad = Uint8Array.of(0x0a, 4, 0x5a, 2, 0xc3, 0x28);
    const inLabels = Uint8Array.of(0x0a, 6, 0x42, 4, 0x22, 2, 0xff, 0xff);
    const inUrl = Uint8Array.of(0x0a, 8, 0x7a, 6, 0xaa, 0x06, 3, 0x1a, 1, 0x80);
    for (const event of [bad, inLabels, inUrl]) {
      const batches = project('hubble.get_flows_response', [
        wire({ verdict: 1 }),
        event,
        wire({ verdict: 2 }),
      ]);
      expect(rowsOf(batches.deadLetters)).toMatchObject([{ _li: 1, reason: 'invalid_utf8' }]);
      expect(rowsOf(batches.flows).map(({ verdict }) => verdict)).toEqual([1, 2]);
    }
  });

  it('B5: at most 256 labels of 4 KiB are kept as labels; the whole list stays in extra', () => {
    const labels = Array.from({ length: 1000 }, (_, i) => `k8s:l${String(i).padStart(4, '0')}=v`);
    const long = `k8s:long=${'ü'.repeat(32_000)}`;
    for (const list of [labels, [long]]) {
      const batches = project('hubble.get_flows_response', [wire({ source: { labels: list } })]);
      const stored = rowsOf(batches.labelSets)[0]?.['labels'] as string[];
      expect(stored).toHaveLength(Math.min(list.length, 256));
      for (const label of stored) expect(Buffer.byteLength(label)).toBeLessThanOrEqual(4096);
      const extra = proto.flow.decode(bytesIn(batches.flows, 'extra', 0));
      expect(plainObject(proto.flow, extra)['source']).toEqual({ labels: list });
    }
    const node = project('hubble.get_flows_response', [wire({ node_labels: labels })]);
    expect(rowsOf(node.labelSets)[0]?.['labels']).toHaveLength(256);
    expect(bytesIn(node.flows, 'extra', 0).length).toBeGreaterThan(10_000);
  });

  it('B6: what is no address is zero, with its text in extra; mapped IPv4 is IPv4', () => {
    const batch = project('hubble.get_flows_response', [
      wire({ IP: { source: '999.1.1.1', destination: '::ffff:1.2.3.4' } }),
      wire({ IP: { source: 'fe80::1%eth0', destination: '' } }),
    ]).flows;
    const rows = rowsOf(batch);
    expect(rows.map(({ src_ip, dst_ip }) => [src_ip, dst_ip])).toEqual([
      ['0'.repeat(32), '00000000000000000000ffff01020304'],
      ['0'.repeat(32), '0'.repeat(32)],
    ]);
    expect(rows[0]?.['extra']).toContain('999.1.1.1');
    expect(rows[1]?.['extra']).toContain('fe80::1%eth0');
  });

  it('B7: a port that no port can be is zero, with its number in extra', () => {
    const batch = project('hubble.get_flows_response', [
      wire({ l4: { UDP: { source_port: 70_000 } } }),
    ]).flows;
    expect(rowsOf(batch)[0]).toMatchObject({ l4_protocol: 2, src_port: 0 });
    expect(plainObject(proto.flow, proto.flow.decode(bytesIn(batch, 'extra', 0)))['l4']).toEqual({
      UDP: { source_port: 70_000 },
    });
    const json = rowsOf(
      projectLines(['{"flow":{"l4":{"TCP":{"source_port":-5,"destination_port":80}}}}']).flows,
    );
    expect(json[0]).toMatchObject({ src_port: 0, dst_port: 80 });
    expect(json[0]?.['extra']).toContain('source_port\0-5');
  });

  it('B9: impossible times are kept and marked, and the row is filed under the received time', () => {
    const quality = (time: object) => flowRow({ time })?.['time_quality'];
    expect(quality({ seconds: -(10n ** 15n) })).toBe(4);
    expect(quality({ seconds: 1n, nanos: 2e9 })).toBe(4);
    expect(quality({})).toBe(2);
    expect(quality({ seconds: 9_000_000_000n })).toBe(1);
    expect(flowRow({ time: { seconds: -(10n ** 15n) } })).toMatchObject({
      bucket_time: 1_800_000_000_000_000_000n,
      time_shift: 0n,
    });
  });

  it('an event over the limit is a dead letter that keeps its first 64 KiB and its size', () => {
    const big = wire({ Summary: 'x'.repeat(200_000) });
    const batches = project('hubble.get_flows_response', [big], { maxEventBytes: 100_000 });
    const [letter] = rowsOf(batches.deadLetters);
    expect(letter).toMatchObject({ reason: 'too_large', size: BigInt(big.length) });
    expect(bytesIn(batches.deadLetters, 'bytes', 0)).toHaveLength(65_536);
    expect(wireFate(big)).toBe('flow');
  });

  it('damage never throws, loses no event, and what still is a message reads as protobufjs reads it', () => {
    const random = new Random(11);
    let compared = 0;
    for (let round = 0; round < 40; round++) {
      const events = Array.from({ length: 50 }, () => damaged(random, wire(randomFlow(random, 20))));
      const batches = project('hubble.get_flows_response', events);
      const [account] = batches.accounts;
      expect(account?.events).toBe(50);
      for (const row of rowsOf(batches.flows))
        compared += compareWithLibrary(row, events[Number(row['_li'])]) ? 1 : 0;
    }
    process.stdout.write(`${compared} of 2000 damaged events read alike in protobufjs\n`);
    expect(compared).toBeGreaterThan(200);
  });
});

/** One to three bytes changed, or the end cut off. */
function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice(0, random.chance(30) ? random.int(bytes.length) : bytes.length);
  const changes = 1 + random.int(3);
  if (copy.length > 0) for (let i = 0; i < changes; i++) copy[random.int(copy.length)] = random.int(256);
  return copy;
}

/** False when the library has no opinion; throws when it has another one. */
function compareWithLibrary(row: Record<string, unknown>, event: Uint8Array | undefined): boolean {
  let response: Record<string, unknown>;
  try {
    response = plainObject(proto.response, proto.response.decode(event ?? new Uint8Array()));
  } catch {
    // The library is stricter here and there, for example about the order in which groups end.
    return false;
  }
  const flow = response['flow'];
  const node = typeof response['node_name'] === 'string' ? response['node_name'] : '';
  if (flow === undefined || usesReplacement(response)) return false;
  requireSameRow(
    row,
    expectedRow(flow as object as Record<string, unknown>, node, undefinedOr(response['time'])),
    {
      event: Buffer.from(event ?? []).toString('hex'),
    },
  );
  return true;
}

function undefinedOr(value: unknown): Record<string, unknown> | undefined {
  return value === undefined ? undefined : (value as Record<string, unknown>);
}

/** protobufjs replaces bad UTF-8 in some strings where we refuse the event. */
function usesReplacement(value: unknown): boolean {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'bigint' ? `${part}` : part,
  ).includes('\ufffd');
}

describe('bad lines (reliability note, B13 to B22)', () => {
  it.each([
    ['B13: only white space', ' \t\r\n', 'blank'],
    ['B13: only a byte order mark', '\ufeff', 'blank'],
    ['B14: a flow without a field', '{"flow":{}}', 'schema'],
    ['B14: null as a flow', '{"flow":null}', 'schema'],
    ['B14: an empty object', '{}', 'schema'],
    ['B14: a list', '[]', 'schema'],
    ['B14: null', 'null', 'schema'],
    ['B14: a number', '123', 'schema'],
    ['B14: a text', '"x"', 'schema'],
    ['B14: no envelope and no flow', '{"time":"2026-01-01T00:00:00Z","node_name":"n"}', 'schema'],
    ['B15: something behind it', '{"flow":{"verdict":1}} x', 'json_trailing'],
    ['B15: two objects', '{"flow":{"verdict":1}}{"flow":{"verdict":2}}', 'json_trailing'],
    ['B15: cut off', '{"flow":{"verdict":1', 'json_syntax'],
    ['B15: a comma too many', '{"flow":{"verdict":1,}}', 'json_syntax'],
    ['B15: a leading zero', '{"flow":{"proxy_port":01}}', 'json_syntax'],
    ['B15: a comment', '{/* */"flow":{}}', 'json_syntax'],
    ['B15: single quotes', "{'flow':{}}", 'json_syntax'],
    ['B15: plain text', 'this is not json', 'json_syntax'],
    ['B18: a number beyond all', '{"flow":{"proxy_port":1e400}}', 'json_value'],
    ['B18: a number beyond all, where nobody looks', '{"flow":{"new":{"x":1e999}}}', 'json_value'],
    ['B18: NaN', '{"flow":{"proxy_port":NaN}}', 'json_syntax'],
    ['B18: a fraction', '{"flow":{"proxy_port":1.5}}', 'json_value'],
    ['a text for a number', '{"flow":{"l4":{"TCP":{"source_port":"http"}}}}', 'json_value'],
    ['a number for a text', '{"flow":{"Summary":1}}', 'json_value'],
    ['a list for an object', '{"flow":{"IP":[]}}', 'json_value'],
    ['an object for a list', '{"flow":{"policy_log":{}}}', 'json_value'],
    ['null in a list', '{"flow":{"policy_log":[null]}}', 'json_value'],
    ['B20: half a surrogate pair', '{"flow":{"Summary":"\\ud800"}}', 'invalid_utf8'],
    ['B20: the other half', '{"flow":{"Summary":"\\udc00x"}}', 'invalid_utf8'],
    ['B20: a NUL', '{"flow":{"Summary":"a\u0000b"}}', 'json_syntax'],
    ['an escape that is none', '{"flow":{"Summary":"\\x41"}}', 'json_syntax'],
    ['B22: a kind we do not keep', '{"debug_event":{"type":1}}', 'unsupported_kind'],
    ['B22: a kind of tomorrow', '{"span_event":{"a":1},"node_name":"n"}', 'unsupported_kind'],
  ])('%s', (_what, line, reason) => {
    expect(lineFate(line)).toBe(reason);
  });

  it('B13: a byte order mark, a carriage return and spaces around an object are nothing', () => {
    expect(lineFate('\ufeff{"flow":{"verdict":1}}')).toBe('flow');
    expect(lineFate('  {"flow":{"verdict":1}}\t\r')).toBe('flow');
  });

  it('B16: of two members with one name the last counts, at every depth', () => {
    const [row] = rowsOf(
      projectLines([
        '{"flow":{"verdict":1},"flow":{"verdict":2,"IP":{"source":"1.1.1.1"},"verdict":3,"policy_log":["a"],"policy_log":["b","c"],"IP":{"destination":"2.2.2.2","destination":"3.3.3.3"},"verdict":4,"proxy_port":7}}',
      ]).flows,
    );
    expect(row).toMatchObject({ verdict: 4, policy_log: ['b', 'c'], src_ip: '0'.repeat(32), proxy_port: 7 });
    expect(row?.['dst_ip']).toBe('00000000000000000000ffff03030303');
  });

  it('B16: names that are special to JavaScript are names like any other', () => {
    const line =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"flow":{"__proto__":{"polluted":1},"verdict":2,"toString":1}}';
    const [row] = rowsOf(projectLines([line]).flows);
    expect(row).toMatchObject({ verdict: 2 });
    expect(row?.['extra']).toContain('__proto__\0{"polluted":1}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('B17: 10,000 levels are too deep, 60 are not', () => {
    const nested = (levels: number, open: string, close: string) =>
      `{"flow":{"verdict":1,"new":${open.repeat(levels)}1${close.repeat(levels)}}}`;
    expect(lineFate(nested(10_000, '[', ']'))).toBe('json_depth');
    expect(lineFate(nested(10_000, '{"a":', '}'))).toBe('json_depth');
    expect(lineFate(nested(60, '[', ']'))).toBe('flow');
    expect(lineFate('['.repeat(10_000))).toBe('json_depth');
  });

  it('B18: minus zero is zero, and 2^53 + 1 is itself', () => {
    const line =
      '{"flow":{"proxy_port":-0,"socket_cookie":9007199254740993,"cgroup_id":"18446744073709551615"}}';
    expect(rowsOf(projectLines([line]).flows)[0]).toMatchObject({
      proxy_port: 0,
      socket_cookie: 9_007_199_254_740_993n,
      cgroup_id: 18_446_744_073_709_551_615n,
    });
  });

  it('B19: a line over the limit is a dead letter', () => {
    const line = encode(`{"flow":{"Summary":"${'x'.repeat(5 * 1024 * 1024)}"}}`);
    expect(lineFate(line)).toBe('too_large');
  });

  it('B20: bytes of another encoding are a dead letter', () => {
    const latin1 = Buffer.from('{"flow":{"Summary":"caf\u00e9"}}', 'latin1');
    expect(lineFate(new Uint8Array(latin1))).toBe('invalid_utf8');
  });

  it('a time that is none is kept as impossible, with its text', () => {
    const [row] = rowsOf(projectLines(['{"flow":{"time":"yesterday","verdict":1}}']).flows);
    expect(row).toMatchObject({ time_quality: 4, verdict: 1 });
    expect(row?.['extra']).toContain('time\0"yesterday"');
  });

  it('no line, however odd, throws or goes unaccounted for', () => {
    const json = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.jsonValue().map((flow) => JSON.stringify({ flow })),
    );
    fc.assert(
      fc.property(fc.array(json, { maxLength: 5 }), (lines) => {
        const [account] = projectLines(lines).accounts;
        expect(account?.events).toBe(lines.length);
      }),
      { numRuns: 300 },
    );
  });

  it('lines with bytes changed at random never throw or go unaccounted for', () => {
    const random = new Random(5);
    const line = encode(
      '{"flow":{"time":"2026-01-02T03:04:05.123456789Z","IP":{"source":"10.0.0.1"},"l4":{"TCP":{"source_port":1,"flags":{"SYN":true}}},"is_reply":false,"verdict":"DROPPED","source":{"labels":["a=b"]}},"node_name":"c/n"}',
    );
    const lines = Array.from({ length: 3000 }, () => damaged(random, line));
    expect(project('hubble.export_json', lines).accounts[0]?.events).toBe(3000);
  });
});

describe('bad records', () => {
  it('B8: a loss of 2^64 - 1 events is kept as it is', () => {
    const line = '{"lost_events":{"num_events_lost":"18446744073709551615"}}';
    expect(rowsOf(projectLines([line]).events)[0]).toMatchObject({ count: 2n ** 64n - 1n });
  });

  it('control events are skipped and counted', () => {
    const value = encodeEnvelope(headerOf('control', 2), [encode('a'), encode('b')]);
    const projection = new Projection(OPTIONS);
    expect(projection.add({ offset: 1n, value })).toMatchObject({ events: 2, skipped: 2 });
    expect(rowsOf(projection.take().skippedEvents)).toMatchObject([
      { reason: 'control' },
      { reason: 'control' },
    ]);
  });
});
