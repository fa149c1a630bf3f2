import { readdirSync, readFileSync } from 'node:fs';

const directory = new URL('../schema/', import.meta.url);

/** The public schema as SDL text, descriptions included: all files of `schema/`, the main one first. */
export function schemaText(): string {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted()
    .toReversed()
    .map((name) => readFileSync(new URL(name, directory), 'utf8'))
    .join('\n');
}
