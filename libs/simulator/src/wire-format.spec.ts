import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Simulation, toJsonLine, type SimulatedEvent } from './index.js';
import { offenders } from './testing/json-flow.js';

const SECOND = 1_000_000_000n;
const START = 1_790_000_000n * SECOND;
const PROTO = join(import.meta.dirname, '../../../proto');

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => {
  const path = join(PROTO, target);
  return existsSync(path) ? path : target;
};
root.loadSync('hubble/observer.proto', { keepCase: true });
const ExportEvent = root.lookupType('observer.ExportEvent');

const simulation = new Simulation({
  seed: 11,
  from: START,
  to: START + 240n * SECOND,
  callsPerSecond: 12,
  scenario: 'test',
  faults: { lostEvents: 0.02, podChurn: 60, nodeOutages: 120, aggregatedShare: 0.03 },
});
/** Everything that is rare, and every third flow: decoding twice is dear. */
const events = [...simulation.events()].filter(({ kind }, index) => kind !== 'flow' || index % 3 === 0);

/** protobufjs objects as protobuf JSON: bare wrappers, times as text. */
function plain(value: unknown, type: protobuf.Type | protobuf.Enum | null): unknown {
  if (Array.isArray(value)) return value.map((one) => plain(one, type));
  if (!(type instanceof protobuf.Type)) return value;
  const object = value as Record<string, unknown>;
  if (type.fullName === '.google.protobuf.Timestamp') return time(object);
  if (type.fullName.endsWith('Value')) return object['value'] ?? (type.name === 'BoolValue' ? false : 0);
  return Object.fromEntries(
    Object.entries(object).map(([name, one]) => {
      const field = type.fields[name];
      return [name, plain(one, field?.resolve().resolvedType ?? null)];
    }),
  );
}

function time(object: Record<string, unknown>): string {
  const seconds = new Date(Number(object['seconds']) * 1000).toISOString().slice(0, 19);
  const digits = String(object['nanos'] ?? 0)
    .padStart(9, '0')
    .replace(/(000)+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** An event as our JSON line and as the library's object. */
function bothWays(event: SimulatedEvent): { ours: unknown; theirs: unknown } {
  const message = ExportEvent.toObject(ExportEvent.decode(event.bytes), { enums: String, longs: String });
  const theirs = plain(message, ExportEvent) as object;
  const ours: unknown = JSON.parse(toJsonLine(event));
  return {
    ours,
    theirs: event.kind === 'flow' ? theirs : { ...theirs, node_name: event.node.split('/')[1] },
  };
}

describe('the bytes of events', () => {
  it('are read by a standard protobuf library without a rest, and say what the JSON line says', () => {
    const leavesNoRest = ({ bytes }: SimulatedEvent): boolean =>
      ExportEvent.encode(ExportEvent.decode(bytes)).finish().length === bytes.length;
    expect(offenders(events, leavesNoRest)).toEqual([]);
    const differing = events.map(bothWays).filter(({ ours, theirs }) => !isDeepStrictEqual(ours, theirs));
    expect(differing.slice(0, 3)).toEqual([]);
    const kinds = new Set(events.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['agent_event', 'flow', 'lost_events', 'node_status']);
  });

  it('carry node and time as the event does', () => {
    const agrees = ({ bytes, node, timeNs }: SimulatedEvent): boolean => {
      const message = ExportEvent.toObject(ExportEvent.decode(bytes), { longs: Number });
      const { seconds, nanos = 0 } = message['time'] as { seconds: number; nanos?: number };
      return message['node_name'] === node && BigInt(seconds) * SECOND + BigInt(nanos) === timeNs;
    };
    expect(offenders(events, agrees)).toEqual([]);
  });
});

describe('JSON lines', () => {
  const lines = events.map((event) => toJsonLine(event));

  it('are one object each, without a line feed', () => {
    expect(offenders(lines, (line) => !line.includes('\n') && line.startsWith('{'))).toEqual([]);
    for (const line of lines.slice(0, 100)) expect(typeof JSON.parse(line)).toBe('object');
  });

  it('write 64-bit numbers as text, enums as names and wrappers bare, and leave zero values out', () => {
    const text = lines.join('\n');
    expect(text).toMatch(/"latency_ns":"\d+"/);
    expect(text).toMatch(/"socket_cookie":"\d+"/);
    expect(text).toMatch(/"num_events_lost":"\d+"/);
    expect(text).toMatch(/"is_reply":false/);
    expect(text).toMatch(/"cpu":0/);
    expect(text).not.toMatch(/"(verdict|Type|trace_reason|trace_observation_point|traffic_direction)":\d/);
    const zero = /"(?!is_reply|cpu)[A-Za-z_]+":(0|false|""|\[\]|null)[,}]/;
    expect(text).not.toMatch(zero);
  });

  it('write times in UTC with nanoseconds', () => {
    const flow = events.find((event) => event.kind === 'flow' && event.timeNs % 1000n !== 0n);
    expect(flow).toBeDefined();
    if (flow === undefined) return;
    const { time: text } = JSON.parse(toJsonLine(flow)) as { time: string };
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(text.endsWith(`${(flow.timeNs % SECOND).toString().padStart(9, '0')}Z`)).toBe(true);
  });
});
