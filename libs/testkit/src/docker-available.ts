import { existsSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a Docker engine would listen: `DOCKER_HOST` as Docker's own tools read it, else the usual sockets. */
function dockerAddress(host: string | undefined): NetConnectOpts | undefined {
  if (host?.startsWith('tcp://') === true) {
    const { hostname, port } = new URL(host);
    return { host: hostname, port: Number(port === '' ? 2375 : port) };
  }
  if (host?.startsWith('unix://') === true) return { path: host.slice('unix://'.length) };
  const usual = ['/var/run/docker.sock', join(homedir(), '.docker/run/docker.sock')];
  const path = usual.find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : { path };
}

/**
 * Whether a Docker engine answers its ping within `limitMs`. Asked before testcontainers is loaded: loading it takes
 * half a second, and a `docker` program on the path proves nothing.
 */
export function dockerAvailable(limitMs = 300): Promise<boolean> {
  const address = dockerAddress(process.env['DOCKER_HOST']);
  if (address === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(address, () =>
      socket.write('GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n'),
    );
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(limitMs, () => end(false));
    socket.once('data', (head: Buffer) => end(head.toString('latin1').startsWith('HTTP/1.1 200 ')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
