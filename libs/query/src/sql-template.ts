import { readFileSync } from 'node:fs';

/**
 * A statement from `libs/query/sql/`, read once at import (the only I/O of this library). A block comment that is one
 * word is a place for a fragment; planners make fragments from column names and placeholders, never from values.
 */
export class SqlTemplate {
  readonly name: string;
  readonly #text: string;

  /** `name` is the file name without `.sql`. */
  constructor(name: string) {
    this.name = name;
    const text = readFileSync(new URL(`../sql/${name}.sql`, import.meta.url), 'utf8');
    this.#text = text.replace(/^--.*\n/gm, '').trim();
  }

  /** Fills every place; a missing or unknown place is a programming fault and throws. */
  fill(fragments: Readonly<Record<string, string>>): string {
    const used = new Set<string>();
    const sql = this.#text.replace(/\/\*(\w+)\*\//g, (_, place: string) => {
      const fragment = fragments[place];
      if (fragment === undefined) throw new TypeError(`${this.name}.sql: no fragment for ${place}`);
      used.add(place);
      return fragment;
    });
    for (const place of Object.keys(fragments)) {
      if (!used.has(place)) throw new TypeError(`${this.name}.sql: no place for ${place}`);
    }
    return sql;
  }
}
