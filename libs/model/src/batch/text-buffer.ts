const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** A reusable buffer in which texts are put together as UTF-8 before they are looked up or compared. */
export class TextBuffer {
  buf = new Uint8Array(512);
  view = new DataView(this.buf.buffer);
  pos = 0;

  reset(): void {
    this.pos = 0;
  }

  byte(byte: number): void {
    if (this.pos === this.buf.length) this.#grow(1);
    this.buf[this.pos++] = byte;
  }

  copy(source: Uint8Array, start = 0, end = source.length): void {
    if (this.pos + end - start > this.buf.length) this.#grow(end - start);
    const { buf } = this;
    let at = this.pos;
    for (let i = start; i < end; i++) buf[at++] = source[i] ?? 0;
    this.pos = at;
  }

  /** ASCII only. */
  ascii(text: string): void {
    if (this.pos + text.length > this.buf.length) this.#grow(text.length);
    for (let i = 0; i < text.length; i++) this.buf[this.pos++] = text.charCodeAt(i);
  }

  text(text: string): void {
    this.copy(ENCODER.encode(text));
  }

  /** A non-negative integer in decimal. */
  integer(value: number): void {
    this.ascii(String(value));
  }

  equals(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.pos) return false;
    for (let i = 0; i < this.pos; i++) if (this.buf[i] !== bytes[start + i]) return false;
    return true;
  }

  toString(): string {
    return DECODER.decode(this.buf.subarray(0, this.pos));
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(this.pos + bytes, this.buf.length * 2));
    grown.set(this.buf);
    this.buf = grown;
    this.view = new DataView(grown.buffer);
  }
}
