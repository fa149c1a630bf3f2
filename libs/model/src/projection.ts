import { DESTINATION_LANES, SideTables, SOURCE_LANES } from './batch/side-tables.js';
import { TableBuilder, type Cell } from './batch/table-builder.js';
import { DEAD_LETTER_COLUMNS, EVENT_COLUMNS, SKIPPED_EVENT_COLUMNS } from './batch/tables.js';
import { readEnvelope, type EnvelopeHeader, type EnvelopeLayout } from './envelope.js';
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
/** A dead letter keeps this much of the original. */
const DEAD_LETTER_BYTES = 64 * 1024;
/** Strings and endpoints kept between batches; beyond it the next batch starts afresh. */
const CACHE_BYTES = 64 * 1024 * 1024;
const DAY_S = 86_400;

/**
 * Turns log records into column batches: decode, normalise, account for every event. Pure: equal records, in the same
 * batches and with the same answers of `isDuplicate`, give equal batches. Not a record is refused: bad data becomes
 * dead letters, each with a reason.
 */
export class Projection {
  #decoder: HubbleDecoder;
  #sides: SideTables;
  readonly #json = new JsonTranscoder();
  readonly #events = new TableBuilder('events', EVENT_COLUMNS);
  readonly #deadLetters = new TableBuilder('dead_letters', DEAD_LETTER_COLUMNS);
  readonly #skipped = new TableBuilder('skipped_events', SKIPPED_EVENT_COLUMNS);
  #accounts: RecordAccount[] = [];
  readonly #days = new Set<number>();
  #lastDay = -1;
  readonly #flowTimes = new TimeRange();
  readonly #eventTimes = new TimeRange();
  #tally = new RecordTally(0n);
  readonly #keyWords = new Uint32Array(2);
  readonly #keyValue = new BigUint64Array(this.#keyWords.buffer);

  constructor(private readonly options: ProjectionOptions) {
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
    return this.#decoder.batch.rows + this.#events.rows + this.#deadLetters.rows + this.#skipped.rows;
  }

  /** Estimated bytes of the waiting rows. */
  get bytes(): number {
    const books = this.#events.size + this.#deadLetters.size + this.#skipped.size;
    return this.#decoder.batch.size + this.#sides.size + books;
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
    const flows = this.#decoder.batch.take();
    const batches: ProjectedBatches = {
      flows,
      events: this.#events.take(),
      ...this.#sides.take(),
      deadLetters: this.#deadLetters.take(),
      skippedEvents: this.#skipped.take(),
      accounts: this.#accounts,
      bucketTimes: { ...this.#flowTimes.take('flows'), ...this.#eventTimes.take('events') },
    };
    this.#accounts = [];
    this.#days.clear();
    this.#lastDay = -1;
    if (this.#decoder.cacheSize > CACHE_BYTES) this.#startAfresh();
    return batches;
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
    const limit = this.options.maxEventBytes ?? MAX_EVENT_BYTES;
    for (let index = 0; index * 2 < spans.length; index++) {
      const start = spans[index * 2] ?? 0;
      const end = spans[index * 2 + 1] ?? 0;
      if (header.codec === 'control') this.#skip(record.offset, header, index, 'control');
      else if (end - start > limit) this.#die(record, header, index, start, end, 'too_large');
      else if (header.codec === 'hubble.export_json') this.#addJson(record, header, index, start, end);
      else
        this.#addDecoded(
          record,
          header,
          index,
          start,
          end,
          this.#decoder.decode(record.value, start, end, index),
        );
    }
  }

  #addJson(record: ProjectedRecord, header: EnvelopeHeader, index: number, start: number, end: number): void {
    const json = this.#json;
    const refusal = json.transcode(record.value, start, end);
    if (refusal === 'blank' || refusal === 'unsupported_kind')
      this.#skip(record.offset, header, index, refusal);
    else if (refusal !== undefined) this.#die(record, header, index, start, end, refusal);
    else {
      const decoded = this.#decoder.decode(json.wire.buf, 0, json.wire.pos, index);
      this.#addDecoded(record, header, index, start, end, decoded);
    }
  }

