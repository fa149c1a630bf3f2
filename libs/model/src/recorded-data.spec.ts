import { describe, expect, it } from 'vitest';
import { project, projectLines } from './testing/project.js';
import { expectedRow } from './testing/expected-row.js';
import { fromProtoJson } from './testing/from-protojson.js';
import { loadHubbleProto, plainObject } from './testing/hubble-proto.js';
import { haveRecordedData, recordedLines } from './testing/recorded-data.js';
import { rowsOf, type Row } from './testing/rows.js';
import { requireSameRow } from './testing/same.js';

const have = haveRecordedData();
const proto = loadHubbleProto();
const FLOW_FILES = [
  ['flows-hubble-otel-2021.jsonl', 1849],
  ['flows-policy-tools-fixtures.jsonl', 23],
  ['flows-upstream-fixtures.jsonl', 16],
] as const;

interface Line {
  readonly json: string;
  /** As a standard library encodes it. */
  readonly wire: Uint8Array;
  readonly bare: boolean;
}

function readLines(file: string): Line[] {
  return recordedLines(file).map((json) => {
    const object = JSON.parse(json) as Record<string, unknown>;
    const members = ['flow', 'agent_event', 'lost_events', 'node_status'];
    const bare = !members.some((name) => object[name] !== undefined);
    const event = fromProtoJson(proto.exportEvent, bare ? { flow: object } : object);
    return { json, bare, wire: proto.exportEvent.encode(proto.exportEvent.fromObject(event)).finish() };
  });
}

describe.runIf(have)('recorded events', () => {
  it.each(FLOW_FILES)('%s: JSON, protobuf and protobufjs give the same %i rows', (file, count) => {
    const lines = readLines(file);
    const fromJson = projectLines(lines.map(({ json }) => json));
    const fromWire = project(
      'hubble.get_flows_response',
      lines.map(({ wire }) => wire),
    );
    expect(fromJson.accounts[0]).toMatchObject({ events: count, flows: count, dead: 0 });
    expect(fromJson.labelSets).toEqual(fromWire.labelSets);
    expect(rowsOf(fromJson.endpoints)).toEqual(rowsOf(fromWire.endpoints));
    const wireRows = rowsOf(fromWire.flows);
    rowsOf(fromJson.flows).forEach((row, i) => {
      const wire = lines[i]?.wire ?? new Uint8Array();
      const decoded = plainObject(proto.exportEvent, proto.exportEvent.decode(wire));
      const flow = decoded['flow'] as Record<string, unknown>;
      const node = typeof decoded['node_name'] === 'string' ? decoded['node_name'] : '';
      requireSameRow(row, wireRows[i] ?? {}, { file, i });
      requireSameRow(row, expectedRow(flow, node, decoded['time'] as Row), { file, i });
      expect(row['fallback_key']).toBe(wireRows[i]?.['fallback_key']);
    });
  });

  it('agent events: JSON and protobuf give the same rows, of every kind', () => {
    const lines = readLines('agent-events-upstream-fixtures.jsonl');
    const fromJson = projectLines(lines.map(({ json }) => json)).events;
    const fromWire = project(
      'hubble.get_flows_response',
      lines.map(({ wire }) => wire),
    ).events;
    const strip = ({ bytes: _bytes, ...row }: Row) => row;
    expect(rowsOf(fromJson).map(strip)).toEqual(rowsOf(fromWire).map(strip));
    expect(rowsOf(fromJson).map(({ type, text, labels, pod }) => [type, text, labels, pod])).toEqual([
      [0, 'null', [], ''],
      [0, '{"Foo":23,"Bar":42}', [], ''],
      [0, '{"Foo":23,"Bar":42}', [], ''],
      [3, '', ['hubble=rocks', 'cilium=too'], ''],
      [4, '', ['foo=bar'], ''],
      [5, '', ['custom=label', 'label=another'], ''],
      [6, 'error regenerating endpoint', ['custom=label', 'label=another'], ''],
      [7, '', ['custom=label', 'label=another'], 'devnull'],
      [8, '', ['custom=label', 'label=another'], 'devnull'],
      [9, '10.0.1.42/32', [], 'foobar'],
      [9, '192.168.10.11/32', [], 'podmcpodface'],
      [10, '192.168.10.0/24', [], ''],
      [11, 'myService', [], ''],
      [12, '', [], ''],
    ]);
  });

  it('a damaged line is one dead letter and costs its neighbours nothing', () => {
    const batches = projectLines(recordedLines('malformed-lines.txt'));
    expect(batches.accounts[0]).toMatchObject({ events: 3, flows: 2, dead: 1 });
    expect(rowsOf(batches.deadLetters)).toMatchObject([{ _li: 1, reason: 'json_syntax' }]);
  });

  it('every recorded flow has its fallback key to itself, except exact repetitions', () => {
    const lines = recordedLines('flows-hubble-otel-2021.jsonl');
    const rows = rowsOf(projectLines(lines).flows);
    const linesByKey = new Map<unknown, Set<string>>();
    rows.forEach((row, i) => {
      const known = linesByKey.get(row['fallback_key']) ?? new Set();
      linesByKey.set(row['fallback_key'], known.add(lines[i] ?? ''));
    });
    expect([...linesByKey.values()].filter((known) => known.size > 1)).toEqual([]);
  });

  it('the canonical workload is the one that Hubble sent, but for one made-up fixture', () => {
    const flows = FLOW_FILES.flatMap(([file]) => rowsOf(projectLines(recordedLines(file)).flows));
    const sides = flows.flatMap((row) =>
      ['src', 'dst'].map((side) => ({
        sent: (row[`${side}_workloads`] as string[])[0],
        canonical: [row[`${side}_workload_kind`], row[`${side}_workload`]].join('/'),
      })),
    );
    const both = sides.filter(({ sent }) => sent !== undefined);
    const differ = both.filter(({ sent, canonical }) => sent !== canonical);
    process.stdout.write(
      `canonical workload as sent: ${both.length - differ.length} of ${both.length} sides\n`,
    );
    // A hand-made fixture: its pod name and labels say receiver, its workload says shop.
    expect(differ).toEqual([{ sent: 'Deployment/shop', canonical: 'Deployment/receiver' }]);
  });

  it('client and server follow from the evidence for nearly every recorded flow', () => {
    const rows = rowsOf(projectLines(recordedLines('flows-hubble-otel-2021.jsonl')).flows);
    const unknown = rows.filter((row) => row['client_side'] === 0).length;
    process.stdout.write(`client unknown: ${unknown} of ${rows.length} flows\n`);
    expect(unknown / rows.length).toBeLessThan(0.02);
  });

  it('only summaries that say something else than their record have to be kept', () => {
    const rows = FLOW_FILES.flatMap(([file]) => rowsOf(projectLines(recordedLines(file)).flows));
    const kept = rows.map((row) => row['summary']).filter((summary) => summary !== '');
    expect(kept).toEqual([
      'DNS Query accounts.bank.svc.cluster.local.bank.svc.cluster.local. AAAA',
      'TCP Flags: SYN',
      "Kafka request 1234 correlation id 1 topic 'my-topic[^[30mblack[^[0m[^\\r'",
    ]);
  });
});
