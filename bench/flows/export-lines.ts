import { createWriteStream } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { toJsonLine } from '@flowledger/simulator';
import type { MadeFlow } from './made-flows.js';

const LINES_AT_ONCE = 200;

function* chunks(flows: Iterable<MadeFlow>): Generator<Buffer> {
  let lines: string[] = [];
  for (const flow of flows) {
    lines.push(toJsonLine({ ...flow, kind: 'flow' }));
    if (lines.length < LINES_AT_ONCE) continue;
    yield Buffer.from(`${lines.join('\n')}\n`);
    lines = [];
  }
  if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`);
}

/** Writes the flows as Hubble's exporter would, one JSON line each. */
export async function writeExportFile(path: string, flows: Iterable<MadeFlow>): Promise<void> {
  await pipeline(Readable.from(chunks(flows)), createWriteStream(path));
}

/** Average bytes a flow of the export file after gzip at its usual level. */
export async function gzippedBytes(flows: Iterable<MadeFlow>): Promise<number> {
  let [bytes, count] = [0, 0];
  const counted = function* (): Generator<MadeFlow> {
    for (const flow of flows) {
      count++;
      yield flow;
    }
  };
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      done();
    },
  });
  await pipeline(Readable.from(chunks(counted())), createGzip({ level: 6 }), sink);
  return bytes / count;
}
