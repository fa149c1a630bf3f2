import { createRequire } from 'node:module';

/** kafkajs's own reading and writing of record batches, against which ours is tested. */
interface KafkajsRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A batch as kafkajs reads it. */
export interface ReadBatch {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly records: readonly KafkajsRecord[];
}

interface Encoded {
  readonly buffer: Buffer;
}

const load = createRequire(import.meta.url);
const from = <T>(path: string): T => load(`kafkajs/src/protocol/${path}`) as T;

/** CRC-32C of kafkajs. */
export const referenceCrc32c = from<(bytes: Buffer) => number>('recordBatch/crc32C');

const Decoder = from<new (bytes: Buffer) => object>('decoder');
const decode = from<(decoder: object) => Promise<ReadBatch>>('recordBatch/v0/decoder');
const makeRecord = from<(record: object) => Encoded>('recordBatch/record/v0');
const { RecordBatch } = from<{ RecordBatch: (batch: object) => Promise<Encoded> }>('recordBatch/v0');

/** Reads a batch; lz4 only after `registerCodecs`. */
export function readBatch(batch: Buffer): Promise<ReadBatch> {
  return decode(new Decoder(batch));
}

/** The bytes that kafkajs writes for an uncompressed batch. */
export async function referenceBatch(
  header: { producerId: string; producerEpoch: number; firstSequence: number; timestampMs: number },
  records: readonly object[],
): Promise<Buffer> {
  const { timestampMs, ...identity } = header;
  const batch = await RecordBatch({
    ...identity,
    compression: 0,
    firstTimestamp: timestampMs,
    maxTimestamp: timestampMs,
    lastOffsetDelta: records.length - 1,
    records: records.map((record, offsetDelta) => makeRecord({ ...record, offsetDelta, timestampDelta: 0 })),
  });
  return batch.buffer;
}
