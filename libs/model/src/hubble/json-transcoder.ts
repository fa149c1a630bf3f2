import type { RejectReason } from '../outcome.js';
import { isAscii, isUtf8 } from '../utf8.js';
import { WireWriter } from '../wire/wire-writer.js';
import { JsonObjects } from './json-objects.js';
import { JsonScanner, OPEN_BRACE } from './json-scanner.js';
import { jsonMessage } from './json-schema.js';
import { unwrapLogLine } from './log-line.js';

const EXPORT_EVENT = jsonMessage('observer.ExportEvent');
const FLOW = jsonMessage('flow.Flow');

/** Why a line is no event: a dead letter's reason, an event kind we do not keep, or nothing on the line at all. */
export type LineRefusal = RejectReason | 'unsupported_kind' | 'blank';

/**
 * Turns one export line, in any shape of hubble note 2.6, into the wire form of `observer.ExportEvent`, so that JSON
 * and protobuf go through one decoder. After {@link transcode} the message is `wire.buf[0, wire.pos)`.
 */
export class JsonTranscoder {
  readonly wire = new WireWriter(4096);
  readonly #scanner = new JsonScanner();
  readonly #objects = new JsonObjects(this.#scanner, this.wire);
  /** Text found inside a log line. */
  readonly #inner = new WireWriter();

  /** Undefined when the line is an event. */
  transcode(line: Uint8Array, start: number, end: number): LineRefusal | undefined {
    let from = start;
    let to = end;
    if (line[from] === 0xef && line[from + 1] === 0xbb && line[from + 2] === 0xbf) from += 3;
    while (from < to && isSpace(line[from])) from++;
    while (to > from && isSpace(line[to - 1])) to--;
    if (from >= to) return 'blank';
    if (!isAscii(line, from, to) && !isUtf8(line, from, to)) return 'invalid_utf8';
    if (line[from] === OPEN_BRACE) return this.#object(line, from, to, true);
    this.#inner.reset();
    if (unwrapLogLine(line, from, to, this.#inner)) return this.#unwrapped();
    return this.#noObject(line, from, to);
  }

  /** A value that is no object holds no event; a text that is no value is no JSON. */
  #noObject(line: Uint8Array, from: number, to: number): RejectReason {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    scanner.skipValue(1);
    return scanner.fault ?? (scanner.peek() === -1 ? 'schema' : 'json_trailing');
  }

  #unwrapped(): LineRefusal | undefined {
    const text = this.#inner.finish();
    if (!isUtf8(text, 0, text.length)) return 'invalid_utf8';
    return this.#object(text, 0, text.length, false);
  }

  #object(line: Uint8Array, from: number, to: number, mayWrap: boolean): LineRefusal | undefined {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    this.wire.reset();
    this.#objects.begin();
    this.#objects.readObject(EXPORT_EVENT, 0);
    if (scanner.fault !== undefined) return scanner.fault;
    if (scanner.peek() !== -1) return 'json_trailing';
    if (this.#objects.members > 0) return undefined;
    if (this.#objects.flowKeys > 0) return this.#bareFlow(line, from, to);
    if (this.#objects.logMember >= 0 && mayWrap) return this.#logRecord(line, this.#objects.logMember, to);
    return this.#objects.otherObjects > 0 ? 'unsupported_kind' : 'schema';
  }

  /** `hubble observe` up to 0.10 printed the flow itself, without an envelope. */
  #bareFlow(line: Uint8Array, from: number, to: number): RejectReason | undefined {
    const scanner = this.#scanner;
    scanner.load(line, from, to);
    this.wire.reset();
    const mark = this.wire.open(1);
    this.#objects.readObject(FLOW, 1);
    this.wire.close(mark);
    return scanner.fault;
  }

  /** A log record in JSON whose message is our line. */
  #logRecord(line: Uint8Array, at: number, to: number): LineRefusal | undefined {
    this.#inner.reset();
    this.#scanner.load(line, at, to);
    this.#scanner.string(this.#inner);
    return this.#scanner.fault ?? this.#unwrapped();
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
