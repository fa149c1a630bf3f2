import { Books } from './batch/books.js';
import { DESTINATION_LANES, SideTables, SOURCE_LANES } from './batch/side-tables.js';
import { readEnvelope, type EnvelopeHeader, type EnvelopeLayout } from './envelope.js';
import { TIME_OK } from './hubble/event-time.js';
import { HubbleDecoder, type Decoded } from './hubble/hubble-decoder.js';
import { JsonTranscoder } from './hubble/json-transcoder.js';
import type { RejectReason, SkipReason } from './outcome.js';
import type {
  ProjectedBatches,
  ProjectedRecord,
  ProjectionOptions,
  RecordAccount,
} from './projected-batches.js';
import { RecordTally, TimeRange } from './record-tally.js';

const MAX_EVENT_BYTES = 4 * 1024 * 1024;
/** Strings and endpoints kept between batches; beyond it the next batch starts afresh. */
const CACHE_BYTES = 64 * 1024 * 1024;
const DAY_S = 86_400;

/** The event being looked at: number `index` of the record, `record[start, end)`. */
interface Event {
  readonly record: ProjectedRecord;
  readonly header: EnvelopeHeader;
  index: number;
  start: number;
  end: number;
}

/**
 * Turns log records into column batches: decode, normalise, account for every event. Pure: equal records, in the same
 * batches and with the same answers of `isDuplicate`, give equal batches. Not a record is refused: bad data becomes
 * dead letters, each with a reason.
 */
export class Projection {
  #decoder: HubbleDecoder;
  #sides: SideTables;
  readonly #json = new JsonTranscoder();
  readonly #books: Books;
  #accounts: RecordAccount[] = [];
  readonly #days = new Set<number>();
  #lastDay = -1;
  readonly #flowTimes = new TimeRange();
  readonly #eventTimes = new TimeRange();
  #tally = new RecordTally(0n);
  readonly #keyWords = new Uint32Array(2);
  readonly #keyValue = new BigUint64Array(this.#keyWords.buffer);

  constructor(private readonly options: ProjectionOptions) {
    this.#books = new Books(options.logEpoch, options.partition);
    this.#decoder = this.#newDecoder();
    this.#sides = new SideTables(this.#decoder.strings, this.#decoder.batch);
  }

