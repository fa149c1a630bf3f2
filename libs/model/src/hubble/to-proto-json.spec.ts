import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromProtoJson } from '../testing/from-protojson.js';
import { loadHubbleProto } from '../testing/hubble-proto.js';
import { haveRecordedData, recordedLines } from '../testing/recorded-data.js';
import { toProtoJson } from './to-proto-json.js';

const proto = loadHubbleProto();
const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url)), 'utf8');

function wireOf(line: string): Uint8Array {
  const event = fromProtoJson(proto.exportEvent, JSON.parse(line) as Record<string, unknown>);
  return proto.exportEvent.encode(proto.exportEvent.fromObject(event)).finish();
}

function back(line: string): unknown {
  const outcome = toProtoJson('observer.ExportEvent', wireOf(line));
  return outcome.ok ? (JSON.parse(outcome.value) as unknown) : outcome.reason;
}

describe('protobuf JSON of an event', () => {
  it.each([
    'envelope.jsonl',
    'old.jsonl',
    'masked.jsonl',
    'lost-events.jsonl',
    'node-status.jsonl',
    'agent-event.jsonl',
    'debug-event.jsonl',
  ])('of %s is the line it came from', (file) => {
    expect(back(fixture(file))).toEqual(JSON.parse(fixture(file)));
  });

  it.runIf(haveRecordedData())('of every recorded line is that line', () => {
    const files = [
      'flows-hubble-otel-2021.jsonl',
      'flows-policy-tools-fixtures.jsonl',
      'agent-events-upstream-fixtures.jsonl',
    ];
    for (const line of files.flatMap(recordedLines))
      expect(back(line)).toEqual(JSON.parse(line.replace(/\.(\d{3})000(\d*)Z/g, '.$1000$2Z')));
  });

  it('names unknown enum numbers by number, takes the last member of a oneof and leaves unknown fields out', () => {
    const flow = proto.flow
      .encode(proto.flow.fromObject({ verdict: 99, l4: { TCP: { source_port: 1 } } }))
      .finish();
    const more = proto.flow.encode(proto.flow.fromObject({ l4: { UDP: { source_port: 2 } } })).finish();
    const unknown = Uint8Array.of(0x90, 0x4e, 1);
    const outcome = toProtoJson('flow.Flow', Buffer.concat([flow, more, unknown]));
    expect(outcome).toEqual({ ok: true, value: '{"verdict":99,"l4":{"UDP":{"source_port":2}}}' });
  });

  it('rejects bytes that are no message and texts that are no UTF-8', () => {
    expect(toProtoJson('flow.Flow', Uint8Array.of(0x0a, 5))).toEqual({ ok: false, reason: 'wire' });
    expect(toProtoJson('flow.Flow', Uint8Array.of(0x5a, 1, 0xff))).toEqual({
      ok: false,
      reason: 'invalid_utf8',
    });
    expect(toProtoJson('flow.Flow', Uint8Array.of(0x42, 3, 0x1a, 1, 0xff))).toEqual({
      ok: false,
      reason: 'invalid_utf8',
    });
  });
});
