import {
  Client,
  credentials,
  Metadata,
  status,
  type ChannelCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { WireFields, WireWriter } from '@flowledger/model';
import { writeTime } from '@flowledger/query';

/** What a test asks of GetFlows. */
export interface FlowsAsk {
  readonly number?: bigint;
  readonly first?: boolean;
  readonly follow?: boolean;
  readonly sinceNs?: bigint;
  readonly untilNs?: bigint;
  /** Encoded FlowFilters. */
  readonly allow?: readonly Uint8Array[];
  readonly deny?: readonly Uint8Array[];
  readonly mask?: readonly string[];
}

/** A response of GetFlows, read. */
export interface FlowsAnswer {
  readonly kind: 'flow' | 'node_status' | 'lost_events';
  readonly body: WireFields;
  readonly nodeName: string;
  readonly timeNs: bigint;
  readonly uuid: string;
}

/** A FlowFilter of text fields by number. */
export function textFilter(fields: Readonly<Record<number, readonly string[]>>): Uint8Array {
  const out = new WireWriter();
  for (const [field, values] of Object.entries(fields))
    for (const value of values) out.stringField(Number(field), value);
  return out.finish();
}

/** Encodes a GetFlowsRequest. */
export function flowsRequest(ask: FlowsAsk): Uint8Array {
  const out = new WireWriter();
  if (ask.number !== undefined) out.uint64Field(1, ask.number);
  if (ask.follow === true) out.uint32Field(3, 1);
  for (const filter of ask.deny ?? []) out.bytesField(5, filter);
  for (const filter of ask.allow ?? []) out.bytesField(6, filter);
  if (ask.sinceNs !== undefined) writeTime(out, 7, ask.sinceNs);
  if (ask.untilNs !== undefined) writeTime(out, 8, ask.untilNs);
  if (ask.first === true) out.uint32Field(9, 1);
  if (ask.mask !== undefined) {
    const mark = out.open(10);
    for (const path of ask.mask) out.stringField(1, path);
    out.close(mark);
  }
  return out.finish();
}

const BYTES = (value: Uint8Array): Buffer => Buffer.from(value);

/** A client of the Observer API that counts on nothing but the wire. */
export class ObserverClient {
  readonly #client: Client;

  constructor(
    address: string,
    security: ChannelCredentials = credentials.createInsecure(),
    private readonly metadata = new Metadata(),
  ) {
    this.#client = new Client(address, security, { 'grpc.ssl_target_name_override': 'localhost' });
  }

  close(): void {
    this.#client.close();
  }

  /** The raw stream, for tests of back-pressure and cancelling. */
  stream(method: string, request: Uint8Array) {
    return this.#client.makeServerStreamRequest(
      `/observer.Observer/${method}`,
      BYTES,
      (bytes: Buffer) => bytes,
      request,
      this.metadata,
    );
  }

  /** A stream of flows that an encoded request asks for, answer by answer, until the caller cancels it. */
  watch(request: Uint8Array, each: (answer: FlowsAnswer) => void): { cancel(): void } {
    const stream = this.stream('GetFlows', request);
    stream.on('data', (bytes: Buffer) => each(readAnswer(bytes)));
    stream.on('error', (error: ServiceError) => {
      if (error.code !== status.CANCELLED) throw error;
    });
    return stream;
  }

  /** All answers; rejects with the status. With `enough`, cancels when it says so. */
  flows(ask: FlowsAsk, enough?: (answers: readonly FlowsAnswer[]) => boolean): Promise<FlowsAnswer[]> {
    const stream = this.stream('GetFlows', flowsRequest(ask));
    const answers: FlowsAnswer[] = [];
    return new Promise((resolve, reject) => {
      stream.on('data', (bytes: Buffer) => {
        answers.push(readAnswer(bytes));
        if (enough?.(answers) !== true) return;
        stream.cancel();
        resolve(answers);
      });
      stream.on('end', () => resolve(answers));
      stream.on('error', reject);
    });
  }

  unary(path: string, request: Uint8Array = new Uint8Array(0)): Promise<WireFields> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Buffer): void =>
        error === null ? resolve(new WireFields(answer ?? Buffer.alloc(0))) : reject(error);
      this.#client.makeUnaryRequest(path, BYTES, (bytes: Buffer) => bytes, request, this.metadata, done);
    });
  }
}

function readAnswer(bytes: Buffer): FlowsAnswer {
  const fields = new WireFields(bytes);
  const kinds = ['flow', 'node_status', 'lost_events'] as const;
  const member = [1, 2, 3].find((each) => fields.has(each)) ?? 0;
  const body = fields.message(member);
  const time = fields.message(1001);
  const kind = kinds[member - 1];
  if (body === undefined || kind === undefined || time === undefined)
    throw new Error('a response without member or time');
  return {
    kind,
    body,
    nodeName: fields.text(1000),
    timeNs: BigInt.asIntN(64, time.uint64(1)) * 1_000_000_000n + BigInt(time.int32(2)),
    uuid: kind === 'flow' ? body.text(34) : '',
  };
}
