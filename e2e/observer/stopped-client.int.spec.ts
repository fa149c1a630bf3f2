import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ColumnStore } from '@flowledger/column-store';
import { Simulation } from '@flowledger/simulator';
import { flowsRequest, ObserverClient } from './grpc-client.js';
import { startObserverRig, type ObserverRig } from './observer-rig.js';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const FROM_NS = NOW_NS - 900n * SECOND_NS;
const ALL = (1n << 64n) - 1n;
/** The client reads so many flows, which is in the middle of the second page, and then no more. */
const READ = 5000;
/** Two pages of columns at nine megabytes, each with the bytes it was decoded from, and room for the collector. */
const BOUND_BYTES = 48 * 2 ** 20;

let rig: ObserverRig;
let flows = 0;

beforeAll(async () => {
  const span = { from: FROM_NS, to: NOW_NS };
  const events = [...new Simulation({ seed: 4, ...span, callsPerSecond: 14, scenario: 'test' }).events()];
  flows = events.filter(({ kind }) => kind === 'flow').length;
  rig = await startObserverRig(events, NOW_MS);
}, 90_000);

afterAll(async () => {
  await rig?.stop();
});

/** Bytes that this process holds, garbage left out. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** {@link heldBytes} once what was needed before has gone: finalizers run between collections. */
async function settledBytes(): Promise<number> {
  let last = heldBytes();
  await expect
    .poll(
      () => {
        const before = last;
        last = heldBytes();
        return before - last;
      },
      { timeout: 20_000, interval: 200 },
    )
    .toBeLessThan(2 ** 19);
  return last;
}

/** Counts the pages that are read from a store from now on. */
function countPages(store: ColumnStore): () => number {
  let pages = 0;
  const read = store.readNative.bind(store);
  const readNative: ColumnStore['readNative'] = (...args) => {
    pages++;
    return read(...args);
  };
  Object.assign(store, { readNative });
  return () => pages;
}

it('holds two pages for a client that stops reading, and goes on where it stopped', async () => {
  expect(flows).toBeGreaterThan(60_000);
  const store = rig.store.store('reader');
  const pages = countPages(store);
  const server = await rig.serve({ store });
  const client = new ObserverClient(server.address);
  try {
    // Whatever the first answer brings along is no part of what one client costs.
    expect(await client.flows({ number: ALL })).toHaveLength(flows);
    const [before, read] = [await settledBytes(), pages()];
    // From the first flow on: the time before it is looked at in stretches of which no page is held.
    const stream = client.stream('GetFlows', flowsRequest({ sinceNs: FROM_NS }));
    let came = 0;
    const stopped = new Promise<void>((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', () => {
        if (++came !== READ) return;
        stream.pause();
        resolve();
      });
    });
    const ended = new Promise<void>((resolve) => stream.on('end', resolve));
    await stopped;
    // The first page, the one that is being sent, and one ahead; a fourth would be for nobody.
    await expect.poll(() => pages() - read, { timeout: 20_000 }).toBe(3);
    const held = (await settledBytes()) - before;
    expect(held).toBeGreaterThan(2 ** 20);
    expect(held).toBeLessThan(BOUND_BYTES);
    stream.resume();
    await ended;
    expect(pages() - read).toBeGreaterThan(3);
    expect(came).toBe(flows);
  } finally {
    client.close();
  }
}, 90_000);
