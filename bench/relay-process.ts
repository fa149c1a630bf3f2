import { FakeRelay } from '@flowledger/testkit';
import { makeFlows, REALISTIC } from './flows/made-flows.js';

/** What the bench tells this process: how many flows the nodes' rings hold. */
export interface RelayOrder {
  readonly flows: number;
  readonly fromMs: number;
}

// A relay of its own process on the same cores, as a port-forward to a busy node would have it.
process.once('message', (order: RelayOrder) => {
  const flows = [...makeFlows({ ...REALISTIC, ...order, spanMs: 1_800_000 })];
  const byNode = new Map<string, number>();
  for (const { node } of flows) byNode.set(node, (byNode.get(node) ?? 0) + 1);
  const options = { nodes: [...byNode.keys()], ring: Math.max(...byNode.values()) };
  void FakeRelay.start(options).then((relay) => {
    relay.publish(flows.map((flow) => ({ ...flow, kind: 'flow' as const })));
    process.send?.({ target: relay.target });
  });
});
process.once('disconnect', () => process.exit(0));
