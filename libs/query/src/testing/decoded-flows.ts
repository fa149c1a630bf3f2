import { encodeEnvelope, Projection } from '@flowledger/model';
import type { Codec, ProjectedBatches } from '@flowledger/model';
import type { EndpointHistory, HistoricEndpoint } from '../filter/endpoint-history.js';
import { BatchColumns } from '../live/batch-columns.js';
import { flowsOfBatch } from '../live/flows-of-batch.js';
import type { LabelledFlow } from '../live/live-flows.js';
import type { QueryFixture } from './query-fixture.js';

/** Events of one sender, as they come. */
export interface SentEvents {
  readonly codec: Codec;
  readonly events: readonly Uint8Array[];
}

/** The same events twice: as the batches that the store takes, and as the flows of the live tail. */
export interface DecodedFlows {
  readonly batches: ProjectedBatches;
  readonly flows: readonly LabelledFlow[];
  readonly history: EndpointHistory;
}

/** Decodes events; each list is one log record, so its index is the offset. Received at `receivedMs`. */
export function decodeFlows(sent: readonly SentEvents[], receivedMs: number): DecodedFlows {
  const projection = new Projection({
    logEpoch: 1n,
    partition: 0,
    rawTtlMs: 30 * 86_400_000,
    isDuplicate: () => false,
  });
  for (const [offset, { codec, events }] of sent.entries()) {
    const header = {
      version: 1,
      tenant: 'default',
      cluster: 'default',
      stream: 'node-1',
      source: 'test',
      codec,
      count: events.length,
      receivedMs,
    } as const;
    projection.add({ offset: BigInt(offset), value: encodeEnvelope(header, events) });
  }
  const batches = projection.take();
  const flows = flowsOfBatch(batches, 'default').flatMap((record) => record.flows);
  return { batches, flows, history: historyOf(batches) };
}

/** The rows of `endpoints` in memory. */
function historyOf({ endpoints }: ProjectedBatches): EndpointHistory {
  const columns = new BatchColumns(endpoints);
  const known = new Map<string, HistoricEndpoint[]>();
  for (let row = 0; row < endpoints.rows; row++) {
    const text = (name: string): string => columns.column(name).text(row);
    const key = `${text('cluster')} ${text('hour')} ${text('ip').replace(/^::ffff:(?=.*\.)/, '')}`;
    known.set(key, [
      ...(known.get(key) ?? []),
      {
        workload: text('workload'),
        workloadKind: text('workload_kind'),
        serviceNamespace: text('service_namespace'),
        serviceName: text('service_name'),
      },
    ]);
  }
  const hour = 3_600_000_000_000n;
  return {
    at: (cluster, timeNs, ip) => known.get(`${cluster} ${(timeNs / hour) * 3600n} ${ip}`) ?? [],
  };
}

/** Writes the batches as the loader does. */
export async function storeFlows(fixture: QueryFixture, { batches }: DecodedFlows): Promise<void> {
  for (const batch of [batches.labelSets, batches.endpoints, batches.flows])
    if (batch.rows > 0) await fixture.writer.insert(batch, { token: batch.table });
}
