import { readFileSync } from 'node:fs';
import type { ParamValue, QueryPlan } from './port.js';

/** The statements of one library, by file name. */
export interface SqlFiles {
  /** A statement's text without its comments; read once. */
  text(name: string): string;
  /** The statement, ready to run. `settings` come on top of the limits that every statement has. */
  plan(
    name: string,
    params: Readonly<Record<string, ParamValue>>,
    settings?: Readonly<Record<string, string | number>>,
  ): QueryPlan;
  /**
   * The same with places filled: a block comment that is one word is replaced by its fragment. Fragments are names from
   * closed tables or statements of our own, never values.
   */
  filled(
    name: string,
    fragments: Readonly<Record<string, string>>,
    params: Readonly<Record<string, ParamValue>>,
    settings?: Readonly<Record<string, string | number>>,
  ): QueryPlan;
}

/** Statements from the `.sql` files of a folder, each limited by `limits`. */
export function sqlFiles(folder: URL, limits: Readonly<Record<string, string | number>>): SqlFiles {
  const texts = new Map<string, string>();
  const text = (name: string): string => {
    const known = texts.get(name);
    if (known !== undefined) return known;
    const read = readFileSync(new URL(`${name}.sql`, folder), 'utf8')
      .replace(/^--.*\n/gm, '')
      .trim();
    texts.set(name, read);
    return read;
  };
  return {
    text,
    plan: (name, params, settings = {}) => ({
      name,
      sql: text(name),
      params,
      settings: { ...limits, ...settings },
    }),
    filled: (name, fragments, params, settings = {}) => {
      const sql = text(name).replace(/\/\*(\w+)\*\//g, (_, place: string) => {
        const fragment = fragments[place];
        if (fragment === undefined) throw new TypeError(`${name}.sql: no fragment for ${place}`);
        return fragment;
      });
      return { name, sql, params, settings: { ...limits, ...settings } };
    },
  };
}

/** A name as an identifier, where ClickHouse takes no parameter. */
export function quotedName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}
