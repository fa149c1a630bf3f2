import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamagedGzip, readLines, type LinesOptions } from './lines.js';

async function lines(chunks: readonly (string | Buffer)[], options?: LinesOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const group of readLines(Readable.from(chunks.map((c) => Buffer.from(c))), options)) {
    for (const line of group) found.push((line.oversized ? '!' : '') + Buffer.from(line.bytes).toString());
  }
  return found;
}

describe('reading lines', () => {
  it('gives the same lines however the bytes are cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 20 })),
        fc.array(fc.nat(10), { minLength: 1 }),
        async (texts, cuts) => {
          const clean = texts.map((t) => t.replaceAll(/[\r\n]/g, ''));
          const bytes = Buffer.from(clean.join('\n'));
          const chunks: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const end = at + 1 + (cuts[i % cuts.length] ?? 0);
            chunks.push(bytes.subarray(at, end));
            at = end;
          }
          expect(await lines(chunks)).toEqual(clean.filter((t) => t !== ''));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('takes away a byte order mark, CRLF and empty lines, and needs no newline at the end', async () => {
    expect(await lines(['\uFEFFa\r\n\r\n\nb'])).toEqual(['a', 'b']);
    expect(await lines([])).toEqual([]);
    expect(await lines(['\n\n'])).toEqual([]);
    expect(await lines(['\uFEFF'])).toEqual([]);
  });

  it('reads gzip, also several members one after the other', async () => {
    expect(await lines([Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')])])).toEqual(['a', 'b', 'c']);
  });

  it('hands out the complete lines of a cut gzip file, then says that it is damaged', async () => {
    const whole = gzipSync(Array.from({ length: 50_000 }, (_, i) => `line ${i} ${Math.sin(i)}`).join('\n'));
    const found: number[] = [];
    const read = async (): Promise<void> => {
      for await (const group of readLines(Readable.from([whole.subarray(0, whole.length / 2)])))
        found.push(group.length);
    };
    await expect(read()).rejects.toBeInstanceOf(DamagedGzip);
    expect(found.reduce((a, b) => a + b, 0)).toBeGreaterThan(1000);
  });

  it('keeps the first 64 KiB of a line over the limit and goes on after it', async () => {
    const found = await lines(['a\n', 'x'.repeat(90_000), 'x'.repeat(90_000), '\nb\n'], {
      maxLineBytes: 100_000,
    });
    expect(found.map((l) => l.length)).toEqual([1, 64 * 1024 + 1, 1]);
    expect(found[1]?.startsWith('!')).toBe(true);
  });
});
