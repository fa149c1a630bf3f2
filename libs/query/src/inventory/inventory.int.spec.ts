import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXT, DAY_S, must, startQueryFixture, timeLiteral } from '../testing/query-fixture.js';
import type { QueryFixture } from '../testing/query-fixture.js';
import { flowCells, randomFlows } from '../testing/random-calls.js';
import { planClusters, planNamespaces, planNodes } from './plan-inventory.js';
import { readNamespaces, readNodes } from './read-inventory.js';
import type { NamespaceRow, NodeRow } from './read-inventory.js';

const START = BigInt(DAY_S + 36_000) * 1_000_000_000n;
const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;
const WINDOW = { fromNs: START, toNs: START + 5n * HOUR };
const FLOWS = randomFlows(1500, 9);

describe('inventory on the real engine', () => {
  let fixture: QueryFixture;

  beforeAll(async () => {
    fixture = await startQueryFixture();
    await fixture.insert(FLOWS.map(flowCells));
    const at = (seconds: number): string => timeLiteral(START + BigInt(seconds) * SECOND);
    await fixture.writer.command({
      name: 'test_events',
      sql: `INSERT INTO events (_le, _lp, _lo, _li, tenant, cluster, node, bucket_time, kind, type, count, first_time, last_time, nodes) VALUES
        (1, 0, 1, 0, 'default', 'default', 'n0', '${at(600)}', 'lost_events', 3, 5, '${at(590)}', '${at(599)}', []),
        (1, 0, 2, 0, 'default', 'default', 'n0', '${at(640)}', 'lost_events', 3, 7, '${at(630)}', '${at(639)}', []),
        (1, 0, 3, 0, 'default', 'default', 'n0', '${at(7200)}', 'lost_events', 3, 1, 0, 0, []),
        (1, 0, 4, 0, 'default', 'default', 'n1', '${at(-60)}', 'node_status', 1, 0, 0, 0, ['n0', 'n1', 'n2']),
        (1, 0, 5, 0, 'default', 'default', 'n1', '${at(-30)}', 'node_status', 2, 0, 0, 0, ['n1']),
        (1, 0, 6, 0, 'default', 'default', 'n1', '${at(120)}', 'node_status', 1, 0, 0, 0, ['n1']),
        (1, 0, 7, 0, 'default', 'default', 'n2', '${at(17000)}', 'node_status', 2, 0, 0, 0, ['n2'])`,
      params: {},
      settings: {},
    });
  });

  afterAll(() => fixture.stop());

  it('lists the nodes with their rate and their losses', async () => {
    const planned = must(planNodes(WINDOW, CONTEXT));
    const nodes = readNodes(await fixture.run<NodeRow>(planned.plan), planned);
    expect(nodes.map((node) => [node.name, node.eventsLost])).toEqual([
      ['n0', 13n],
      ['n1', 0n],
      ['n2', 0n],
    ]);
    const records = nodes.reduce((sum, node) => sum + node.flowsPerSecond * 18_000, 0);
    expect(Math.round(records)).toBe(FLOWS.length);
  });

  it('lists the namespaces alike from rollup and raw rows', async () => {
    const count = async (window: { fromNs: bigint; toNs: bigint }) => {
      const planned = must(planNamespaces(window, CONTEXT));
      return readNamespaces(await fixture.run<NamespaceRow>(planned.plan))[0];
    };
    const weight = FLOWS.reduce((sum, flow) => sum + BigInt(flow.weight), 0n);
    expect(await count(WINDOW)).toMatchObject({ cluster: 'default', name: 'shop', flows: weight });
    const middle = START + HOUR + 12_345n;
    const left = await count({ fromNs: WINDOW.fromNs, toNs: middle });
    const right = await count({ fromNs: middle, toNs: WINDOW.toNs });
    expect((left?.flows ?? 0n) + (right?.flows ?? 0n)).toBe(weight);
    expect(await fixture.run(planClusters(CONTEXT))).toEqual([{ cluster: 'default' }]);
  });
});
