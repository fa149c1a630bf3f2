import { ByteTable, edgeHash } from '../batch/byte-table.js';
import { INVALID_UTF8, type StringTable } from '../batch/string-table.js';
import { labelSetOf } from '../normalise/label-set.js';
import { canonicalWorkload } from '../normalise/workload.js';
import { WireReader } from '../wire/wire-reader.js';
import { WireWriter } from '../wire/wire-writer.js';

/** Labels kept of one endpoint, and bytes kept of one label (reliability note, B5). */
const MAX_LABELS = 256;
const MAX_LABEL_BYTES = 4096;
const GUESSES = 8192;

/**
 * A label set as rows name it. The halves are signed 32-bit integers, like every number in these objects: larger ones
 * would live on the heap and cost a detour per flow.
 */
export interface CachedLabelSet {
  readonly lo: number;
  readonly hi: number;
  /** String-table ids, sorted as in the set. */
  readonly labels: readonly number[];
  /** Mark of whoever wrote the set out last; 0 at first. */
  writtenBy: number;
}

/** The address under which an endpoint was noted last: nearly always the next flow shows the same. */
export interface LastSeen {
  /** Mark of the batch that noted it; 0 at first. */
  notedBy: number;
  cluster: number;
  hour: number;
  /** Lanes of the address. */
  ip0: number;
  ip1: number;
  ip2: number;
  ip3: number;
  serviceNamespace: number;
  serviceName: number;
}

/** A `flow.Endpoint` decoded once for all flows that carry the same bytes. Strings are string-table ids. */
export interface CachedEndpoint {
  readonly id: number;
  readonly identity: number;
  readonly namespace: number;
  readonly pod: number;
  readonly cluster: number;
  /** `Kind/name` as sent. */
  readonly workloads: readonly number[];
  /** Kind and name of the first workload as sent. */
  readonly sentKind: number;
  readonly sentName: number;
  readonly labelSet: CachedLabelSet;
  readonly workload: number;
  readonly workloadKind: number;
  /** Fields inside the message that no column gives back; undefined when there are none. */
  readonly extra: Uint8Array | undefined;
  readonly lastSeen: LastSeen;
}

/** A label list as a set. */
export interface CachedLabelRun {
  readonly set: CachedLabelSet;
  /** Whether labels were cut off or shortened. */
  readonly cut: boolean;
}

/** No labels at all. */
export const NO_LABELS: CachedLabelSet = { lo: 0, hi: 0, labels: [], writtenBy: 0 };

function neverSeen(): LastSeen {
  return {
    notedBy: 0,
    cluster: 0,
    hour: 0,
    ip0: 0,
    ip1: 0,
    ip2: 0,
    ip3: 0,
    serviceNamespace: 0,
    serviceName: 0,
  };
}

/** What stands for an absent endpoint. */
export const NO_ENDPOINT: CachedEndpoint = {
  id: 0,
  identity: 0,
  namespace: 0,
  pod: 0,
  cluster: 0,
  workloads: [],
  sentKind: 0,
  sentName: 0,
  labelSet: NO_LABELS,
  workload: 0,
  workloadKind: 0,
  extra: undefined,
  lastSeen: neverSeen(),
};

/** Endpoint messages by their bytes, and label lists by theirs. */
export class EndpointCache {
  readonly #table = new ByteTable();
  readonly #endpoints: CachedEndpoint[] = [NO_ENDPOINT];
  /** Ids of the endpoints met last, by {@link edgeHash}. */
  readonly #guesses = new Uint32Array(GUESSES);
  readonly #runTable = new ByteTable();
  readonly #runs: CachedLabelRun[] = [{ set: NO_LABELS, cut: false }];
  #lastRun = 0;
  readonly #reader = new WireReader();

  constructor(private readonly strings: StringTable) {}

  /** Bytes held. */
  get size(): number {
    return this.#table.size + this.#runTable.size;
  }

  /**
   * The endpoint encoded in `buf[start, end)`, or undefined when it is malformed; then {@link reason} says how. `view`
   * is the memory of `buf`.
   */
  endpoint(view: DataView, buf: Uint8Array, start: number, end: number): CachedEndpoint | undefined {
    const slot = edgeHash(view, start, end) & (GUESSES - 1);
    const guess = this.#guesses[slot] ?? 0;
    if (this.#table.is(guess, view, buf, start, end)) return this.#endpoints[guess];
    const id = this.#table.id(view, buf, start, end);
    this.#guesses[slot] = id;
    if (!this.#table.added) return this.#endpoints[id];
    const endpoint = this.#decode(buf, start, end);
    if (endpoint === undefined) {
      this.#guesses[slot] = 0;
      this.#table.forgetLast();
    } else this.#endpoints[id] = endpoint;
    return endpoint;
  }

  /** The labels in a run of fields with number 37 (`Flow.node_labels`); undefined like {@link endpoint}. */
  nodeLabels(view: DataView, buf: Uint8Array, start: number, end: number): CachedLabelRun | undefined {
    if (this.#runTable.is(this.#lastRun, view, buf, start, end)) return this.#runs[this.#lastRun];
    const id = this.#runTable.id(view, buf, start, end);
    this.#lastRun = id;
    if (!this.#runTable.added) return this.#runs[id];
    const run = this.#decodeRun(buf, start, end);
    if (run === undefined) {
      this.#lastRun = 0;
      this.#runTable.forgetLast();
    } else this.#runs[id] = run;
    return run;
  }

  #decodeRun(buf: Uint8Array, start: number, end: number): CachedLabelRun | undefined {
    const reader = this.#reader;
    reader.load(buf, start, end);
    const ids: number[] = [];
    while (reader.pos < end) {
      reader.uint32();
      ids.push(readString(reader, this.strings));
    }
    if (reader.bad) return undefined;
    const labels = ids.map((id) => this.strings.bytesOf(id));
    const kept = cutLabels(labels);
    return { set: cachedLabelSet(kept, this.strings), cut: kept !== labels };
  }

  get reason(): WireReader['reason'] {
    return this.#reader.reason;
  }

  #decode(buf: Uint8Array, start: number, end: number): CachedEndpoint | undefined {
    const reader = this.#reader;
    reader.load(buf, start, end);
    const draft = new EndpointDraft(this.strings, reader);
    while (reader.pos < end) draft.field(reader.uint32());
    return reader.bad ? undefined : draft.finish();
  }
}

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

class EndpointDraft {
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
