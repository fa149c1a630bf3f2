import { createServer } from 'node:net';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { ObserverServerOptions } from './observer-server.js';

/** Where a server listens. */
export interface Bound {
  readonly port: number;
  /** The port asked for was taken. */
  readonly steppedAside: boolean;
}

/** Binds to the port asked for, or to a free one where that is taken. Rejects with the fault of the socket. */
export async function bind(server: Server, options: ObserverServerOptions): Promise<Bound> {
  const { tls, host, port } = options;
  const security =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.clientCa ?? null,
          [{ cert_chain: tls.certificate, private_key: tls.key }],
          tls.clientCa !== undefined,
        );
  const listen = (wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const name = host.includes(':') ? `[${host}]` : host;
      server.bindAsync(`${name}:${wanted}`, security, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  if (port !== 0 && !(await isFree(host, port))) return { port: await listen(0), steppedAside: true };
  try {
    return { port: await listen(port), steppedAside: false };
  } catch (error) {
    if (port === 0 || !String(error).includes('EADDRINUSE')) throw error;
    return { port: await listen(0), steppedAside: true };
  }
}

/** gRPC writes to standard error when it cannot have a port, so the port is tried beforehand. */
function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
