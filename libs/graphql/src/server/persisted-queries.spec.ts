import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { documentHash, PersistedQueries, readPreparedQueries } from './persisted-queries.js';

const directory = mkdtempSync(join(tmpdir(), 'flowledger-prepared-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, 'prepared.json');
  writeFileSync(path, text);
  return path;
}

describe('readPreparedQueries', () => {
  it('takes a list of documents, or documents by their hash', async () => {
    expect(await readPreparedQueries(file('["{a}","{b}"]'))).toEqual(['{a}', '{b}']);
    expect(await readPreparedQueries(file(JSON.stringify({ [documentHash('{a}')]: '{a}' })))).toEqual([
      '{a}',
    ]);
  });

  it.each(['{', '7', 'null', '[7]', '{"x":"{a}"}'])('refuses %s as configuration', async (text) => {
    await expect(readPreparedQueries(file(text))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('PersistedQueries', () => {
  it('remembers no more than 16 MiB of documents, the ones used last', () => {
    const queries = new PersistedQueries({ mode: 'automatic', documents: [] });
    const documents = Array.from(
      { length: 20 },
      (_, i) => `{ __typename } # ${i} ${'x'.repeat(1024 * 1024)}`,
    );
    const named = (document: string, query?: string) => ({
      query,
      extensions: { persistedQuery: { version: 1, sha256Hash: documentHash(document) } },
    });
    for (const document of documents) queries.resolve(named(document, document), 2 * 1024 * 1024);
    expect(queries.resolve(named(documents[19] ?? ''), 0)).toMatchObject({ query: documents[19] });
    expect(() => queries.resolve(named(documents[0] ?? ''), 0)).toThrow('PersistedQueryNotFound');
  });
});
