import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dockerAvailable } from './docker-available.js';

let engine: Server | undefined;

/** Listens like an engine and names itself in `DOCKER_HOST`; undefined: takes the connection and says nothing. */
async function pretend(answer: string | undefined): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (answer !== undefined) socket.once('data', () => socket.end(answer));
  });
  engine = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  vi.stubEnv('DOCKER_HOST', `tcp://127.0.0.1:${address.port}`);
}

afterEach(() => {
  vi.unstubAllEnvs();
  engine?.close();
  engine = undefined;
});

describe('dockerAvailable', () => {
  it('is true when an engine answers its ping', async () => {
    await pretend('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK');
    expect(await dockerAvailable()).toBe(true);
  });

  it.each([
    ['refuses', 'HTTP/1.1 403 Forbidden\r\n\r\n'],
    ['ends the connection', ''],
    ['says nothing in time', undefined],
  ])('is false when the other side %s', async (_what, answer) => {
    await pretend(answer);
    expect(await dockerAvailable(50)).toBe(false);
  });

  it('is false when nobody listens', async () => {
    vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
    expect(await dockerAvailable()).toBe(false);
  });
});
