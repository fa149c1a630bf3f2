import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from './envelope.js';
import { scanEvents } from './scan-events.js';
import { headerOf, OPTIONS } from './testing/project.js';
import { Projection } from './projection.js';

const encode = (line: string) => new TextEncoder().encode(line);
const LINES = [
  '{"flow":{"time":"2026-01-02T03:04:05.000000006Z","uuid":"b1bc7cbf-d212-4b15-bd6f-9c7778132e4f","node_name":"c/n"}}',
  '{"flow":{"time":"2026-01-02T03:04:05Z","verdict":"DROPPED"},"node_name":"n2"}',
  '{"flow":{"verdict":"DROPPED"}}',
  'not json',
  '{"lost_events":{"source":1,"num_events_lost":"3"},"node_name":"n1","time":"2026-01-02T03:04:07Z"}',
];

describe('scanning a record for keys', () => {
  it('gives the streams and keys that the projection asks about, except for events without a time', () => {
    const value = encodeEnvelope(headerOf('hubble.export_json', LINES.length), LINES.map(encode));
    const asked: [string, bigint][] = [];
    const isDuplicate = (stream: { id: string }, key: bigint) => asked.push([stream.id, key]) < 0;
    new Projection({ ...OPTIONS, isDuplicate }).add({ offset: 1n, value });
    const scanned = [...scanEvents(value)];
    expect(scanned.map(({ stream, eventKey }) => [stream.id, eventKey])).toEqual([
      asked[0],
      asked[1],
      asked[3],
    ]);
    expect(scanned.map(({ timeNs }) => timeNs)).toEqual([
      1_767_323_045_000_000_006n,
      1_767_323_045_000_000_000n,
      1_767_323_047_000_000_000n,
    ]);
  });

  it('finds nothing in a control record or in what is no envelope', () => {
    expect([...scanEvents(encodeEnvelope(headerOf('control', 1), [encode('x')]))]).toEqual([]);
    expect([...scanEvents(encode('junk'))]).toEqual([]);
  });
});
