import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesName } from './file-glob.js';
import { LineCutter } from './line-cutter.js';

describe('LineCutter', () => {
  it('finds the same lines and their ends however the bytes are cut into chunks', () => {
    const line = fc.string({ maxLength: 40 }).map((text) => text.replace(/[\n\r\ufeff]/g, '') || 'x');
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.nat(400), { maxLength: 10 }),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
          const cutter = new LineCutter(1000);
          const bounds = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          const found = bounds.slice(1).flatMap((end, i) => cutter.push(bytes.subarray(bounds[i], end)));
          expect(found.map((cut) => Buffer.from(cut.bytes).toString())).toEqual(lines);
          let end = 1000;
          for (const [i, text] of lines.entries())
            expect(found[i]?.end).toBe((end += Buffer.byteLength(text) + 1));
          expect(cutter.finish()).toEqual([]);
        },
      ),
    );
  });

  it('keeps the first 64 KiB of a line that is too long and goes on after it', () => {
    const cutter = new LineCutter(0, 100_000);
    const found = [...Array(50)].flatMap(() => cutter.push(Buffer.alloc(10_000, 97)));
    expect(found).toEqual([]);
    expect(cutter.partialBytes).toBe(65_536);
    const [long, next] = cutter.push(Buffer.from('\nnext\n'));
    expect(long?.bytes.length).toBe(65_536);
    expect(Buffer.from(next?.bytes ?? []).toString()).toBe('next');
    expect(next?.end).toBe(500_006);
  });
});

describe('matchesName', () => {
  it.each([
    ['events.log', 'events.log', true],
    ['events.log', 'events-log', false],
    ['events*.log', 'events-1.log', true],
    ['events*.log', 'events.log', true],
    ['events*.log', 'events.log.gz', false],
    ['*', '.hidden', false],
    ['.h*', '.hidden', true],
    ['node-?', 'node-1', true],
    ['node-?', 'node-12', false],
    ['**a*', 'banana', true],
    ['', '', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matchesName(pattern, name)).toBe(expected);
  });

  it('takes no time to speak of for patterns that are made to be slow', () => {
    const began = performance.now();
    expect(matchesName('*a'.repeat(30), `${'a'.repeat(200)}b`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
