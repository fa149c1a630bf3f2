import { connect, createServer, type Socket } from 'node:net';

/** What happens to connections through a {@link TcpProxy} now. */
export type TcpFault =
  | 'pass'
  /** New connections are reset, and so are those that there are. */
  | 'refuse'
  /** Connections stay, no byte moves either way. */
  | 'stall'
  /** The server gets what clients send; at its first answer the connection is reset instead. */
  | 'lose-answers'
  /** Each connection is reset after so many bytes of the client. */
  | { readonly cutAfter: number }
  /** At most so many bytes every 10 ms, each way. */
  | { readonly drip: number };

/** A proxy for any protocol over TCP, between one client side and one server. Call `close` in `afterAll`. */
export interface TcpProxy {
  /** Where clients connect. */
  readonly port: number;
  /** Says where the server listens; until then connections are refused. */
  to(port: number): void;
  set(fault: TcpFault): void;
  /** How often a fault hit a connection or a chunk. */
  hits(): number;
  close(): Promise<void>;
}

const DRIP_MS = 10;
const STALL_POLL_MS = 10;

/** Listens at once, so that a server can be told the address before it starts. */
export async function startTcpProxy(): Promise<TcpProxy> {
  let fault: TcpFault = 'pass';
  let target: number | undefined;
  const open = new Set<Socket>();
  let hits = 0;
  const faultNow = (): TcpFault => {
    if (fault !== 'pass') hits++;
    return fault;
  };
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    if (target === undefined || faultNow() === 'refuse') return void client.resetAndDestroy();
    const upstream = connect({ host: '127.0.0.1', port: target });
    upstream.on('error', () => client.destroy());
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let sent = 0;
    const cut = (): void => void client.resetAndDestroy();
    void carry(client, upstream, faultNow, (bytes) => {
      sent += bytes;
      if (typeof fault === 'object' && 'cutAfter' in fault && sent > fault.cutAfter) cut();
    });
    void carry(upstream, client, faultNow, () => undefined, cut);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no address');
  const reset = (): void => open.forEach((socket) => socket.resetAndDestroy());
  return {
    port: address.port,
    to: (port) => {
      target = port;
    },
    set: (next) => {
      fault = next;
      if (next === 'refuse') reset();
    },
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}

/** Moves bytes one way as the fault of the moment lets them; `onAnswer` is told instead of answers that are to be lost. */
async function carry(
  from: Socket,
  to: Socket,
  fault: () => TcpFault,
  count: (bytes: number) => void,
  onAnswer?: () => void,
): Promise<void> {
  try {
    for await (const chunk of from) {
      const bytes = chunk as Buffer;
      while (fault() === 'stall' && !from.destroyed) await pause(STALL_POLL_MS);
      if (fault() === 'lose-answers' && onAnswer !== undefined) return onAnswer();
      for (let at = 0; at < bytes.length && !to.destroyed;) {
        const now = fault();
        const step = typeof now === 'object' && 'drip' in now ? now.drip : bytes.length;
        const part = bytes.subarray(at, at + step);
        if (!to.write(part)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve));
        count(part.length);
        at += part.length;
        if (at < bytes.length) await pause(DRIP_MS);
      }
    }
    to.end();
  } catch {
    to.destroy();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
