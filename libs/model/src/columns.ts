/**
 * Column batches: what decoding produces and what the store's Native writer takes. No per-row object exists between
 * the wire and the table (design section 4). A batch is immutable once taken from its builder.
 */
export interface ColumnBatch {
  readonly table: string;
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** ClickHouse types stored as fixed-width little-endian values. */
export type FixedType =
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int8'
  | 'Int16'
  | 'Int32'
  | 'Int64'
  | "DateTime('UTC')"
  | "DateTime64(3, 'UTC')"
  | "DateTime64(9, 'UTC')"
  | 'IPv6'
  | 'UUID';

/** Fixed-width values: `data` holds rows × width bytes in ClickHouse's in-memory layout (UUID: two LE UInt64, high first). */
export interface FixedColumn {
  readonly kind: 'fixed';
  readonly name: string;
  readonly type: FixedType;
  readonly data: Uint8Array;
}

/** A string column sent as a dictionary; the table's column may be `LowCardinality(String)` or `String`. */
export interface DictionaryColumn {
  readonly kind: 'dictionary';
  readonly name: string;
  readonly type: 'LowCardinality(String)';
  /** UTF-8 or raw bytes of each distinct value. Entry 0 is always the empty string. */
  readonly dictionary: readonly Uint8Array[];
  /** One index into `dictionary` per row. */
  readonly indices: Uint32Array;
}

/** Plain strings or bytes: row i is data[ends[i-1] .. ends[i]). */
export interface BytesColumn {
  readonly kind: 'bytes';
  readonly name: string;
  readonly type: 'String';
  readonly ends: Uint32Array;
  readonly data: Uint8Array;
}

/** Arrays: row i holds items ends[i-1] .. ends[i) of `items`. */
export interface ArrayColumn {
  readonly kind: 'array';
  readonly name: string;
  readonly type: 'Array(LowCardinality(String))' | 'Array(String)';
  readonly ends: Uint32Array;
  readonly items: DictionaryColumn | BytesColumn;
}

/** A column of a batch; `kind` says how its values are held. */
export type Column = FixedColumn | DictionaryColumn | BytesColumn | ArrayColumn;
