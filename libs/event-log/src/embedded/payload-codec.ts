import { compress, uncompress } from 'lz4-napi';
import type { Codec } from './record.js';

/** A value as it is stored. */
export interface EncodedPayload {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  readonly valueLength: number;
}

/** Below this many bytes a record's own header outweighs what compression saves. */
const MIN_COMPRESSED_BYTES = 512;
/** Compression must save at least a tenth, or reading pays for nothing. */
const WORTHWHILE = 0.9;

/** Compresses a value on the thread pool when that pays. The value must not change until the append resolves. */
export async function encodePayload(value: Uint8Array): Promise<EncodedPayload> {
  const plain: EncodedPayload = { codec: 0, bytes: value, valueLength: value.byteLength };
  if (value.byteLength < MIN_COMPRESSED_BYTES) return plain;
  const packed = await compress(value);
  if (packed.byteLength > value.byteLength * WORTHWHILE) return plain;
  return { codec: 1, bytes: packed, valueLength: value.byteLength };
}

/** The value of a stored payload; undefined when it does not unpack to the stated length. */
export async function decodePayload(payload: EncodedPayload): Promise<Uint8Array | undefined> {
  if (payload.codec === 0) return payload.bytes;
  // The library allocates what the block's size prefix asks for, so the prefix is checked before it is trusted.
  const { bytes } = payload;
  if (bytes.byteLength < 4) return undefined;
  const claimed = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  if (claimed !== payload.valueLength) return undefined;
  const value = await uncompress(bytes).catch(() => undefined);
  return value?.byteLength === payload.valueLength ? value : undefined;
}
