import { accept, reject, type Outcome } from './outcome.js';
import { isUtf8 } from './utf8.js';
import { WireReader } from './wire/wire-reader.js';
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './wire/wire-types.js';
import { WireWriter } from './wire/wire-writer.js';

/** How the events of an envelope are encoded (`Codec` in proto/flowledger/v1/envelope.proto). */
export type Codec = 'hubble.get_flows_response' | 'hubble.export_json' | 'control';

const CODECS: readonly (Codec | undefined)[] = [
  undefined,
  'hubble.get_flows_response',
  'hubble.export_json',
  'control',
];

/** True for the name of a codec that this code can read. */
export function isCodec(name: string): name is Codec {
  return CODECS.some((codec) => codec === name);
}

/** The envelope version this code writes and reads. */
export const ENVELOPE_VERSION = 1;

/** What is known of an envelope's events without decoding one of them (design section 3). */
export interface EnvelopeHeader {
  readonly version: 1;
  readonly tenant: string;
  /** Cluster of the source; nodes may name their own (`cluster/node`). */
  readonly cluster: string;
  /** Node name as sent, or the sender where there is no node. */
  readonly stream: string;
  /** What brought the events: `import`, `hubble-file`, `relay`, `demo`. */
  readonly source: string;
  readonly codec: Codec;
  /** Number of events. */
  readonly count: number;
  /** Earliest and latest event time, ns since 1970, by a shallow look; absent when no event showed one. */
  readonly firstTimeNs?: bigint;
  readonly lastTimeNs?: bigint;
  /** When the ingestor took the first event, ms since 1970: the only received time decoding ever uses. */
  readonly receivedMs: number;
  /** SHA-256 of the import chunk the events are from. */
  readonly chunkDigest?: Uint8Array;
  /** Position of this envelope among those of its chunk. */
  readonly chunkIndex?: number;
  /** One of so many flows was kept by a sampling policy, so each stands for so many; absent: 1. */
  readonly samplingRate?: number;
}

/** An envelope whose events are still positions in the record: what the hot path reads. */
export interface EnvelopeLayout {
  readonly header: EnvelopeHeader;
  /** Start and end of event i in the record, at 2i and 2i + 1. */
  readonly spans: Uint32Array;
}

/**
 * Packs events into one log record. `header.count` must be `events.length`; the events are copied byte for byte.
 * Throws RangeError when the count differs: that is a fault of the caller, not bad data.
 */
export function encodeEnvelope(header: EnvelopeHeader, events: readonly Uint8Array[]): Uint8Array {
  if (header.count !== events.length)
    throw new RangeError(`envelope count ${header.count} of ${events.length} events`);
  return joinEnvelope(header, encodeEvents(events));
}

/** The events of an envelope with their lengths, as they stand in the record: what a digest of them is made of. */
export function encodeEvents(events: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const event of events) size += event.length + 6;
  const writer = new WireWriter(size);
  for (const event of events) writer.bytesField(15, event);
  return writer.buf.subarray(0, writer.pos);
}

/** A log record of a header and {@link encodeEvents}; `header.count` must be their number. */
export function joinEnvelope(header: EnvelopeHeader, events: Uint8Array): Uint8Array {
  const writer = new WireWriter(256);
  writeHeader(writer, header);
  const record = new Uint8Array(writer.pos + events.length);
  record.set(writer.buf.subarray(0, writer.pos));
  record.set(events, writer.pos);
  return record;
}

function writeHeader(writer: WireWriter, header: EnvelopeHeader): void {
  writer.uint32Field(1, header.version);
  writer.stringField(2, header.tenant);
  writer.stringField(3, header.cluster);
  writer.stringField(4, header.stream);
  writer.stringField(5, header.source);
  writer.uint32Field(7, header.count);
  if (header.firstTimeNs !== undefined) writer.fixed64Field(8, header.firstTimeNs);
  if (header.lastTimeNs !== undefined) writer.fixed64Field(9, header.lastTimeNs);
  writer.uint64Field(10, BigInt(Math.max(0, Math.trunc(header.receivedMs))));
  if (header.chunkDigest !== undefined) writer.bytesField(11, header.chunkDigest);
  if (header.chunkIndex !== undefined) writer.uint32Field(12, header.chunkIndex);
  if (header.samplingRate !== undefined) writer.uint32Field(13, header.samplingRate);
  // Last, because without it the record is refused: a header cut short is never taken for an empty envelope.
  writer.uint32Field(6, CODECS.indexOf(header.codec));
}

/**
 * Reads a log record. The events are views on `record`, valid as long as it is. Rejects `envelope` (malformed, or its
 * count is not the number of events), `envelope_version` and `codec` (written by a newer version of us).
 */
