import type { WireWriter } from '../wire/wire-writer.js';

/** Numbers a span is made of: the object it belongs to, start and end. */
const SPAN = 3;
const LEAST_FIELDS = 50;
/** Numbers begin again with the line after so many objects: none is then open. */
const MOST_OBJECTS = 0x4000_0000;

/**
 * Where the members of the objects being read were written, because the last of two with one name counts. Objects are
 * numbered, so that what an earlier one left is told apart without clearing it.
 */
export class MemberSpans {
  /** By depth; by field of the message. */
  readonly #spans: Int32Array[] = [];
  #objects = 0;

  /** Begins an object of a message of so many fields at `depth`; returns its number. */
  begin(depth: number, fields: number): number {
    const spans = this.#spans[depth];
    if (spans === undefined || spans.length < fields * SPAN)
      this.#spans[depth] = new Int32Array(Math.max(fields, LEAST_FIELDS) * SPAN);
    if (depth === 0 && this.#objects > MOST_OBJECTS) this.#renumber();
    return ++this.#objects;
  }

  /** Notes that a member was written from `before` on; when its object had it already, cuts the first one out again. */
  note(depth: number, object: number, field: number, wire: WireWriter, before: number): void {
    const spans = this.#spans[depth];
    if (spans === undefined) return;
    const at = field * SPAN;
    const removed = spans[at] === object ? forget(spans, spans[at + 1] ?? 0, spans[at + 2] ?? 0, wire) : 0;
    spans[at] = object;
    spans[at + 1] = before - removed;
    spans[at + 2] = wire.pos;
  }

  #renumber(): void {
    for (const spans of this.#spans) spans?.fill(0);
    this.#objects = 0;
  }
}

function forget(spans: Int32Array, start: number, end: number, wire: WireWriter): number {
  wire.remove(start, end);
  for (let i = 0; i < spans.length; i += SPAN) {
    if ((spans[i + 1] ?? 0) < end) continue;
    spans[i + 1] = (spans[i + 1] ?? 0) - (end - start);
    spans[i + 2] = (spans[i + 2] ?? 0) - (end - start);
  }
  return end - start;
}
