import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly search: string;
  readonly replace: string;
  readonly test: string;
}

const mutants = JSON.parse(readFileSync(join(ROOT, 'e2e/mutants.json'), 'utf8')) as readonly Mutant[];

// `npm run mutants` takes minutes; that the list still fits the code is seen at once.
describe('the list of mutants', () => {
  it.each(mutants)(
    '$name changes one place of the code and names a test',
    ({ file, search, replace, test }) => {
      expect(readFileSync(join(ROOT, file), 'utf8').split(search).length - 1).toBe(1);
      expect(replace).not.toBe(search);
      expect(existsSync(join(ROOT, test))).toBe(true);
    },
  );

  it('has ten at least, each with a name of its own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(10);
  });
});
