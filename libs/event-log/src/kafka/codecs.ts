import * as zlib from 'node:zlib';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { decodeSnappy } from './snappy.js';

type Transform = (bytes: Buffer) => Promise<Buffer>;

/** What zlib has since Node.js 22.15. */
interface ZstdCapable {
  readonly zstdCompress?: (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void;
  readonly zstdDecompress?: (bytes: Buffer, done: (error: Error | null, result: Buffer) => void) => void;
}

const { zstdCompress, zstdDecompress } = zlib as ZstdCapable;

/** Whether this Node.js can read and write zstd. */
export const zstdAvailable = zstdCompress !== undefined && zstdDecompress !== undefined;

function unsupported(what: string): () => Promise<Buffer> {
  return () => Promise.reject(new Error(what));
}

const noZstd: () => Promise<Buffer> = unsupported('zstd needs Node.js 22.15 or newer');

let registered = false;

/**
 * Teaches kafkajs to read the codecs it lacks: lz4, zstd where zlib has it, snappy (a topic may hold what others wrote).
 * gzip is its own. Batches are written by `record-batch.ts`. Once per process, because its table of codecs is.
 */
export function registerCodecs(): void {
  if (registered) return;
  registered = true;
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const compress = unsupported('batches are not written by kafkajs');
  const put = (type: 2 | 3 | 4, decompress: Transform): void => {
    CompressionCodecs[type] = () => ({ compress, decompress });
  };
  put(CompressionTypes.LZ4, (bytes) => decompressFrame(bytes));
  put(CompressionTypes.Snappy, async (bytes) => decodeSnappy(bytes));
  put(CompressionTypes.ZSTD, zstdDecompress === undefined ? noZstd : promisify(zstdDecompress));
}

/** Compresses as a codec's record batches hold it, on the thread pool. Rejects for zstd where zlib has none. */
export function compressWith(name: 'lz4' | 'zstd', bytes: Buffer): Promise<Buffer> {
  if (name === 'lz4') return compressFrame(bytes);
  return zstdCompress === undefined ? noZstd() : promisify(zstdCompress)(bytes);
}

/** Number of a codec in the record batch. */
export function compressionType(name: 'lz4' | 'zstd'): number {
  return name === 'lz4' ? kafkajs.CompressionTypes.LZ4 : kafkajs.CompressionTypes.ZSTD;
}
