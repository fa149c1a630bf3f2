import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiServer } from './server/api-server.js';
import { documentHash } from './server/persisted-queries.js';
import {
  ask,
  codesOf,
  readAnswer,
  startApiFixture,
  type Answer,
  type ApiFixture,
} from './testing/api-fixture.js';

const FLOWS = '{ flows { nodes { id } } }';

let api: ApiFixture;
let server: ApiServer;

beforeAll(async () => {
  api = await startApiFixture();
  server = await api.serve();
});
afterAll(() => api.stop());

describe('introspection (B46)', () => {
  it('is for those who may ask anyway, unless it is switched on', async () => {
    const open = { host: '0.0.0.0', insecure: true } as const;
    const query = '{ __schema { queryType { name } } }';
    expect(codesOf(await ask(await api.serve(open), query))).toEqual(['FORBIDDEN']);
    expect(codesOf(await ask(await api.serve({ ...open, introspection: 'on' }), query))).toEqual([]);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer t' };
    const guarded = await api.serve({ host: '0.0.0.0', token: 't' });
    expect(codesOf(await ask(guarded, query, {}, headers))).toEqual([]);
  });

  it('is FORBIDDEN where it is switched off; asking for the name of a type is not introspection', async () => {
    const closed = await api.serve({ introspection: 'off' });
    for (const query of ['{ __schema { types { name } } }', '{ a: __type(name: "Flow") { name } }']) {
      expect((await ask(server, query)).status).toBe(200);
      const answer = await ask(closed, query);
      expect([answer.status, answer.data, codesOf(answer)]).toEqual([400, null, ['FORBIDDEN']]);
    }
    expect((await ask(closed, '{ __typename }')).data).toEqual({ __typename: 'Query' });
  });
});

describe('persisted operations (B47)', () => {
  const DOCUMENT = '{ __typename }';
  const named = (hash: string, query?: string, version = 1) => ({
    ...(query === undefined ? {} : { query }),
    extensions: { persistedQuery: { version, sha256Hash: hash } },
  });
  const send = async (to: ApiServer, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return readAnswer(await fetch(`${to.url}/graphql`, init));
  };
  const outcome = ({ status, data, errors }: Answer) => [status, data, errors[0]?.message];

  it('are answered by hash once their text was sent; a hash that is not that of the text is refused', async () => {
    const fresh = await api.serve();
    const hash = documentHash(DOCUMENT);
    expect(outcome(await send(fresh, named(hash)))).toEqual([400, null, 'PersistedQueryNotFound']);
    const wrong = await send(fresh, named(documentHash(FLOWS), DOCUMENT));
    expect(outcome(wrong)).toEqual([400, null, 'the hash is not that of the document']);
    expect((await send(fresh, named(documentHash(FLOWS)))).status).toBe(400);
    for (const body of [named(hash, DOCUMENT), named(hash)])
      expect((await send(fresh, body)).data).toEqual({ __typename: 'Query' });
    const version = await send(fresh, named(hash, undefined, 2));
    expect(outcome(version)).toEqual([400, null, 'PersistedQueryNotSupported']);
  });

  it('are the only ones where a server answers prepared operations only', async () => {
    const strict = await api.serve({ persisted: { mode: 'prepared', documents: [DOCUMENT] } });
    for (const body of [named(documentHash(DOCUMENT)), { query: DOCUMENT }])
      expect((await send(strict, body)).data).toEqual({ __typename: 'Query' });
    for (const body of [{ query: FLOWS }, named(documentHash(FLOWS), FLOWS)])
      expect(codesOf(await send(strict, body))).toEqual(['FORBIDDEN']);
    const unknown = await send(strict, named(documentHash(FLOWS)));
    expect(outcome(unknown)).toEqual([400, null, 'PersistedQueryNotFound']);
  });

  it('are not taken where they are switched off', async () => {
    const off = await api.serve({ persisted: { mode: 'off', documents: [] } });
    const answer = await send(off, named(documentHash(DOCUMENT)));
    expect(outcome(answer)).toEqual([400, null, 'PersistedQueryNotSupported']);
  });

  it.each([null, 7, 'x', [], {}, { sha256Hash: 7, version: 1 }])('are not %j', async (persistedQuery) => {
    const answer = await send(server, { extensions: { persistedQuery } });
    expect([answer.status, codesOf(answer)]).toEqual([400, ['BAD_REQUEST']]);
  });
});

describe('what one caller may ask for', () => {
  it('is bounded by cost: RATE_LIMITED with the time to come back, and nobody else waits for it', async () => {
    const headers = (name: string) => ({
      'content-type': 'application/json',
      authorization: `Bearer ${name}`,
    });
    const bounded = await api.serve({ limits: { costPerSecond: 100, costBurst: 150 } });
    const first = await ask(bounded, FLOWS, {}, headers('a'));
    expect(first.errors).toEqual([]);
    expect(first.extensions?.cost['requested']).toBeGreaterThan(75);
    const second = await ask(bounded, FLOWS, {}, headers('a'));
    expect([second.status, codesOf(second)]).toEqual([429, ['RATE_LIMITED']]);
    expect(second.errors[0]?.extensions).toMatchObject({ retryable: true });
    expect(second.errors[0]?.extensions['retryAfterMs']).toBeGreaterThan(0);
    expect((await ask(bounded, FLOWS, {}, headers('b'))).errors).toEqual([]);
  });
});
