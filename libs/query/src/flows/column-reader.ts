import type { FlowRow } from './flow-record.js';

/** One column, read by row. What a column's type does not have reads as empty. */
export interface ColumnReader {
  text(row: number): string;
  number(row: number): number;
  bigint(row: number): bigint;
  list(row: number): readonly string[];
  bytes(row: number): Uint8Array;
}

/** The columns of some rows of `flows` by the names of a flow page. */
export interface ColumnReaders {
  has(name: string): boolean;
  /** A missing column reads as empty. */
  column(name: string): ColumnReader;
}

/** Rows as the store answers them in JSON, where wide integers are text and bytes are base64. */
export class RowColumns implements ColumnReaders {
  constructor(private readonly rows: readonly FlowRow[]) {}

  has(name: string): boolean {
    return this.rows[0]?.[name] !== undefined;
  }
  column(name: string): ColumnReader {
    return new RowColumn(this.rows, name);
  }
}

class RowColumn implements ColumnReader {
  constructor(
    private readonly rows: readonly FlowRow[],
    private readonly name: string,
  ) {}

  text(row: number): string {
    const value = this.#value(row);
    return typeof value === 'string' ? value : String(value ?? '');
  }
  number(row: number): number {
    return Number(this.#value(row) ?? 0);
  }
  bigint(row: number): bigint {
    return BigInt(this.text(row));
  }
  list(row: number): readonly string[] {
    const value = this.#value(row);
    return Array.isArray(value) ? value : [];
  }
  bytes(row: number): Uint8Array {
    return Buffer.from(this.text(row), 'base64');
  }

  #value(row: number): FlowRow[string] | undefined {
    return this.rows[row]?.[this.name];
  }
}
