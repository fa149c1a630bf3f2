/** Castagnoli's polynomial, bits reversed: what record batches are checked with; zlib has only the other one. */
const POLYNOMIAL = 0x82f63b78;

/** Four tables, for four bytes a step: entry i of table t is the checksum of byte i followed by t zeros. */
function makeTables(): Uint32Array {
  const tables = new Uint32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    tables[byte] = value;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 255] ?? 0);
  }
  return tables;
}

const TABLES = makeTables();

function entry(table: number, byte: number): number {
  return TABLES[table * 256 + (byte & 255)] ?? 0;
}

/** CRC-32C (RFC 3720, appendix B.4), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (; at + 4 <= bytes.length; at += 4) {
    value ^= view.getUint32(at, true);
    value = entry(3, value) ^ entry(2, value >>> 8) ^ entry(1, value >>> 16) ^ entry(0, value >>> 24);
  }
  for (; at < bytes.length; at++) value = (value >>> 8) ^ entry(0, value ^ (bytes[at] ?? 0));
  return ~value >>> 0;
}
