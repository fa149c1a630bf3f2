import { readFileSync } from 'node:fs';

/** A statement of this library by file name, read from `libs/cli/sql`. */
export function sqlFile(name: string): string {
  return readFileSync(new URL(`../sql/${name}.sql`, import.meta.url), 'utf8');
}