  #newDecoder(): HubbleDecoder {
    const { logEpoch, partition, rawTtlMs } = this.options;
    const epochLo = Number(logEpoch & 0xffff_ffffn);
    const epochHi = Number((logEpoch >> 32n) & 0xffff_ffffn);
    return new HubbleDecoder({ epochLo, epochHi, partition }, rawTtlMs);
  }

  /** Rows waiting in all tables of facts and books; label sets and endpoints not counted. */
  get rows(): number {
    return this.#decoder.batch.rows + this.#books.rows;
  }

  /** Estimated bytes of the waiting rows. */
  get bytes(): number {
    return this.#decoder.batch.size + this.#sides.size + this.#books.size;
  }

  /** How many days, and so partitions of `flows` and `events`, the waiting rows touch. */
  partitionsTouched(): number {
    return this.#days.size;
  }

  /** Decodes one record; what became of its events. Records must come in the order of their offsets. */
  add(record: ProjectedRecord): RecordAccount {
    this.#tally = new RecordTally(record.offset);
    const layout = readEnvelope(record.value);
    if (layout.ok) this.#addEvents(record, layout.value);
    else this.#damaged(record, layout.reason);
    const account = this.#tally.account();
    this.#accounts.push(account);
    return account;
  }

  /** The waiting rows; starts empty again. */
  take(): ProjectedBatches {
    const batches: ProjectedBatches = {
      flows: this.#decoder.batch.take(),
      ...this.#books.take(),
      ...this.#sides.take(),
      accounts: this.#accounts,
      bucketTimes: { ...this.#flowTimes.take('flows'), ...this.#eventTimes.take('events') },
    };
    this.#accounts = [];
    this.#days.clear();
    this.#lastDay = -1;
    if (this.#decoder.cacheSize > CACHE_BYTES) this.#startAfresh();
    return batches;
  }

  /**
   * Nobody reads the batches taken last any more: their memory serves the next ones. Optional; without it every batch
   * has memory of its own, and the garbage collector works for each (a fifth of a loader's processor time, measured).
   */
  giveBack(): void {
    this.#decoder.batch.giveBack();
  }

  /** Drops all cached strings; stream keys stay the same objects, because callers may hold them. */
  #startAfresh(): void {
    const former = this.#decoder;
    this.#decoder = this.#newDecoder();
    this.#decoder.scope.adopt(former.scope);
    this.#sides = new SideTables(this.#decoder.strings, this.#decoder.batch);
  }

  #addEvents(record: ProjectedRecord, { header, spans }: EnvelopeLayout): void {
    this.#decoder.scope.begin(record.offset, header);
    this.#sides.begin(this.#decoder.scope.tenant);
    this.#tally.receivedMs = header.receivedMs;
    const event: Event = { record, header, index: 0, start: 0, end: 0 };
    for (let index = 0; index * 2 < spans.length; index++) {
      event.index = index;
      event.start = spans[index * 2] ?? 0;
      event.end = spans[index * 2 + 1] ?? 0;
      this.#addEvent(event);
    }
  }

  #addEvent(event: Event): void {
    const { record, header, index, start, end } = event;
    if (header.codec === 'control') this.#skip(event, 'control');
    else if (end - start > (this.options.maxEventBytes ?? MAX_EVENT_BYTES)) this.#die(event, 'too_large');
    else if (header.codec === 'hubble.export_json') this.#addJson(event);
    else this.#addDecoded(event, this.#decoder.decode(record.value, start, end, index));
  }

  #addJson(event: Event): void {
    const json = this.#json;
    const refusal = json.transcode(event.record.value, event.start, event.end);
    if (refusal === 'blank' || refusal === 'unsupported_kind') this.#skip(event, refusal);
    else if (refusal !== undefined) this.#die(event, refusal);
    else this.#addDecoded(event, this.#decoder.decode(json.wire.buf, 0, json.wire.pos, event.index));
  }

  #addDecoded(event: Event, decoded: Decoded): void {
    if (decoded === 'flow') this.#addFlow(event);
    else if (decoded === 'event') this.#addOther(event);
    else if (decoded === 'unsupported_kind') this.#skip(event, decoded);
    else this.#die(event, decoded);
  }

  #addFlow(event: Event): void {
    const { batch, finisher, time } = this.#decoder;
    if (this.#isDuplicate()) {
      batch.rollbackRow();
      this.#skip(event, 'duplicate');
      return;
    }
    const sides = this.#sides;
    const { source, destination } = finisher.sides;
    sides.labelSet(source.labelSet);
    sides.labelSet(destination.labelSet);
    sides.labelSet(finisher.nodeLabels);
    sides.endpoint(source, SOURCE_LANES, time.bucketS);
    sides.endpoint(destination, DESTINATION_LANES, time.bucketS);
    sides.backend(destination, time.bucketS);
    batch.commitRow();
    this.#tally.flows++;
    this.#noteTime(this.#flowTimes);
  }

  /** An event that is no flow; `bytes` holds its protobuf form, also when it came as JSON. */
  #addOther(event: Event): void {
    const { event: decoded, node, time, strings } = this.#decoder;
    if (decoded === undefined || node === undefined) return;
    if (this.#isDuplicate()) {
      this.#skip(event, 'duplicate');
      return;
    }
    const { record, header, index, start, end } = event;
    const bytes =
      header.codec === 'hubble.export_json' ? this.#json.wire.finish() : record.value.slice(start, end);
    const place = {
      cluster: strings.bytesOf(node.cluster),
      node: strings.bytesOf(node.node),
      time,
      key: this.#key(),
    };
    this.#books.event(record.offset, index, header, decoded, place, bytes);
    this.#tally.otherEvents++;
    this.#noteTime(this.#eventTimes);
  }

  #isDuplicate(): boolean {
    const { node, time } = this.#decoder;
    return node !== undefined && this.options.isDuplicate(node.stream, this.#key(), time.quality === TIME_OK);
  }

  #key(): bigint {
    this.#keyWords[0] = this.#decoder.keyLo;
    this.#keyWords[1] = this.#decoder.keyHi;
    return this.#keyValue[0] ?? 0n;
  }

  #noteTime(range: TimeRange): void {
    const { time } = this.#decoder;
    range.note(time.bucketLo, time.bucketHi);
    this.#tally.times.note(time.bucketLo, time.bucketHi);
    const day = Math.floor(time.bucketS / DAY_S);
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    this.#days.add(day);
  }

  #skip({ record, header, index }: Event, reason: SkipReason): void {
    this.#books.skip(record.offset, index, header, reason, reason === 'duplicate' ? this.#key() : 0n);
    if (reason === 'duplicate') this.#tally.duplicates++;
    else this.#tally.skipped++;
  }

  #die({ record, header, index, start, end }: Event, reason: RejectReason): void {
    this.#books.deadLetter(record.offset, index, header, reason, record.value.subarray(start, end));
    this.#tally.dead++;
  }

  /** A record that is no envelope: one dead letter for all the events that the log says it held. */
  #damaged(record: ProjectedRecord, reason: RejectReason): void {
    this.#books.deadLetter(record.offset, 0, undefined, reason, record.value);
    this.#tally.dead += record.events ?? 1;
  }
}
