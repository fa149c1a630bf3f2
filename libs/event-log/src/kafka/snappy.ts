const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** Nothing Kafka takes unpacks to more; the length is not trusted further. */
const MAX_BLOCK_BYTES = 512 * 1024 * 1024;
/** No tag of three bytes stands for more than 64. */
const MAX_GROWTH = 64;

/**
 * Unpacks snappy as Kafka's clients write it: raw blocks, or blocks in xerial's framing (magic, two versions, then
 * length-prefixed blocks). Throws RangeError on damaged input. Source: the snappy format description.
 */
export function decodeSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decodeBlock(bytes);
  const blocks: Buffer[] = [];
  let at = XERIAL_HEADER_BYTES;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) throw new RangeError('snappy block is cut off');
    blocks.push(decodeBlock(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

function decodeBlock(bytes: Buffer): Buffer {
  const [length, start] = readLength(bytes);
  if (length > bytes.length * MAX_GROWTH) throw new RangeError('snappy block cannot unpack to what it says');
  const out = Buffer.allocUnsafe(length);
  let at = start;
  let end = 0;
  while (at < bytes.length) {
    const tag = bytes.readUInt8(at);
    if ((tag & 3) === 0) {
      const [size, from] = literal(bytes, at, tag);
      if (from + size > bytes.length || end + size > length)
        throw new RangeError('snappy literal is too long');
      bytes.copy(out, end, from, from + size);
      at = from + size;
      end += size;
    } else {
      const [size, back, next] = copy(bytes, at, tag);
      if (back === 0 || back > end || end + size > length)
        throw new RangeError('snappy copy is out of range');
      // A copy may reach into what it writes itself, so it goes byte by byte.
      for (let i = 0; i < size; i++) out[end + i] = out[end - back + i] ?? 0;
      at = next;
      end += size;
    }
  }
  if (end !== length) throw new RangeError('snappy block has another length than it says');
  return out;
}

function readLength(bytes: Buffer): [length: number, start: number] {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes.readUInt8(at);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte >= 0x80) continue;
    if (length > MAX_BLOCK_BYTES) break;
    return [length, at + 1];
  }
  throw new RangeError('snappy block is too long');
}

function literal(bytes: Buffer, at: number, tag: number): [size: number, from: number] {
  const short = tag >> 2;
  if (short < 60) return [short + 1, at + 1];
  const extra = short - 59;
  return [bytes.readUIntLE(at + 1, extra) + 1, at + 1 + extra];
}

function copy(bytes: Buffer, at: number, tag: number): [size: number, back: number, next: number] {
  switch (tag & 3) {
    case 1:
      return [((tag >> 2) & 7) + 4, ((tag >> 5) << 8) | bytes.readUInt8(at + 1), at + 2];
    case 2:
      return [(tag >> 2) + 1, bytes.readUInt16LE(at + 1), at + 3];
    default:
      return [(tag >> 2) + 1, bytes.readUInt32LE(at + 1), at + 5];
  }
}
