import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openColumnStore } from '@flowledger/column-store';
import { startFaultProxy, type FaultProxy, type WireFault } from '@flowledger/testkit';
import type { ApiServer } from './server/api-server.js';
import { ask, codesOf, startApiFixture, type ApiFixture } from './testing/api-fixture.js';

const QUERY = '{ flows(window: { last: "1h" }, first: 50) { nodes { id } } }';
let api: ApiFixture;
let proxy: FaultProxy;
let server: ApiServer;
let fault: WireFault = 'pass';

beforeAll(async () => {
  api = await startApiFixture();
  proxy = await startFaultProxy(api.store.url, () => fault);
  const store = openColumnStore({
    url: proxy.url,
    user: 'reader',
    password: api.store.password('reader'),
    database: api.store.database,
    requestTimeoutMs: 1_500,
  });
  server = await api.serve({ store });
});
afterAll(async () => {
  await proxy.close();
  await api.stop();
});

describe('an answer whose data did not come whole (P13, F29)', () => {
  it.each<[string, WireFault, string]>([
    ['the connection is reset', 'reset', 'STORE_UNAVAILABLE'],
    ['the question is cut in its middle', 'half-sent', 'STORE_UNAVAILABLE'],
    ['the answer is lost', 'answer-lost', 'STORE_UNAVAILABLE'],
    ['the answer is cut in its middle', 'answer-cut', 'STORE_UNAVAILABLE'],
    ['the answer ends in an exception', 'late-exception', 'STORE_UNAVAILABLE'],
    ['the answer never comes', 'stalled', 'TIMEOUT'],
    ['the store has no memory left', { engineCode: 241 }, 'WINDOW_TOO_WIDE'],
    ['the store ran out of time', { engineCode: 159 }, 'TIMEOUT'],
    ['a network behind the store fails', { engineCode: 209 }, 'STORE_UNAVAILABLE'],
    ['the store does not know us any more', { engineCode: 516 }, 'INTERNAL'],
  ])(
    'is an error and never a part, when %s',
    async (_, wire, code) => {
      fault = wire;
      const answer = await ask(server, QUERY);
      expect(answer.data).toBeNull();
      expect(codesOf(answer)).toEqual([code]);
      expect(JSON.stringify(answer.errors)).not.toMatch(/SELECT|127\.0\.0\.1|fault proxy/);
      fault = 'pass';
      expect((await ask(server, QUERY)).errors).toEqual([]);
    },
    20_000,
  );
});
