import { INVALID_UTF8, type StringTable } from '../batch/string-table.js';
import { labelSetOf } from '../normalise/label-set.js';
import { canonicalWorkload } from '../normalise/workload.js';
import type { WireReader } from '../wire/wire-reader.js';
import { WireWriter } from '../wire/wire-writer.js';
import { neverSeen, NO_LABELS, type CachedEndpoint, type CachedLabelSet } from './cached-endpoint.js';

/** Labels kept of one endpoint, and bytes kept of one label (reliability note, B5). */
const MAX_LABELS = 256;
const MAX_LABEL_BYTES = 4096;

/** Reads the string at the reader's position: its id, or 0 after marking the reader bad. */
export function readString(reader: WireReader, strings: StringTable): number {
  const end = reader.lengthEnd();
  const id = strings.id(reader.view, reader.buf, reader.pos, end);
  reader.pos = end;
  return id === INVALID_UTF8 ? reader.fail('invalid_utf8') : id;
}

/** {@link readString}, quicker when the string is the one of `guess`. */
export function readStringLike(guess: number, reader: WireReader, strings: StringTable): number {
  const end = reader.lengthEnd();
  const id = strings.idLike(guess, reader.view, reader.buf, reader.pos, end);
  reader.pos = end;
  return id === INVALID_UTF8 ? reader.fail('invalid_utf8') : id;
}

/** A `flow.Endpoint` while it is being read; numbers of hubble note 1.2. */
export class EndpointDraft {
  #id = 0;
  #identity = 0;
  #namespace = 0;
  #pod = 0;
  #cluster = 0;
  readonly #labels: number[] = [];
  readonly #workloads: (readonly [kind: number, name: number])[] = [];
  readonly #extra = new WireWriter(64);

  constructor(
    private readonly strings: StringTable,
    private readonly reader: WireReader,
  ) {}

  field(tag: number): void {
    const { reader, strings } = this;
    if (tag === 8) this.#id = reader.uint32();
    else if (tag === 16) this.#identity = reader.uint32();
    else if (tag === 26) this.#namespace = readString(reader, strings);
    else if (tag === 34) this.#labels.push(readString(reader, strings));
    else if (tag === 42) this.#pod = readString(reader, strings);
    else if (tag === 50) this.#workload();
    else if (tag === 58) this.#cluster = readString(reader, strings);
    else this.#keep(tag);
  }

  #keep(tag: number): void {
    const start = this.reader.pos;
    this.reader.skip(tag);
    this.#extra.uint32(tag);
    this.#extra.copy(this.reader.buf, start, this.reader.pos);
  }

  #workload(): void {
    const { reader, strings } = this;
    const outer = reader.end;
    const end = reader.lengthEnd();
    let name = 0;
    let kind = 0;
    const start = reader.pos;
    reader.end = end;
    let unknown = false;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === 10) name = readString(reader, strings);
      else if (tag === 18) kind = readString(reader, strings);
      else {
        reader.skip(tag);
        unknown = true;
      }
    }
    reader.end = outer;
    if (reader.bad) return;
    if (unknown) this.#extra.bytesField(6, reader.buf.subarray(start, end));
    this.#workloads.push([kind, name]);
  }

  finish(): CachedEndpoint {
    const { strings } = this;
    const labels = this.#labels.map((label) => strings.bytesOf(label));
    const set = this.#labelSet(labels);
    const [sentKind, sentName] = this.#workloads[0] ?? [0, 0];
    const canonical = canonicalWorkload({
      namespace: strings.textOf(this.#namespace),
      podName: strings.textOf(this.#pod),
      labels: this.#labels.map((label) => strings.textOf(label)),
      identity: this.#identity,
    });
    return {
      id: this.#id | 0,
      identity: this.#identity | 0,
      namespace: this.#namespace,
      pod: this.#pod,
      cluster: this.#cluster,
      workloads: this.#workloads.map(([kind, name]) =>
        strings.idOfText(`${strings.textOf(kind)}/${strings.textOf(name)}`),
      ),
      sentKind,
      sentName,
      labelSet: set,
      workload: strings.idOfText(canonical.name),
      workloadKind: strings.idOfText(canonical.kind),
      extra: this.#extra.pos === 0 ? undefined : this.#extra.finish(),
      lastSeen: neverSeen(),
    };
  }

  /** The set of at most 256 labels of at most 4 KiB; what is cut off stays whole in `extra` (field 4, all labels). */
  #labelSet(labels: readonly Uint8Array[]): CachedLabelSet {
    const kept = cutLabels(labels);
    if (kept !== labels) for (const label of labels) this.#extra.bytesField(4, label);
    return cachedLabelSet(kept, this.strings);
  }
}

/** Makes a label set whose strings are in the string table. */
export function cachedLabelSet(labels: readonly Uint8Array[], strings: StringTable): CachedLabelSet {
  if (labels.length === 0) return NO_LABELS;
  const set = labelSetOf(labels);
  const ids = set.labels.map((label) =>
    strings.id(new DataView(label.buffer, label.byteOffset, label.byteLength), label, 0, label.length),
  );
  return { lo: set.lo | 0, hi: set.hi | 0, labels: ids, writtenBy: 0 };
}

/** The same list when it is within the limits, else one that is. */
export function cutLabels(labels: readonly Uint8Array[]): readonly Uint8Array[] {
  const fits = labels.length <= MAX_LABELS && labels.every((label) => label.length <= MAX_LABEL_BYTES);
  if (fits) return labels;
  const sorted = [...labels].sort((a, b) => Buffer.compare(a, b));
  return sorted.slice(0, MAX_LABELS).map(cutLabel);
}

/** Cut between characters. */
function cutLabel(label: Uint8Array): Uint8Array {
  if (label.length <= MAX_LABEL_BYTES) return label;
  let end = MAX_LABEL_BYTES;
  while (((label[end] ?? 0) & 0xc0) === 0x80) end--;
  return label.subarray(0, end);
}
