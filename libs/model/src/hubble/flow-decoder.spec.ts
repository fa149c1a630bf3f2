import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { expectedRow } from '../testing/expected-row.js';
import { loadHubbleProto, plainObject } from '../testing/hubble-proto.js';
import { project } from '../testing/project.js';
import { Random, randomFlow } from '../testing/random-flow.js';
import { bytesIn, rebuildFlow } from '../testing/rebuild-flow.js';
import { rowsOf } from '../testing/rows.js';
import { requireSameRow } from '../testing/same.js';
import { WireReader } from '../wire/wire-reader.js';
import { WireWriter } from '../wire/wire-writer.js';

const proto = loadHubbleProto();
const encodeFlow = (flow: object) => proto.flow.encode(proto.flow.fromObject(flow)).finish();
const decodeFlow = (bytes: Uint8Array) => plainObject(proto.flow, proto.flow.decode(bytes));

function response(flow: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.bytesField(1, flow);
  return writer.finish();
}

const projectFlows = (flows: readonly Uint8Array[]) =>
  project('hubble.get_flows_response', flows.map(response));

/** The fields of a message one by one, tag and value. */
function fieldsOf(message: Uint8Array): Uint8Array[] {
  const reader = new WireReader();
  reader.load(message, 0, message.length);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.end) {
    const start = reader.pos;
    reader.skip(reader.uint32());
    fields.push(message.slice(start, reader.pos));
  }
  return fields;
}

