import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { WireWriter } from '@flowledger/model';
import type { TestStore } from '@flowledger/testkit';
import type { ObserverOrder } from './observer-process.js';

const PROCESS = fileURLToPath(new URL('./observer-process.js', import.meta.url));

/** Texts of a FlowFilter by field number; hubble note, section 3. */
export type FilterTexts = Readonly<Record<number, string>>;

/** An encoded GetFlowsRequest with one allow filter. */
export function request(number: bigint, filter: FilterTexts | undefined, follow = false): Uint8Array {
  const out = new WireWriter();
  out.uint64Field(1, number);
  if (follow) out.uint32Field(3, 1);
  if (filter !== undefined) {
    const mark = out.open(6);
    for (const [field, text] of Object.entries(filter)) out.stringField(Number(field), text);
    out.close(mark);
  }
  return out.finish();
}

/** GetFlows without decoding: what is measured is the server. */
export class RawClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  flows(body: Uint8Array): ClientReadableStream<Buffer> {
    const bytes = (value: Uint8Array): Buffer => Buffer.from(value);
    return this.#client.makeServerStreamRequest(
      '/observer.Observer/GetFlows',
      bytes,
      (raw: Buffer) => raw,
      body,
    );
  }

  /** Flows until the stream ends, and when the first came, ms. */
  async read(
    body: Uint8Array,
  ): Promise<{ readonly count: number; readonly firstMs: number; readonly bytes: number }> {
    const began = performance.now();
    let [count, firstMs, bytes] = [0, Number.NaN, 0];
    for await (const message of this.flows(body)) {
      if (count === 0) firstMs = performance.now() - began;
      count++;
      bytes += (message as Buffer).length;
    }
    return { count, firstMs, bytes };
  }

  close(): void {
    this.#client.close();
  }
}

/** A running Observer API. */
export interface ServerProcess {
  readonly pid: number;
  readonly address: string;
  readonly stop: () => void;
}

/** Starts the Observer API over a store in a process of its own. */
export async function startProcess(server: TestStore): Promise<ServerProcess> {
  const child = fork(PROCESS, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const order: ObserverOrder = {
    url: server.url,
    database: server.database,
    password: server.password('reader'),
  };
  child.send(order);
  const address = await new Promise<string>((resolve, reject) => {
    child.once('message', (said: { readonly address: string }) => resolve(said.address));
    child.once('exit', () => reject(new Error('the observer process ended')));
  });
  return { pid: child.pid ?? 0, address, stop: () => child.disconnect() };
}
