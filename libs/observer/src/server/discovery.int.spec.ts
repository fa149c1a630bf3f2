import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openColumnStore } from '@flowledger/column-store';
import { WireFields, WireWriter } from '@flowledger/model';
import { silentLog } from '@flowledger/platform';
import { createObserverServer, type ObserverServer } from './observer-server.js';

const NOBODY = { token: '', username: '', password: '' };
const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
const raw = (value: Buffer): Buffer => value;

let server: ObserverServer;
let client: Client;

beforeAll(async () => {
  // Nothing here asks the store.
  const store = openColumnStore({ url: 'http://127.0.0.1:9', user: '', password: '', database: '' });
  const place = { host: '127.0.0.1', port: 0, insecure: false, tenant: 'default', version: 'test' };
  server = await createObserverServer({
    ...place,
    store,
    credentials: NOBODY,
    matchInferred: false,
    log: silentLog,
  });
  client = new Client(server.address, credentials.createInsecure());
});

afterAll(async () => {
  client?.close();
  await server?.close();
});

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  /** Asks one question of a reflection stream: a text in one field. */
  function ask(field: number, text: string): Promise<WireFields> {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const stream = client.makeBidiStreamRequest(path, bytes, raw);
    const request = new WireWriter();
    request.stringField(field, text);
    return new Promise((resolve, reject) => {
      stream.on('data', (answer: Buffer) => {
        stream.end();
        resolve(new WireFields(answer));
      });
      stream.on('error', reject);
      stream.write(request.finish());
    });
  }

  /** File descriptors that explain a symbol. */
  async function filesOf(symbol: string): Promise<readonly WireFields[]> {
    const found = (await ask(4, symbol)).message(4);
    return found?.messages(1) ?? [];
  }

  it('lists the services that have a definition', async () => {
    const services = (await ask(7, '')).message(6)?.messages(1) ?? [];
    expect(services.map((service) => service.text(1)).toSorted()).toEqual(['observer.Observer', 'peer.Peer']);
  });

  it.each(['observer.Observer', 'observer.Observer.GetFlows'])(
    'resolves %s to the method with its messages',
    async (symbol) => {
      const files = await filesOf(symbol);
      const services = files.flatMap((file) => file.messages(6));
      const methods = services.flatMap((service) => service.messages(2));
      const getFlows = methods.find((method) => method.text(1) === 'GetFlows');
      expect(getFlows?.text(2)).toBe('.observer.GetFlowsRequest');
      expect(getFlows?.text(3)).toBe('.observer.GetFlowsResponse');
      expect(getFlows?.uint64(6)).toBe(1n);
      // With what it imports, so that a client needs nothing else to read a flow.
      const messages = files.flatMap((file) =>
        file.messages(4).map((message) => `${file.text(2)}.${message.text(1)}`),
      );
      expect(messages).toEqual(
        expect.arrayContaining(['observer.GetFlowsRequest', 'observer.GetFlowsResponse', 'flow.Flow']),
      );
    },
  );

  it('says that it does not know a symbol', async () => {
    const answer = await ask(4, 'observer.Nobody');
    expect(answer.message(7)?.uint64(1)).toBe(5n);
  });
});

describe('peers', () => {
  it('are this server alone, under the address at which it was reached, and the stream stays open', async () => {
    const stream = client.makeServerStreamRequest('/peer.Peer/Notify', bytes, raw, new Uint8Array(0));
    let ended = false;
    stream.on('end', () => (ended = true));
    const first = new Promise<Buffer>((resolve, reject) => {
      stream.once('data', resolve);
      stream.on('error', reject);
    });
    const peer = new WireFields(await first);
    expect([peer.text(1), peer.text(2), peer.uint64(3)]).toEqual(['flowledger', server.address, 1n]);
    expect(peer.has(4)).toBe(false);
    // Another call goes to and fro on the connection without the stream having ended.
    await new Promise<void>((resolve, reject) => {
      const path = '/grpc.health.v1.Health/Check';
      client.makeUnaryRequest(path, bytes, raw, new Uint8Array(0), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    expect(ended).toBe(false);
    stream.removeAllListeners('error').on('error', () => undefined);
    stream.cancel();
  });
});