  #addDecoded(
    record: ProjectedRecord,
    header: EnvelopeHeader,
    index: number,
    start: number,
    end: number,
    decoded: Decoded,
  ): void {
    if (decoded === 'flow') this.#addFlow(record.offset, header, index);
    else if (decoded === 'event') this.#addEvent(record, header, index, start, end);
    else if (decoded === 'unsupported_kind') this.#skip(record.offset, header, index, decoded);
    else this.#die(record, header, index, start, end, decoded);
  }

  #addFlow(offset: bigint, header: EnvelopeHeader, index: number): void {
    const decoder = this.#decoder;
    const { batch, finisher, time } = decoder;
    if (this.#isDuplicate()) {
      batch.rollbackRow();
      this.#skip(offset, header, index, 'duplicate');
      return;
    }
    const sides = this.#sides;
    sides.labelSet(finisher.source.labelSet);
    sides.labelSet(finisher.destination.labelSet);
    sides.labelSet(finisher.nodeLabels);
    sides.endpoint(finisher.source, SOURCE_LANES, time.bucketS);
    sides.endpoint(finisher.destination, DESTINATION_LANES, time.bucketS);
    batch.commitRow();
    this.#tally.flows++;
    this.#noteTime(this.#flowTimes);
  }

  #isDuplicate(): boolean {
    const { node } = this.#decoder;
    return node !== undefined && this.options.isDuplicate(node.stream, this.#key());
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
    const day = (time.bucketS / DAY_S) | 0;
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    this.#days.add(day);
  }

  #addEvent(
    record: ProjectedRecord,
    header: EnvelopeHeader,
    index: number,
    start: number,
    end: number,
  ): void {
    const { event, node, time, strings } = this.#decoder;
    if (event === undefined || node === undefined) return;
    if (this.#isDuplicate()) {
      this.#skip(record.offset, header, index, 'duplicate');
      return;
    }
    const json = header.codec === 'hubble.export_json';
    const bytes = json ? this.#json.wire.finish() : record.value.slice(start, end);
    this.#events.append([
      ...this.#place(record.offset, index),
      header.tenant,
      strings.bytesOf(node.cluster),
      strings.bytesOf(node.node),
      join(time.bucketLo, time.bucketHi),
      join(time.shiftLo, time.shiftHi),
      time.quality,
      this.#key(),
      event.kind,
      event.type,
      event.count,
      event.firstTime,
      event.lastTime,
      event.nodes,
      event.namespace,
      event.pod,
      event.labels,
      event.text,
      bytes,
    ]);
    this.#tally.otherEvents++;
    this.#noteTime(this.#eventTimes);
  }

  #place(offset: bigint, index: number): Cell[] {
    return [this.options.logEpoch, this.options.partition, offset, index];
  }

  #skip(offset: bigint, header: EnvelopeHeader, index: number, reason: SkipReason): void {
    const key = reason === 'duplicate' ? this.#key() : 0n;
    this.#skipped.append([...this.#place(offset, index), reason, key, BigInt(header.receivedMs)]);
    if (reason === 'duplicate') this.#tally.duplicates++;
    else this.#tally.skipped++;
  }

  #die(
    record: ProjectedRecord,
    header: EnvelopeHeader,
    index: number,
    start: number,
    end: number,
    reason: RejectReason,
  ): void {
    this.#deadLetters.append([
      ...this.#place(record.offset, index),
      header.tenant,
      header.cluster,
      header.stream,
      BigInt(header.receivedMs),
      header.source,
      header.codec,
      reason,
      end - start,
      record.value.slice(start, Math.min(end, start + DEAD_LETTER_BYTES)),
    ]);
    this.#tally.dead++;
  }

  /** A record that is no envelope: one dead letter for all the events that the log says it held. */
  #damaged(record: ProjectedRecord, reason: RejectReason): void {
    const { value } = record;
    this.#deadLetters.append([
      ...this.#place(record.offset, 0),
      'default',
      'default',
      '',
      0n,
      '',
      '',
      reason,
      value.length,
      value.slice(0, DEAD_LETTER_BYTES),
    ]);
    this.#tally.dead += record.events ?? 1;
  }
}

function join(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}
