import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shallowHubbleJson, shallowHubbleProto } from './shallow.js';
import { WireWriter } from './wire/wire-writer.js';

const TIME = '2021-06-16T16:52:13.136834446Z';
const TIME_NS = 1_623_862_333_136_834_446n;

function timestamp(seconds: bigint, nanos: number): Uint8Array {
  const writer = new WireWriter();
  writer.uint64Field(1, BigInt.asUintN(64, seconds));
  writer.uint32Field(2, nanos);
  return writer.finish();
}

function flow(node: string | undefined, time: Uint8Array | undefined): Uint8Array {
  const writer = new WireWriter();
  if (time !== undefined) writer.bytesField(1, time);
  writer.uint32Field(2, 1);
  if (node !== undefined) writer.stringField(11, node);
  writer.stringField(100_000, 'TCP Flags: SYN');
  return writer.finish();
}

function response(flowBytes: Uint8Array, node?: string, time?: Uint8Array): Uint8Array {
  const writer = new WireWriter();
  writer.bytesField(1, flowBytes);
  if (node !== undefined) writer.stringField(1000, node);
  if (time !== undefined) writer.bytesField(1001, time);
  return writer.finish();
}

const json = (text: string) => shallowHubbleJson(new TextEncoder().encode(text));

describe('a shallow look at protobuf', () => {
  it('takes node and time of the response', () => {
    const bytes = response(
      flow('inner', timestamp(1n, 1)),
      'c/outer',
      timestamp(1_623_862_333n, 136_834_446),
    );
    expect(shallowHubbleProto(bytes)).toEqual({ node: 'c/outer', timeNs: TIME_NS });
  });

  it('takes what the response lacks from the flow', () => {
    expect(shallowHubbleProto(response(flow('inner', timestamp(2n, 5))))).toEqual({
      node: 'inner',
      timeNs: 2_000_000_005n,
    });
    expect(shallowHubbleProto(response(flow('inner', timestamp(-2n, 0)), 'outer'))).toEqual({
      node: 'outer',
      timeNs: -2_000_000_000n,
    });
  });

  it('answers with nothing, and never throws, when there is nothing or the bytes are damaged', () => {
    expect(shallowHubbleProto(new Uint8Array(0))).toEqual({ node: '' });
    const bytes = response(flow('inner', timestamp(1n, 1)), 'outer', timestamp(2n, 2));
    for (let i = 0; i < bytes.length; i++)
      expect(shallowHubbleProto(bytes.subarray(0, i)).node).toBeTypeOf('string');
    expect(shallowHubbleProto(response(flow('n', timestamp(10n ** 15n, 0))))).toEqual({ node: 'n' });
  });
});

describe('a shallow look at JSON', () => {
  it.each([
    [
      'an envelope',
      `{"flow":{"time":"2020-01-01T00:00:00Z","node_name":"in"},"node_name":"c/n1","time":"${TIME}"}`,
    ],
    ['a bare flow', `{"time":"${TIME}","verdict":"FORWARDED","node_name":"c/n1","Summary":"x"}`],
    ['lowerCamel', `{"flow":{"nodeName":"c/n1","time":"${TIME}"}}`],
    ['a log line', `level=info msg="{\\"flow\\":{},\\"node_name\\":\\"c/n1\\",\\"time\\":\\"${TIME}\\"}"`],
    ['spaces', `{"node_name" : "c/n1", "time" :\t"${TIME}" }`],
  ])('reads node and time of %s', (_shape, text) => {
    expect(json(text)).toEqual({ node: 'c/n1', timeNs: TIME_NS });
  });

  it('keeps node and leaves out a time it cannot read', () => {
    expect(json('{"node_name":"n","time":"yesterday"}')).toEqual({ node: 'n' });
    expect(json('{"node_name":7}')).toEqual({ node: '' });
    expect(json('')).toEqual({ node: '' });
    expect(json('{"node_name":"cut')).toEqual({ node: '' });
  });
});

describe('the end of an export line', () => {
  /** What a search for the last members finds, by putting something behind them that changes nothing. */
  const searched = (line: string) => shallowHubbleJson(Buffer.from(`${line.slice(0, -1)} }`));
  const times = ['2026-01-02T03:04:05Z', '2026-02-29T00:00:00Z', '1969-12-31T23:59:59.5Z', 'never', ''];

  it('is read as a search reads it', () => {
    const text = fc.oneof(
      fc.constantFrom('a', 'k8s/worker-1', 'ü', 'a\\', 'x","time":"y', '', '"node_name":"z'),
      fc.string({ maxLength: 300 }),
    );
    const time = fc.oneof(
      fc.constantFrom(...times),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(text, time, text, fc.boolean(), (node, at, inner, escaped) => {
        const name = escaped ? JSON.stringify(node).slice(1, -1) : node;
        const flow = `{"node_name":"inner","time":"2020-01-01T00:00:00Z","Summary":${JSON.stringify(inner)}}`;
        const line = `{"flow":${flow},"node_name":"${name}","time":"${at}"}`;
        expect(shallowHubbleJson(Buffer.from(line))).toEqual(searched(line));
        const cut = line.slice(line.length >> 1);
        expect(shallowHubbleJson(Buffer.from(cut))).toEqual(searched(cut));
      }),
      { numRuns: 2_000 },
    );
  });
});
