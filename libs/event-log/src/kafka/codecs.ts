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

function unsupported(what: string): Transform {
  return () => Promise.reject(new Error(what));
}

let registered = false;

/**
 * Teaches kafkajs the codecs it lacks: lz4 both ways, zstd both ways where zlib has it, snappy for reading (a topic may
 * hold what others wrote). gzip is its own. Once per process, because its table of codecs is.
 */
export function registerCodecs(): void {
  if (registered) return;
  registered = true;
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const put = (type: 2 | 3 | 4, compress: Transform, decompress: Transform): void => {
    CompressionCodecs[type] = () => ({
      compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer),
      decompress,
    });
  };
  put(
    CompressionTypes.LZ4,
    (bytes) => compressFrame(bytes),
    (bytes) => decompressFrame(bytes),
  );
  put(CompressionTypes.Snappy, unsupported('snappy is only read'), async (bytes) => decodeSnappy(bytes));
  const missing = unsupported('zstd needs Node.js 22.15 or newer');
  put(
    CompressionTypes.ZSTD,
    zstdCompress === undefined ? missing : promisify(zstdCompress),
    zstdDecompress === undefined ? missing : promisify(zstdDecompress),
  );
}

/** Number of a codec in the record batch. */
export function compressionType(name: 'lz4' | 'zstd'): number {
  return name === 'lz4' ? kafkajs.CompressionTypes.LZ4 : kafkajs.CompressionTypes.ZSTD;
}
