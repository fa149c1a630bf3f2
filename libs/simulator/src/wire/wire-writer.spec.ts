import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { WireWriter } from './wire-writer.js';

const root = protobuf.parse(`
  syntax = "proto3";
  message Inner { string text = 1; repeated string list = 3; }
  message Outer { uint64 number = 1; bool flag = 2; Inner inner = 21001; bytes raw = 100000; }
`).root;
const Outer = root.lookupType('Outer');

describe('the wire writer', () => {
  it('writes what a standard protobuf library reads', () => {
    const writer = new WireWriter(1);
    const inner = fc.record({
      text: fc.string({ unit: 'binary', maxLength: 300 }),
      list: fc.array(fc.string()),
    });
    fc.assert(
      fc.property(
        fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        fc.boolean(),
        inner,
        fc.uint8Array({ maxLength: 20_000 }),
        (number, flag, { text, list }, raw) => {
          writer.reset();
          writer.uint(1, number);
          writer.bool(2, flag);
          const mark = writer.begin(21_001);
          writer.string(1, text);
          for (const element of list) writer.element(3, element);
          writer.end(mark);
          writer.bytes(100_000, raw);
          for (const bytes of [writer.finish(), writer.take()]) {
            const read = Outer.toObject(Outer.decode(bytes), { longs: String, defaults: true, arrays: true });
            const numbers = { number: String(read['number']) };
            expect({ ...read, ...numbers, raw: [...read['raw']] }).toEqual({
              number: String(number),
              flag,
              inner: { text, list },
              raw: [...raw],
            });
          }
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('leaves zero values out, but not the elements of a list', () => {
    const writer = new WireWriter();
    writer.uint(1, 0);
    writer.bool(2, false);
    writer.string(3, '');
    expect(writer.length).toBe(0);
    writer.element(3, '');
    expect([...writer.finish()]).toEqual([26, 0]);
  });

  it('never touches bytes that it gave away', () => {
    const writer = new WireWriter();
    const views = Array.from({ length: 2000 }, (_, i) => {
      writer.reset();
      writer.string(1, `message ${i}`.repeat(1 + (i % 20)));
      return { view: writer.take(), copy: writer.finish() };
    });
    for (const { view, copy } of views) expect([...view]).toEqual([...copy]);
  });
});
