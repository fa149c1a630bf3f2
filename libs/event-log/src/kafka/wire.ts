/** Bytes as kafkajs takes the body of a request. */
export function asEncoded(buffer: Buffer): { buf: Buffer; buffer: Buffer; size: () => number } {
  return { buf: buffer, buffer, size: () => buffer.length };
}

/** A number of the compact forms of the protocol. */
export function unsignedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** A text with its length as {@link unsignedVarint}. */
export function compactString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([unsignedVarint(bytes.length + 1), bytes]);
}

/** A text with its length in two bytes. */
export function plainString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Four bytes, big endian. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Reads an answer from front to back. Throws RangeError when it is shorter than it says. */
export class AnswerReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('the answer is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  int16(): number {
    return this.take(2).readInt16BE();
  }

  int32(): number {
    return this.take(4).readInt32BE();
  }

  int64(): bigint {
    return this.take(8).readBigInt64BE();
  }

  plainString(): string {
    const length = this.int16();
    return length < 0 ? '' : this.take(length).toString();
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.take(1).readUInt8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('the answer holds a number that is too long');
  }

  compactString(): string {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? '' : this.take(length).toString();
  }

  tags(): void {
    const count = this.unsignedVarint();
    for (let i = 0; i < count; i++) {
      this.unsignedVarint();
      this.take(this.unsignedVarint());
    }
  }
}

/** Runs `count` times `read` and collects what it returns. */
export function times<T>(count: number, read: () => T): T[] {
  return Array.from({ length: Math.max(0, count) }, read);
}
