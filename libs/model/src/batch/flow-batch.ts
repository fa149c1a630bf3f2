import type { Column, ColumnBatch } from '../columns.js';
import { FLOW_FIELDS } from '../fields.js';
import { WireWriter } from '../wire/wire-writer.js';
import { BytesBuilder, BytesListBuilder } from './bytes-builder.js';
import { DictionaryMaker, IdListBuilder } from './dictionary.js';
import { FixedColumns } from './fixed-columns.js';
import { ROW_LANES } from './lanes.js';
import type { StringTable } from './string-table.js';

const CHUNK_ROWS = 256;
/** What a row takes before its strings: for the loader's batch limit only. */
const ROW_BYTES = FLOW_FIELDS.length * 4;

/**
 * The growing batch of `flows` with one open row. Decoders write the open row's lanes and lists; {@link commitRow}
 * keeps it and {@link rollbackRow} empties it again.
 */
export class FlowBatch {
  readonly lanes = new Uint32Array(CHUNK_ROWS * ROW_LANES);
  /** Lanes written since the last chunk: the others are all zero. Whoever writes {@link lanes} sets it. */
  readonly touched = new Uint8Array(ROW_LANES);
  /** First lane of the open row. */
  base = 0;
  /** Rows committed since the last {@link take}. */
  rows = 0;
  readonly httpUrl = new BytesBuilder();
  readonly traceId = new BytesBuilder();
  readonly summary = new BytesBuilder();
  readonly headerValues = new BytesListBuilder();
  readonly dnsIps = new BytesListBuilder();
  readonly sourceWorkloads = new IdListBuilder();
  readonly destinationWorkloads = new IdListBuilder();
  readonly sourceNames = new IdListBuilder();
  readonly destinationNames = new IdListBuilder();
  readonly policyLog = new IdListBuilder();
  readonly headerKeys = new IdListBuilder();
  readonly dnsCnames = new IdListBuilder();
  readonly dnsQtypes = new IdListBuilder();
  readonly dnsRrtypes = new IdListBuilder();
  /** Fields of the open row that no column gives back: tag and value. */
  readonly extra = new WireWriter();
  /** Policy fields of the open row: tag and value. */
  readonly policies = new WireWriter();
  readonly #extraColumn = new BytesBuilder();
  readonly #fixed = new FixedColumns();
  readonly #maker: DictionaryMaker;
  readonly #bytes: Readonly<Record<string, BytesBuilder>> = {
    http_url: this.httpUrl,
    trace_id: this.traceId,
    summary: this.summary,
    extra: this.#extraColumn,
  };
  readonly #byteLists: Readonly<Record<string, BytesListBuilder>> = {
    http_header_values: this.headerValues,
    dns_ips: this.dnsIps,
  };
  readonly #idLists: Readonly<Record<string, IdListBuilder>> = {
    src_workloads: this.sourceWorkloads,
    dst_workloads: this.destinationWorkloads,
    src_names: this.sourceNames,
    dst_names: this.destinationNames,
    policy_log: this.policyLog,
    http_header_keys: this.headerKeys,
    dns_cnames: this.dnsCnames,
    dns_qtypes: this.dnsQtypes,
    dns_rrtypes: this.dnsRrtypes,
  };
  readonly #lists: readonly (BytesBuilder | BytesListBuilder | IdListBuilder)[] = [
    ...Object.values(this.#bytes),
    ...Object.values(this.#byteLists),
    ...Object.values(this.#idLists),
  ];

  constructor(strings: StringTable) {
    this.#maker = new DictionaryMaker(strings);
  }

  /** Estimated bytes of the committed rows. */
  get size(): number {
    let size = this.rows * ROW_BYTES;
    for (const list of this.#lists) size += list.size;
    return size;
  }

  commitRow(): void {
    if (this.extra.pos > 0) this.#extraColumn.append(this.extra.buf, 0, this.extra.pos);
    for (const list of this.#lists) list.commit();
    this.#nextRow();
    this.rows++;
    this.base += ROW_LANES;
    if (this.base === this.lanes.length) this.#flush();
  }

  rollbackRow(): void {
    this.lanes.fill(0, this.base, this.base + ROW_LANES);
    for (const list of this.#lists) list.rollback();
    this.#nextRow();
  }

  /** The committed rows as a batch of table `flows`; starts empty again. */
  take(): ColumnBatch {
    this.#flush();
    const fixed = this.#fixed.take(this.#maker);
    const columns = FLOW_FIELDS.map((field): Column => {
      const { column } = field;
      const made =
        fixed.get(column) ??
        this.#bytes[column]?.take(column) ??
        this.#byteLists[column]?.take(column) ??
        this.#idLists[column]?.take(column, this.#maker);
      if (made === undefined) throw new RangeError(`column ${column} has no builder`);
      return made;
    });
    const rows = this.rows;
    this.rows = 0;
    return { table: 'flows', rows, columns };
  }

  /** Nobody reads the batch taken last any more: its memory serves the next one. */
  giveBack(): void {
    this.#fixed.giveBack();
  }

  #nextRow(): void {
    this.extra.reset();
    this.policies.reset();
  }

  #flush(): void {
    const count = this.base / ROW_LANES;
    if (count > 0) this.#fixed.append(this.lanes, count, this.touched);
    this.touched.fill(0);
    this.lanes.fill(0, 0, this.base);
    this.base = 0;
  }
}
