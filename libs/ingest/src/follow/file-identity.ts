import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** Most bytes of a file's beginning that tell it from others. */
export const HEAD_BYTES = 1024;

/** The beginning of a file's content: what stays the same when it is renamed, copied or compressed. */
export interface Fingerprint {
  /** SHA-256 in hex. */
  readonly hash: string;
  /** How many bytes it covers; below {@link HEAD_BYTES} the file was shorter then. */
  readonly bytes: number;
}

/** Fingerprint of the first `bytes` bytes of a file, or of as many as there are. */
export async function fingerprintOf(file: FileHandle, bytes: number): Promise<Fingerprint> {
  const head = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(head, 0, bytes, 0);
  return hashOf(head.subarray(0, bytesRead));
}

/** Fingerprint of the content of a gzip file; undefined when it is none, or its beginning is damaged. */
export async function gzipFingerprint(path: string): Promise<Fingerprint | undefined> {
  if (!(await isGzip(path))) return undefined;
  const input = createReadStream(path);
  const content = createGunzip();
  input.on('error', (error) => content.destroy(error));
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of input.pipe(content) as AsyncIterable<Buffer>) {
      parts.push(chunk);
      length += chunk.length;
      if (length >= HEAD_BYTES) break;
    }
  } catch {
    if (length < HEAD_BYTES) return undefined;
  } finally {
    input.destroy();
    content.destroy();
  }
  return hashOf(Buffer.concat(parts).subarray(0, HEAD_BYTES));
}

/** True when the file begins as gzip does. */
export async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    const { bytesRead } = await file.read(magic, 0, 2, 0);
    return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function hashOf(bytes: Uint8Array): Fingerprint {
  return { hash: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** Long enough to tell two files apart by content alone. */
export function isTelling(fingerprint: Fingerprint): boolean {
  return fingerprint.bytes >= HEAD_BYTES;
}

/** Equal, and covering something. */
export function sameContent(a: Fingerprint, b: Fingerprint): boolean {
  return a.bytes > 0 && a.bytes === b.bytes && a.hash === b.hash;
}
