import { ByteTable } from '../batch/byte-table.js';
import type { WireWriter } from '../wire/wire-writer.js';
import type { JsonScanner } from './json-scanner.js';

/** Values whose first bytes are alike are looked for among so many: pods of one workload differ at their end only. */
const WAYS = 8;
const SETS = 2048;
/** Bytes that tell values apart before they are compared. */
const HEAD_BYTES = 32;
/** Values are forgotten when their texts are this large together. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * What JSON values were written as, by their text: the same endpoints and label lists come in thousands of lines, and
 * comparing their bytes is far cheaper than reading them again. A text that begins with all of a remembered value is
 * that value, because objects and lists of JSON end themselves.
 */
export class JsonMemo {
  #texts = new ByteTable();
  #forms: (Uint8Array | undefined)[] = [undefined];
  /** Ids by the hash of their heads, {@link WAYS} each; the one met last comes first. */
  readonly #ids = new Int32Array(SETS * WAYS);

  /** Takes the value at the scanner and writes its form when it is a remembered one; else changes nothing. */
  recall(scanner: JsonScanner, wire: WireWriter): boolean {
    const { view, buf, pos, end } = scanner;
    if (pos + HEAD_BYTES > end) return false;
    const set = setOf(view, pos);
    for (let way = set; way < set + WAYS; way++) {
      const id = this.#ids[way] ?? 0;
      if (id === 0) return false;
      const to = pos + this.#texts.lengthOf(id);
      const form = this.#forms[id];
      if (to > end || form === undefined || !this.#texts.is(id, view, buf, pos, to)) continue;
      if (way !== set) this.#toFront(set, way, id);
      wire.raw(form);
      scanner.pos = to;
      return true;
    }
    return false;
  }

  /** Remembers that the value from `start` to the scanner was written as what `wire` holds from `before` on. */
  remember(scanner: JsonScanner, start: number, wire: WireWriter, before: number): void {
    const { view, buf, pos } = scanner;
    if (pos - start < HEAD_BYTES) return;
    if (this.#texts.size > MOST_BYTES) this.#forgetAll();
    const id = this.#texts.id(view, buf, start, pos);
    this.#forms[id] = wire.buf.slice(before, wire.pos);
    const set = setOf(view, start);
    this.#toFront(set, set + WAYS - 1, id);
  }

  /** Moves the ids of a set back by one up to `way`, whose place is free, and puts `id` first. */
  #toFront(set: number, way: number, id: number): void {
    this.#ids.copyWithin(set + 1, set, way);
    this.#ids[set] = id;
  }

  #forgetAll(): void {
    this.#texts = new ByteTable();
    this.#forms = [undefined];
    this.#ids.fill(0);
  }
}

function setOf(view: DataView, start: number): number {
  let hash = 0;
  for (let i = 0; i < HEAD_BYTES; i += 4)
    hash = Math.imul((hash << 13) ^ (hash >>> 19) ^ view.getInt32(start + i, true), 0x9e3779b1);
  return ((hash ^ (hash >>> 15)) & (SETS - 1)) * WAYS;
}
