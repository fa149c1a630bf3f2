import { describe, expect, it } from 'vitest';
import { expectedRow } from '../testing/expected-row.js';
import { loadHubbleProto, plainObject } from '../testing/hubble-proto.js';
import { project } from '../testing/project.js';
import { Random, randomFlow } from '../testing/random-flow.js';
import { rowsOf } from '../testing/rows.js';
import { requireSameRow } from '../testing/same.js';

const proto = loadHubbleProto();

function checkSeed(seed: number, count: number): void {
  const random = new Random(seed);
  const events = Array.from({ length: count }, () => {
    const flow = randomFlow(random, random.pick([2, 2, 4, 4, 8, 8, 12, 20, 40, 100]));
    // A flow without a single field is no event, so each has one.
    const nonEmpty = { emitter: { name: 'x' }, ...flow };
    return proto.response
      .encode(proto.response.fromObject({ flow: nonEmpty, node_name: 'c9/outer' }))
      .finish();
  });
  const batches = project('hubble.get_flows_response', events);
  const rows = rowsOf(batches.flows);
  expect(rowsOf(batches.deadLetters)).toEqual([]);
  expect(rows).toHaveLength(count);
  rows.forEach((row, i) => {
    const flow = plainObject(proto.response, proto.response.decode(events[i] ?? new Uint8Array()))['flow'];
    const expected = expectedRow(flow as Record<string, unknown>, 'c9/outer');
    requireSameRow(row, expected, { seed, i });
  });
}

describe('the flow decoder against protobufjs', () => {
  it(
    'gives the rows that a standard protobuf library gives, for 100,000 random messages',
    { timeout: 180_000 },
    () => {
      for (let seed = 0; seed < 100; seed++) checkSeed(seed, 1000);
    },
  );
});
