import { FakeRelay } from '@flowledger/testkit';
import { startFramedRelay } from './framed-relay.js';
import { makeFlows, REALISTIC, type MadeFlow } from './flows/made-flows.js';

/** What the bench tells this process: how many flows there are, and whether they are seen one after the other. */
export interface RelayOrder {
  readonly flows: number;
  readonly fromMs: number;
  /** So many come a second, as long as they last; absent: all of them are there from the beginning. */
  readonly perSecond?: number;
}

const TICK_MS = 50;
const LIVE_RING = 8191;
/** Enough flows to meet every node. */
const SAMPLE = 50_000;

const events = (flows: readonly MadeFlow[]): (MadeFlow & { kind: 'flow' })[] =>
  flows.map((flow) => ({ ...flow, kind: 'flow' as const }));

/** All flows at once, from frames made before. */
function startFull(order: RelayOrder): Promise<string> {
  const messages = function* (): Generator<Uint8Array> {
    for (const { bytes } of makeFlows({ ...REALISTIC, ...order, spanMs: 1_800_000 })) yield bytes;
  };
  return startFramedRelay(messages());
}

/** Flows come when their time has come. */
async function startLive(flows: number, perSecond: number): Promise<string> {
  const spanMs = (flows / perSecond) * 1000;
  const sample = makeFlows({ ...REALISTIC, flows: SAMPLE, fromMs: 0, spanMs });
  const nodes = [...new Set([...sample].map(({ node }) => node))];
  const relay = await FakeRelay.start({ nodes, ring: LIVE_RING });
  const fromMs = Date.now();
  const coming = makeFlows({ ...REALISTIC, flows, fromMs, spanMs });
  // Who is late catches up little by little: a process that only makes flows would never come to send any.
  const mostAtOnce = Math.ceil((2 * perSecond * TICK_MS) / 1000);
  let published = 0;
  const publishDue = (): void => {
    const due: MadeFlow[] = [];
    const until = Math.min(flows, ((Date.now() - fromMs) * perSecond) / 1000, published + mostAtOnce);
    for (; published < until; published++) {
      const next = coming.next();
      if (next.done === true) break;
      due.push(next.value);
    }
    relay.publish(events(due));
    if (published < flows) setTimeout(publishDue, TICK_MS);
  };
  publishDue();
  return relay.target;
}

// A relay of its own process on the same cores, as a port-forward to a busy node would have it.
process.once('message', (order: RelayOrder) => {
  const { flows, perSecond } = order;
  void (perSecond === undefined ? startFull(order) : startLive(flows, perSecond)).then((target) => {
    process.send?.({ target });
  });
});
process.once('disconnect', () => process.exit(0));
