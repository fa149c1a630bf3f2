import type { ParamValue } from './query-plan.js';

/** ClickHouse types that parameters are bound as. */
export type ParamType =
  | 'String'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int16'
  | 'Int32'
  | 'Int64'
  | 'IPv6'
  | 'UUID'
  | 'Float64'
  | 'Array(String)'
  | 'Array(UInt8)'
  | 'Array(UInt16)'
  | 'Array(UInt32)'
  | 'Array(UInt64)'
  | 'Array(Int16)'
  | 'Array(Int32)'
  | 'Array(Int64)'
  | 'Array(UUID)';

/**
 * Collects the values of one statement and gives each a numbered placeholder, so that no value ever reaches SQL text.
 * Belongs to the planner call that made it.
 */
export class ParamBinder {
  readonly #values: Record<string, ParamValue> = {};
  #count = 0;

  /** Binds a value and returns its placeholder, for example `{p3:String}`. */
  bind(type: ParamType, value: ParamValue): string {
    const name = `p${++this.#count}`;
    this.#values[name] = value;
    return `{${name}:${type}}`;
  }

  /** Binds a value under a fixed name that a template spells out. */
  name(name: string, value: ParamValue): void {
    this.#values[name] = value;
  }

  /** The values that a statement names; those of conditions that were dropped on the way are left out. */
  usedBy(sql: string): Readonly<Record<string, ParamValue>> {
    const names = new Set([...sql.matchAll(/\{(\w+):/g)].map((match) => match[1]));
    return Object.fromEntries(Object.entries(this.#values).filter(([name]) => names.has(name)));
  }
}