/** The same tag written with one byte more than it needs. */
function padTag(field: Uint8Array): Uint8Array {
  const last = field.findIndex((byte) => byte < 128);
  return Uint8Array.of(...field.subarray(0, last), (field[last] ?? 0) | 128, 0, ...field.subarray(last + 1));
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A message with a field that nobody knows. */
function unknownField(random: Random): Uint8Array {
  const writer = new WireWriter();
  const number = random.pick([42, 999, 20_000, 536_870_911]);
  if (random.chance(30)) writer.uint32Field(number, random.int(1000));
  else if (random.chance(50)) writer.fixed64Field(number, 5n);
  else writer.stringField(number, 'from a newer version');
  return writer.finish();
}

describe('decoding a flow', () => {
  it('merges messages and lets the last scalar win when a field comes twice, as protobufjs does', () => {
    const random = new Random(7);
    const flows = Array.from({ length: 200 }, () =>
      join([
        encodeFlow(randomFlow(random, 40)),
        encodeFlow(randomFlow(random, 40)),
        encodeFlow({ proxy_port: 1 }),
      ]),
    );
    const rows = rowsOf(projectFlows(flows).flows);
    expect(rows).toHaveLength(flows.length);
    rows.forEach((row, i) => {
      requireSameRow(row, expectedRow(decodeFlow(flows[i] ?? new Uint8Array())), { i });
    });
  });

  it('reads fields in any order, with padded tags, and keeps fields it does not know as they were sent', () => {
    const random = new Random(8);
    const flows = Array.from({ length: 150 }, () => {
      const fields = fieldsOf(encodeFlow(randomFlow(random, 30))).map((field) =>
        random.chance(20) ? padTag(field) : field,
      );
      const unknown = unknownField(random);
      for (let i = fields.length - 1; i > 0; i--) {
        const other = random.int(i + 1);
        const field = fields[i] ?? unknown;
        fields[i] = fields[other] ?? unknown;
        fields[other] = field;
      }
      return { bytes: join([...fields, unknown, encodeFlow({ verdict: 1 })]), unknown };
    });
    const batch = projectFlows(flows.map(({ bytes }) => bytes)).flows;
    const rows = rowsOf(batch);
    expect(rows).toHaveLength(flows.length);
    rows.forEach((row, i) => {
      const { bytes, unknown } = flows[i] ?? { bytes: new Uint8Array(), unknown: new Uint8Array() };
      requireSameRow(row, expectedRow(decodeFlow(bytes)), { i });
      expect(Buffer.from(bytesIn(batch, 'extra', i)).includes(Buffer.from(unknown))).toBe(true);
    });
  });

  it('loses nothing: columns, policies and extra together give the flow back', () => {
    const random = new Random(9);
    const flows = Array.from({ length: 300 }, () =>
      encodeFlow({ node_name: 'c1/n1', ...randomFlow(random, random.pick([5, 30, 100])) }),
    );
    const batches = projectFlows(flows);
    const labelSets = new Map(rowsOf(batches.labelSets).map(({ id, labels }) => [id, labels as string[]]));
    const labelsOf = (id: unknown) => labelSets.get(id) ?? [];
    rowsOf(batches.flows).forEach((row, i) => {
      const bytes = [encodeFlow(rebuildFlow(row, labelsOf))];
      const back = decodeFlow(
        join([...bytes, bytesIn(batches.flows, 'policies', i), bytesIn(batches.flows, 'extra', i)]),
      );
      const sent = withTwins(decodeFlow(flows[i] ?? new Uint8Array()));
      if (!isDeepStrictEqual(comparable(back), comparable(sent)))
        expect(comparable(back)).toEqual(comparable(sent));
    });
  });

  it('remembers messages that were sent without content, which no column shows', () => {
    for (const field of [4, 5, 6, 8, 9, 20, 21, 28, 30, 38, 40, 41, 21_007]) {
      const writer = new WireWriter();
      writer.bytesField(field, new Uint8Array(0));
      const batch = projectFlows([writer.finish()]).flows;
      expect([field, bytesIn(batch, 'extra', 0)]).toEqual([field, writer.finish()]);
      expect(rowsOf(batch)[0]).toMatchObject({ weight: 1n, l4_protocol: 0, src_identity: 0 });
    }
  });

  it('keeps the text of an address that its column gives back in another form', () => {
    for (const text of ['::ffff:102:304', '::', 'F00D::1', '0:0:0:0:0:0:0:1']) {
      const flow = encodeFlow({ IP: { source: text, destination: '1.2.3.4' } });
      const batch = projectFlows([flow]).flows;
      expect(decodeFlow(bytesIn(batch, 'extra', 0))).toEqual({ IP: { source: text } });
    }
    const exact = encodeFlow({ IP: { source: 'f00d::a10:0:0:10', destination: '0.0.0.0' } });
    expect(bytesIn(projectFlows([exact]).flows, 'extra', 0)).toHaveLength(0);
  });

  it('keeps what newer versions put inside known messages', () => {
    const inner = new WireWriter();
    inner.uint32Field(3, 7);
    const sctp = new WireWriter();
    sctp.bytesField(5, inner.finish());
    const flow = new WireWriter();
    flow.bytesField(6, sctp.finish());
    const batch = projectFlows([flow.finish()]).flows;
    expect(rowsOf(batch)[0]).toMatchObject({ l4_protocol: 5 });
    expect(bytesIn(batch, 'extra', 0)).toEqual(flow.finish());
  });
});

/** The deprecated twins put where their successors are absent, as the columns have it. */
function withTwins(flow: Record<string, unknown>): Record<string, unknown> {
  const reason = Number(flow['drop_reason'] ?? 0);
  const own = Number(flow['drop_reason_desc'] ?? 0);
  const reply = flow['reply'] === true ? { value: true } : undefined;
  return {
    ...flow,
    drop_reason_desc: own === 0 && reason <= 32_767 ? reason : own,
    is_reply: flow['is_reply'] ?? reply,
  };
}

/** Without zero values and empty messages whose absence is the same, and without what only repeats another field. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== 'object' || value === null) return value;
  const derived = ['drop_reason', 'reply', 'Summary'];
  const kept = Object.entries(value)
    .filter(([name]) => !derived.includes(name))
    .map(([name, part]) => [name, comparable(part)] as const)
    .filter(([, part]) => !isZero(part));
  return Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isZero(value: unknown): boolean {
  if (value === 0 || value === 0n || value === '' || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
