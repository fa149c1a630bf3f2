import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openEmbeddedLog } from './embedded-log.js';

const ENVELOPES = 1_000;
const ENVELOPE_BYTES = 256 * 1024;
const EVENTS = 250;
const MIB = 1024 * 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-speed-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Text that repeats itself about as much as flows of one node do. */
function envelope(serial: number): Buffer {
  const flows: string[] = [];
  let bytes = 0;
  for (let at = 0; bytes < ENVELOPE_BYTES; at += 1) {
    const mixed = Math.imul(serial * 1_000 + at, 0x9e3779b1) >>> 0;
    const pod = `checkout-${(mixed % 40).toString(36)}`;
    const flow = JSON.stringify({
      uuid: `${mixed.toString(16)}-${Math.imul(mixed, 0x85ebca6b) >>> 0}`,
      verdict: 'FORWARDED',
      time: 1_700_000_000_000 + serial * 500 + at,
      source: {
        namespace: 'shop',
        pod_name: pod,
        labels: ['k8s:app=checkout', 'k8s:io.kubernetes.pod.namespace=shop'],
      },
      destination: { namespace: 'shop', pod_name: `cart-${mixed % 7}`, port: mixed % 60_000 },
    });
    flows.push(flow);
    bytes += flow.length + 1;
  }
  return Buffer.from(flows.join('\n')).subarray(0, ENVELOPE_BYTES);
}

it.each(['disk', 'process'] as const)(
  'appends and reads back envelopes at durability %s',
  async (durability) => {
    const values = Array.from({ length: 50 }, (_, serial) => envelope(serial));
    const log = await openEmbeddedLog({ directory, mode: 'writer', partitions: 4, durability });
    const started = performance.now();
    const waits: number[] = [];
    const lane = async (first: number): Promise<void> => {
      for (let at = first; at < ENVELOPES; at += 16) {
        const value = values[at % values.length] ?? Buffer.alloc(0);
        const asked = performance.now();
        await log.append([{ partition: at % 4, events: EVENTS, value }]);
        waits.push(performance.now() - asked);
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, first) => lane(first)));
    const appendMs = performance.now() - started;
    await log.close();
    const reader = await openEmbeddedLog({ directory, mode: 'reader' });
    const reading = performance.now();
    let read = 0;
    let kept = 0;
    for (let partition = 0; partition < 4; partition += 1) {
      const { end, bytes } = await reader.bounds(partition);
      kept += bytes;
      for (let at = 0n; at < end;) {
        const { records } = await reader.read(partition, at, { maxBytes: 4 * MIB, maxWaitMs: 0 });
        at += BigInt(records.length);
        read += records.reduce((sum, { value }) => sum + value.byteLength, 0);
      }
    }
    const readMs = performance.now() - reading;
    await reader.close();
    expect(read).toBe(ENVELOPES * ENVELOPE_BYTES);
    waits.sort((a, b) => a - b);
    const rate = (ms: number): string => `${(read / MIB / (ms / 1000)).toFixed(0)} MiB/s`;
    const percentile = (share: number): string =>
      `${(waits[Math.floor(waits.length * share)] ?? 0).toFixed(1)} ms`;
    process.stdout.write(
      `${durability}: ${ENVELOPES} envelopes of 256 KiB, stored as ${(kept / MIB).toFixed(0)} MiB; ` +
        `append ${rate(appendMs)} (p50 ${percentile(0.5)}, p99 ${percentile(0.99)}, 16 callers), read ${rate(readMs)}\n`,
    );
  },
  120_000,
);
