import { readFileSync } from 'node:fs';
import type { ParamValue, QueryPlan } from '@flowledger/column-store';

/** Every statement of the loader ends in an error, never in a partial answer. */
const LIMITS = {
  max_execution_time: 120,
  timeout_overflow_mode: 'throw',
  max_result_rows: 20_000_000,
  result_overflow_mode: 'throw',
  use_query_condition_cache: 0,
};

const texts = new Map<string, string>();

/** A statement of this library by file name, without its leading comment; read from `libs/sink/sql` once. */
export function sqlFile(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const file = readFileSync(new URL(`../sql/${name}.sql`, import.meta.url), 'utf8');
  const text = file.replace(/^--.*\n/gm, '').trim();
  texts.set(name, text);
  return text;
}

/** The statement of a file, ready to run. `settings` come on top of the limits every statement has. */
export function planOf(
  name: string,
  params: Readonly<Record<string, ParamValue>>,
  settings: Readonly<Record<string, string | number>> = {},
): QueryPlan {
  return { name, sql: sqlFile(name), params, settings: { ...LIMITS, ...settings } };
}

/**
 * The same with places filled: a block comment that is one word is replaced by its fragment. Fragments are names from
 * the closed tables of this library or a view's own SELECT, never values.
 */
export function filledPlan(
  name: string,
  fragments: Readonly<Record<string, string>>,
  params: Readonly<Record<string, ParamValue>>,
  settings: Readonly<Record<string, string | number>> = {},
): QueryPlan {
  const sql = sqlFile(name).replace(/\/\*(\w+)\*\//g, (_, place: string) => {
    const fragment = fragments[place];
    if (fragment === undefined) throw new TypeError(`${name}.sql: no fragment for ${place}`);
    return fragment;
  });
  return { name, sql, params, settings: { ...LIMITS, ...settings } };
}
