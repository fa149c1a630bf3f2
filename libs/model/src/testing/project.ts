import { encodeEnvelope, type Codec, type EnvelopeHeader } from '../envelope.js';
import type { ProjectedBatches, ProjectionOptions } from '../projected-batches.js';
import { Projection } from '../projection.js';

/** When all test records were received. */
export const RECEIVED_MS = 1_800_000_000_000;

/** A log, a raw TTL of twenty years, and no duplicates. */
export const OPTIONS: ProjectionOptions = {
  logEpoch: 0x1234_5678_9abc_def0n,
  partition: 3,
  rawTtlMs: 20 * 365 * 86_400_000,
  isDuplicate: () => false,
};

/** A header of `count` events. */
export function headerOf(codec: Codec, count: number, more: Partial<EnvelopeHeader> = {}): EnvelopeHeader {
  return {
    version: 1,
    tenant: 'default',
    cluster: 'c1',
    stream: 'sender',
    source: 'test',
    codec,
    count,
    receivedMs: RECEIVED_MS,
    ...more,
  };
}

/** Projects events as one record at offset 7. */
export function project(
  codec: Codec,
  events: readonly Uint8Array[],
  options: Partial<ProjectionOptions> = {},
  more: Partial<EnvelopeHeader> = {},
): ProjectedBatches {
  const projection = new Projection({ ...OPTIONS, ...options });
  projection.add({ offset: 7n, value: encodeEnvelope(headerOf(codec, events.length, more), events) });
  return projection.take();
}

/** Projects JSON lines. */
export function projectLines(
  lines: readonly string[],
  options: Partial<ProjectionOptions> = {},
): ProjectedBatches {
  return project(
    'hubble.export_json',
    lines.map((line) => new TextEncoder().encode(line)),
    options,
  );
}