export function decodeEnvelope(
  record: Uint8Array,
): Outcome<{ readonly header: EnvelopeHeader; readonly events: readonly Uint8Array[] }> {
  const layout = readEnvelope(record);
  if (!layout.ok) return layout;
  const { header, spans } = layout.value;
  const events: Uint8Array[] = [];
  for (let i = 0; i < spans.length; i += 2) events.push(record.subarray(spans[i], spans[i + 1]));
  return accept({ header, events });
}

/** {@link decodeEnvelope} without an object per event. */
export function readEnvelope(record: Uint8Array): Outcome<EnvelopeLayout> {
  const draft = new HeaderDraft(record);
  const reader = new WireReader();
  reader.load(record, 0, record.length);
  while (reader.pos < reader.end) {
    const tag = reader.uint32();
    if (!draft.read(reader, tag)) reader.skip(tag);
  }
  return reader.bad ? reject('envelope') : draft.finish();
}

/** A header while it is being read. */
class HeaderDraft {
  readonly #texts = ['', '', '', ''];
  readonly #spans: number[] = [];
  #version = 0;
  #codec = 0;
  #count = 0;
  #chunkIndex: number | undefined;
  #samplingRate: number | undefined;
  #receivedMs = 0;
  #firstTimeNs: bigint | undefined;
  #lastTimeNs: bigint | undefined;
  #chunkDigest: Uint8Array | undefined;
  #validText = true;

  constructor(private readonly record: Uint8Array) {}

  /** Takes one field; false when it is none of ours. */
  read(reader: WireReader, tag: number): boolean {
    const field = tag >>> 3;
    const type = tag & 7;
    if (type === WIRE_BYTES && field === 15) {
      const end = reader.lengthEnd();
      this.#spans.push(reader.pos, end);
      reader.pos = end;
    } else if (type === WIRE_BYTES && field >= 2 && field <= 5) this.#texts[field - 2] = this.#text(reader);
    else if (type === WIRE_BYTES && field === 11)
      this.#chunkDigest = this.record.subarray(...this.#span(reader));
    else if (type === WIRE_VARINT) return this.#number(reader, field);
    else if (type === WIRE_FIXED64 && field === 8) this.#firstTimeNs = fixedTime(reader);
    else if (type === WIRE_FIXED64 && field === 9) this.#lastTimeNs = fixedTime(reader);
    else return false;
    return true;
  }

  #number(reader: WireReader, field: number): boolean {
    if (field === 1) this.#version = reader.uint32();
    else if (field === 6) this.#codec = reader.uint32();
    else if (field === 7) this.#count = reader.uint32();
    else if (field === 12) this.#chunkIndex = reader.uint32();
    else if (field === 13) this.#samplingRate = reader.uint32();
    else if (field === 10) {
      reader.varint64();
      this.#receivedMs = reader.hi * 0x100000000 + reader.lo;
    } else return false;
    return true;
  }

  #span(reader: WireReader): [number, number] {
    const end = reader.lengthEnd();
    const start = reader.pos;
    reader.pos = end;
    return [start, end];
  }

  #text(reader: WireReader): string {
    const [start, end] = this.#span(reader);
    if (!isUtf8(this.record, start, end)) this.#validText = false;
    return new TextDecoder().decode(this.record.subarray(start, end));
  }

  finish(): Outcome<EnvelopeLayout> {
    if (this.#version > ENVELOPE_VERSION) return reject('envelope_version');
    const codec = CODECS[this.#codec];
    if (this.#version === 0 || !this.#validText || this.#count !== this.#spans.length / 2)
      return reject('envelope');
    if (codec === undefined) return reject('codec');
    const [tenant = '', cluster = '', stream = '', source = ''] = this.#texts;
    const header: EnvelopeHeader = {
      version: 1,
      tenant,
      cluster,
      stream,
      source,
      codec,
      count: this.#count,
      receivedMs: this.#receivedMs,
      ...(this.#firstTimeNs === undefined ? {} : { firstTimeNs: this.#firstTimeNs }),
      ...(this.#lastTimeNs === undefined ? {} : { lastTimeNs: this.#lastTimeNs }),
      ...(this.#chunkDigest === undefined ? {} : { chunkDigest: this.#chunkDigest }),
      ...(this.#chunkIndex === undefined ? {} : { chunkIndex: this.#chunkIndex }),
      ...(this.#samplingRate === undefined ? {} : { samplingRate: this.#samplingRate }),
    };
    return accept({ header, spans: new Uint32Array(this.#spans) });
  }
}

function fixedTime(reader: WireReader): bigint {
  reader.fixed64();
  return BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo));
}
