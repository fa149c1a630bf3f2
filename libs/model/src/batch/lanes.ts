import type { FixedType } from '../columns.js';
import { FLOW_FIELDS, type FieldSpec } from '../fields.js';

/** Width in bytes of each fixed type in a Native block. */
export const FIXED_WIDTH: Readonly<Record<FixedType, number>> = {
  UInt8: 1,
  Int8: 1,
  UInt16: 2,
  Int16: 2,
  UInt32: 4,
  Int32: 4,
  "DateTime('UTC')": 4,
  UInt64: 8,
  Int64: 8,
  "DateTime64(3, 'UTC')": 8,
  "DateTime64(9, 'UTC')": 8,
  IPv6: 16,
  UUID: 16,
};

/** Narrows a column type to the fixed ones. */
export function isFixedType(type: FieldSpec['type']): type is FixedType {
  return type in FIXED_WIDTH;
}

/** Number of 32-bit lanes that a value takes while its row is being decoded: 0 for values kept elsewhere. */
export function lanesOf(type: FieldSpec['type']): number {
  if (type === 'LowCardinality(String)') return 1;
  return isFixedType(type) ? Math.max(1, FIXED_WIDTH[type] / 4) : 0;
}

const LANE_BY_COLUMN = new Map<string, number>();
let total = 0;
for (const field of FLOW_FIELDS) {
  LANE_BY_COLUMN.set(field.column, total);
  total += lanesOf(field.type);
}

/**
 * Lanes of one row of `flows`. While flows are decoded a row is a run of 32-bit lanes, one or more per column in the
 * order of FLOW_FIELDS (64-bit values low half first, addresses and UUIDs in memory order, strings as ids of the
 * string table); full chunks of rows are then turned into columns. Writing a value twice is protobuf's "last one wins".
 */
export const ROW_LANES = total;

/** First lane of a column. Throws for a column that FLOW_FIELDS lacks: that is a mistake in our code. */
export function laneOf(column: string): number {
  const lane = LANE_BY_COLUMN.get(column);
  if (lane === undefined) throw new RangeError(`no column ${column} in FLOW_FIELDS`);
  return lane;
}
