import { createRequire } from 'node:module';

/** The parts of `ws` (which the server brings) that a test client uses. */
interface Socket {
  on(event: 'open' | 'close', listener: (code: number) => void): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(
    event: 'unexpected-response',
    listener: (request: unknown, response: { statusCode: number }) => void,
  ): void;
  send(text: string): void;
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
}
type SocketClass = new (
  url: string,
  protocols: string,
  options?: { readonly headers?: Readonly<Record<string, string>>; readonly origin?: string },
) => Socket;

const require = createRequire(import.meta.url);
const WebSocket = require('ws') as SocketClass;

/** A message of graphql-transport-ws. */
export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** One event of `flows` or `drops`. */
export interface ReceivedEvent {
  readonly __typename: string;
  readonly flows?: readonly { readonly id: string; readonly [field: string]: unknown }[];
  readonly explanations?: readonly {
    readonly kind: string;
    readonly conclusion: string;
    readonly flow: { readonly id: string };
  }[];
  readonly cursor?: string;
  readonly count?: number;
  readonly reason?: string;
  readonly resumeCursor?: string;
}

/** A client that speaks graphql-transport-ws; keeps everything it received. */
export class SocketClient {
  readonly messages: SocketMessage[] = [];
  closed: number | undefined;
  /** HTTP status when the handshake was refused. */
  refused: number | undefined;
  readonly #socket: Socket;
  #wake: (() => void) | undefined;

  private constructor(url: string, options: { headers?: Record<string, string>; origin?: string }) {
    this.#socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', options);
    this.#socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as SocketMessage;
      if (message.type === 'ping') this.#socket.send('{"type":"pong"}');
      else this.messages.push(message);
      this.#notify();
    });
    this.#socket.on('error', () => this.#notify());
    this.#socket.on('unexpected-response', (_request, response) => {
      this.refused = response.statusCode;
      this.#socket.terminate();
      this.#notify();
    });
    this.#socket.on('close', (code) => {
      this.closed = code;
      this.#notify();
    });
  }

  /** Connects and sends `connection_init`; resolves when it was acknowledged or refused. */
  static async open(
    url: string,
    options: { headers?: Record<string, string>; origin?: string; init?: unknown } = {},
  ): Promise<SocketClient> {
    const client = new SocketClient(url, options);
    const send = JSON.stringify({ type: 'connection_init', payload: options.init });
    client.#socket.on('open', () => client.#socket.send(send));
    await client.until(
      () => client.closed !== undefined || client.messages.some(({ type }) => type === 'connection_ack'),
    );
    return client;
  }

  subscribe(id: string, query: unknown, variables: Readonly<Record<string, unknown>> = {}): void {
    this.#socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query, variables } }));
  }

  complete(id: string): void {
    this.#socket.send(JSON.stringify({ type: 'complete', id }));
  }

  /** Stops and goes on reading the socket. */
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.terminate();
  }

  /** Resolves when `condition` holds; checked whenever something arrives. Throws after twenty seconds. */
  async until(condition: () => boolean, ms = 20_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0) {
        const last = JSON.stringify(this.messages.slice(-2)).slice(0, 600);
        throw new Error(`not in ${ms} ms; ${this.messages.length} messages, the last: ${last}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Events of a subscription, in order. */
  events(id: string): ReceivedEvent[] {
    return this.messages.flatMap((message) => {
      if (message.id !== id || message.type !== 'next') return [];
      const { data } = message.payload as { data: Record<string, ReceivedEvent> };
      return Object.values(data);
    });
  }

  /** Codes of the errors of a subscription. */
  errors(id: string): readonly unknown[] {
    const list = this.messages.filter((message) => message.id === id && message.type === 'error');
    return list.flatMap(({ payload }) =>
      (payload as { extensions?: { code?: unknown } }[]).map(({ extensions }) => extensions?.code),
    );
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Ids of all flows of some events. */
export function flowIds(events: readonly ReceivedEvent[]): string[] {
  return events.flatMap(({ flows = [] }) => flows.map(({ id }) => id));
}
