import {
  encodeEnvelope,
  Projection,
  toProtoJson,
  WireFields,
  WireWriter,
  type Codec,
} from '@flowledger/model';
import { describe, expect, it } from 'vitest';
import { flowsOfBatch } from '../live/flows-of-batch.js';
import { RandomMessages } from '../testing/random-message.js';
import { recordedText } from '../testing/recorded-data.js';
import { encodeFlow, flowSummary } from './encode-flow.js';

type Json = Record<string, unknown>;

const RECEIVED_MS = 1_800_000_000_000;
const OPTIONS = { logEpoch: 7n, partition: 0, rawTtlMs: 20 * 365 * 86_400_000, isDuplicate: () => false };

/** The events through the decoder into columns, and each flow encoded again. */
function throughColumns(codec: Codec, events: readonly Uint8Array[]): Uint8Array[] {
  const projection = new Projection(OPTIONS);
  events.forEach((event, at) => {
    const header = {
      version: 1,
      tenant: 'default',
      cluster: 'c1',
      stream: 'sender',
      source: 'test',
      codec,
      count: 1,
      receivedMs: RECEIVED_MS,
    } as const;
    projection.add({ offset: BigInt(at), value: encodeEnvelope(header, [event]) });
  });
  return flowsOfBatch(projection.take(), 'default').map(({ flows: [flow] }) => {
    if (flow === undefined) throw new Error('a record without its flow');
    return encodeFlow(flow);
  });
}

function response(flow: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.bytesField(1, flow);
  return writer.finish();
}

/** An empty message is no flow, so that none is drawn. */
function withVerdict(flow: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.raw(flow);
  writer.uint32Field(2, 1);
  return writer.finish();
}

function json(bytes: Uint8Array): Json {
  const text = toProtoJson('flow.Flow', bytes);
  if (!text.ok) throw new Error(text.reason);
  return JSON.parse(text.value) as Json;
}

/**
 * What a flow may legitimately gain: the text made of its own fields, the deprecated twins with their successors, and
 * the node that only the response named. Labels are a set: they come back sorted, each once.
 */
function expected(sent: Json, back: Json): Json {
  const reasons = { desc: sent['drop_reason_desc'], old: sent['drop_reason'] };
  const sorted = (value: unknown) => [...new Set(value as string[])].sort(byBytes);
  const side = (name: string): Json => {
    const end = sent[name] as Json | undefined;
    if (end === undefined) return {};
    return { [name]: end['labels'] === undefined ? end : { ...end, labels: sorted(end['labels']) } };
  };
  const nodeLabels = sent['node_labels'];
  return {
    ...sent,
    ...side('source'),
    ...side('destination'),
    ...(nodeLabels === undefined ? {} : { node_labels: sorted(nodeLabels) }),
    ...(reasons.desc !== undefined && reasons.old === undefined ? { drop_reason: back['drop_reason'] } : {}),
    ...(reasons.desc === undefined && reasons.old !== undefined
      ? { drop_reason_desc: back['drop_reason_desc'] }
      : {}),
    ...(sent['is_reply'] === true ? { reply: true } : {}),
    ...(sent['reply'] === true && sent['is_reply'] === undefined ? { is_reply: true } : {}),
    ...(sent['node_name'] === undefined ? { node_name: back['node_name'] } : {}),
    ...(sent['Summary'] === undefined && back['Summary'] !== undefined ? { Summary: back['Summary'] } : {}),
  };
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function requireSame(sent: Uint8Array, back: Uint8Array): void {
  const [before, after] = [json(sent), json(back)];
  expect(after).toEqual(expected(before, after));
}

describe('a flow encoded from its columns', () => {
  it.each([5, 30, 80])(
    'is the flow that was sent, for 1,000 random flows with %i of 100 fields',
    (percent) => {
      const random = new RandomMessages(percent);
      const sent = Array.from({ length: 1000 }, () => withVerdict(random.message('flow.Flow', percent)));
      const back = throughColumns('hubble.get_flows_response', sent.map(response));
      expect(back).toHaveLength(sent.length);
      back.forEach((bytes, i) => requireSame(sent[i] ?? bytes, bytes));
    },
  );

  it.each([
    ['flows-hubble-otel-2021.jsonl', 1849],
    ['flows-policy-tools-fixtures.jsonl', 23],
    ['flows-upstream-fixtures.jsonl', 16],
  ])('is the flow that was recorded, for every line of %s', (file, count) => {
    const text = recordedText(`hubble/${file}`);
    if (text === undefined) return;
    const lines = text.split('\n').filter((line) => line !== '');
    const back = throughColumns(
      'hubble.export_json',
      lines.map((line) => Buffer.from(line)),
    );
    expect(back).toHaveLength(count);
    back.forEach((bytes, i) => {
      const line = JSON.parse(lines[i] ?? '{}') as Json;
      const sent = canonical((line['flow'] ?? line) as Json);
      const after = json(bytes);
      expect(canonical(after)).toEqual(expected(sent, after));
    });
  });

  it('keeps the bytes of fields that nobody knows, wherever they were', () => {
    const inner = new WireWriter();
    inner.uint32Field(99, 7);
    const flow = new WireWriter();
    flow.stringField(20_000, 'from a newer version');
    flow.bytesField(6, inner.finish());
    flow.bytesField(8, inner.finish());
    const [back = new Uint8Array()] = throughColumns('hubble.get_flows_response', [response(flow.finish())]);
    const fields = new WireFields(back);
    expect(fields.text(20_000)).toBe('from a newer version');
    expect([fields.message(6)?.uint64(99), fields.message(8)?.uint64(99)]).toEqual([7n, 7n]);
  });

  it('has the summary that Cilium writes, though the store does not keep it', () => {
    const packet = { l4: { TCP: { source_port: 4, destination_port: 80, flags: { SYN: true } } } };
    const line = Buffer.from(JSON.stringify({ flow: { verdict: 'FORWARDED', ...packet } }));
    const [back = new Uint8Array()] = throughColumns('hubble.export_json', [line]);
    expect(json(back)['Summary']).toBe('TCP Flags: SYN');
  });

  it('refuses a record that was read without what it needs', () => {
    const projection = new Projection(OPTIONS);
    const header = { version: 1, tenant: 'default', cluster: '', stream: 's', source: 't' } as const;
    const envelope = { ...header, codec: 'hubble.export_json', count: 1, receivedMs: RECEIVED_MS } as const;
    projection.add({ offset: 0n, value: encodeEnvelope(envelope, [Buffer.from('{"flow":{"verdict":1}}')]) });
    const [record] = flowsOfBatch(projection.take(), 'default');
    const flow = record?.flows[0];
    if (flow === undefined) throw new Error('no flow');
    expect(flowSummary(flow.flow)).toBe('');
    expect(() => encodeFlow({ ...flow, flow: { ...flow.flow, wire: null } })).toThrow(/part wire/);
  });
});

/** Recorded JSON in the form of `toProtoJson`: times with three digits a group, 64-bit numbers as text, no zeros. */
function canonical(value: Json): Json {
  return JSON.parse(JSON.stringify(value), (name: string, part: unknown) => {
    if (name === 'time' && typeof part === 'string') return part.replace(/\.?0+Z$/, 'Z');
    if (['latency_ns', 'revision', 'socket_cookie', 'cgroup_id'].includes(name)) return String(part);
    const zero = part === 0 || part === '' || (part === false && name !== 'is_reply');
    const unset = part === 'UNKNOWN_TYPE' || part === null || (Array.isArray(part) && part.length === 0);
    return zero || unset ? undefined : part;
  }) as Json;
}
