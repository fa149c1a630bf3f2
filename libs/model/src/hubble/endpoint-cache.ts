import { ByteTable, edgeHash } from '../batch/byte-table.js';
import type { StringTable } from '../batch/string-table.js';
import { WireReader } from '../wire/wire-reader.js';
import { NO_ENDPOINT, NO_LABELS, type CachedEndpoint, type CachedLabelRun } from './cached-endpoint.js';
import { cachedLabelSet, cutLabels, EndpointDraft, readString } from './endpoint-draft.js';

/** Endpoints that are looked for first. */
const GUESSES = 8192;

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
