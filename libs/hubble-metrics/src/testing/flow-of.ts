import { encodeEnvelope, Projection } from '@flowledger/model';
import { flowsOfBatch, type LabelledFlow } from '@flowledger/query';

const NOW_MS = Date.UTC(2026, 5, 1);

/** Flows as they come out of decoding, from the JSON form of `flow.Flow`. */
export function flowsOf(flows: readonly object[]): readonly LabelledFlow[] {
  const time = new Date(NOW_MS).toISOString();
  const lines = flows.map((flow) =>
    Buffer.from(JSON.stringify({ flow: { time, node_name: 'node-1', ...flow } })),
  );
  const value = encodeEnvelope(
    {
      version: 1,
      tenant: 'default',
      cluster: 'default',
      stream: 'node-1',
      source: 'test',
      codec: 'hubble.export_json',
      count: lines.length,
      receivedMs: NOW_MS,
    },
    lines,
  );
  const options = { logEpoch: 7n, partition: 0, rawTtlMs: 20_000 * 86_400_000, isDuplicate: () => false };
  const projection = new Projection(options);
  projection.add({ offset: 0n, value });
  const found = flowsOfBatch(projection.take(), 'default').flatMap((record) => record.flows);
  if (found.length !== flows.length) throw new Error(`${found.length} of ${flows.length} flows were decoded`);
  return found;
}
