import type { Column, ColumnBatch } from '../columns.js';
import type { CachedEndpoint, LastSeen } from '../hubble/cached-endpoint.js';
import { ByteTable } from './byte-table.js';
import { DictionaryMaker } from './dictionary.js';
import { isFixedType } from './lanes.js';
import type { StringTable } from './string-table.js';
import { ENDPOINT_COLUMNS } from './tables.js';

/** 32-bit lanes of a row, in the order of the columns: four for the address, one for each other. */
const LANES = ENDPOINT_COLUMNS.length + 3;
const ROW_BYTES = LANES * 4;
const IP_LANES = 4;

/**
 * The rows of `endpoints`, each once, in order of first use. A row is a run of lanes (strings as ids of the string
 * table) and the lanes are its key: where flows of a day come in one batch, nearly every tenth of them brings a row.
 */
export class EndpointRows {
  #rows = new ByteTable();
  readonly #lanes = new Uint32Array(LANES);
  readonly #bytes = new Uint8Array(this.#lanes.buffer);
  readonly #view = new DataView(this.#lanes.buffer);
  readonly #maker: DictionaryMaker;

  constructor(strings: StringTable) {
    this.#maker = new DictionaryMaker(strings);
  }

  /** Bytes of the rows. */
  get size(): number {
    return this.#rows.size;
  }

  /** Adds the row of an endpoint as it was seen, unless it is there; `tenant` is a string id. */
  add(tenant: number, endpoint: CachedEndpoint, seen: LastSeen): void {
    const lanes = this.#lanes;
    lanes[0] = tenant;
    lanes[1] = seen.cluster;
    lanes[2] = seen.hour;
    lanes[3] = seen.ip0;
    lanes[4] = seen.ip1;
    lanes[5] = seen.ip2;
    lanes[6] = seen.ip3;
    lanes[7] = endpoint.namespace;
    lanes[8] = endpoint.pod;
    lanes[9] = endpoint.identity;
    lanes[10] = endpoint.sentKind;
    lanes[11] = endpoint.sentName;
    lanes[12] = seen.serviceNamespace;
    lanes[13] = seen.serviceName;
    this.#rows.id(this.#view, this.#bytes, 0, ROW_BYTES);
  }

  /** The rows as a batch; starts empty again. */
  take(): ColumnBatch {
    const all = this.#rows.all;
    const rows = all.length / ROW_BYTES;
    const lanes = new Uint32Array(all.buffer, all.byteOffset, rows * LANES);
    this.#rows = new ByteTable();
    let lane = 0;
    const columns = ENDPOINT_COLUMNS.map(({ name, type }): Column => {
      const width = type === 'IPv6' ? IP_LANES : 1;
      const values = columnOf(lanes, rows, lane, width);
      lane += width;
      return isFixedType(type)
        ? { kind: 'fixed', name, type, data: new Uint8Array(values.buffer) }
        : this.#maker.column(name, values);
    });
    return { table: 'endpoints', rows, columns };
  }
}

function columnOf(lanes: Uint32Array, rows: number, lane: number, width: number): Uint32Array {
  const values = new Uint32Array(rows * width);
  for (let row = 0, at = 0; row < rows; row++)
    for (let k = 0; k < width; k++) values[at++] = lanes[row * LANES + lane + k] ?? 0;
  return values;
}
