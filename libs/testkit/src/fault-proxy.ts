import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What happens to one HTTP request on its way. */
export type WireFault =
  | 'pass'
  /** Nothing is forwarded; the connection is reset. */
  | 'reset'
  /** Half of the body is forwarded, then both sides are cut. */
  | 'half-sent'
  /** The server does it; its answer never comes back. */
  | 'answer-lost'
  /** The answer breaks off in its middle. */
  | 'answer-cut'
  /** The server does it; no byte comes back and the connection stays open. */
  | 'stalled'
  /** The answer ends with the text of an exception, status 200 and all. */
  | 'late-exception'
  /** Waits before it forwards. */
  | { readonly delayMs: number }
  /** Answered here with an exception of ClickHouse; the server never sees it. */
  | { readonly engineCode: number };

/** What of a request decides its fate. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** Requests before this one, whatever became of them. */
  readonly earlier: number;
}

export interface FaultProxy {
  readonly url: string;
  /** Bytes of bodies that were forwarded to the server. */
  readonly forwarded: () => number;
  close(): Promise<void>;
}

/** Stands between an HTTP client and a server and does to each request what `fate` says. Call `close` in `afterAll`. */
export async function startFaultProxy(
  target: string,
  fate: (request: SeenRequest) => WireFault,
): Promise<FaultProxy> {
  let [seen, forwarded] = [0, 0];
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request;
    const fault = fate({ method, url, earlier: seen++ });
    const count = (bytes: number): void => void (forwarded += bytes);
    // A fault on the way is what this is for; the client sees its connection end.
    handle(target, request, response, fault, count).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the fault proxy has no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    forwarded: () => forwarded,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: WireFault,
  count: (bytes: number) => void,
): Promise<void> {
  if (fault === 'reset') return void request.socket.resetAndDestroy();
  const body = await bodyOf(request);
  if (typeof fault === 'object' && 'engineCode' in fault) return exception(response, fault.engineCode);
  if (typeof fault === 'object') await delay(fault.delayMs);
  const half = fault === 'half-sent' ? body.subarray(0, Math.ceil(body.length / 2)) : body;
  count(half.length);
  const answer = await forward(target, request, half, fault === 'half-sent');
  if (answer === undefined || fault === 'answer-lost') return void request.socket.resetAndDestroy();
  if (fault === 'stalled') return;
  await giveBack(response, answer, fault);
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Answer {
  readonly message: IncomingMessage;
  readonly body: Buffer;
}

/** Forwards a request; undefined when it was cut in its middle. */
function forward(
  target: string,
  { method, url = '/', headers }: IncomingMessage,
  body: Buffer,
  cut: boolean,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const upstream = httpRequest(`${target}${url}`, { method, headers, agent: false }, (message) => {
      bodyOf(message).then((read) => resolve({ message, body: read }), reject);
    });
    upstream.on('error', (error) => (cut ? resolve(undefined) : reject(error)));
    if (!cut) return void upstream.end(body);
    upstream.write(body, () => upstream.destroy(new Error('cut here')));
  });
}

async function giveBack(
  response: ServerResponse,
  { message, body }: Answer,
  fault: WireFault,
): Promise<void> {
  const headers = { ...message.headers };
  delete headers['content-length'];
  response.writeHead(message.statusCode ?? 502, headers);
  if (fault === 'late-exception') {
    const text = '\nCode: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n';
    return void response.end(Buffer.concat([body.subarray(0, body.length >> 1), Buffer.from(text)]));
  }
  if (fault !== 'answer-cut') return void response.end(body);
  await new Promise((resolve) => response.write(body.subarray(0, Math.max(1, body.length >> 1)), resolve));
  response.destroy();
}

function exception(response: ServerResponse, code: number): void {
  response.writeHead(code === 516 ? 403 : 500, { 'x-clickhouse-exception-code': String(code) });
  response.end(`Code: ${code}. DB::Exception: made by the fault proxy. (MADE_UP)`);
}
