import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ClickHouseError } from './clickhouse-error.js';
import { insertHead, plainStatement } from './statement.js';
import type { PlainStatement } from './statement.js';

/** Longest statement without data, bytes; the engine's own `max_query_size` is smaller unless raised. */
const MAX_STATEMENT_BYTES = 1024 * 1024;

/** An INSERT ready to be spooled: its SQL in two parts around `FROM INFILE …`, and its data in two pieces. */
export interface DataInsert {
  readonly kind: 'insert';
  readonly before: string;
  readonly after: string;
  readonly firstData: Uint8Array;
  readonly restData: Readable | null;
}

/** The request body, decompressed. Throws 48 NOT_IMPLEMENTED for an encoding we do not know. */
export function decodedBody(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? '';
  if (encoding === '' || encoding === 'identity') return request;
  const decoders = {
    gzip: createGunzip,
    'x-gzip': createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  const create = Object.entries(decoders).find(([name]) => name === encoding)?.[1];
  if (create === undefined) {
    throw new ClickHouseError(48, 'NOT_IMPLEMENTED', `Unknown content encoding '${encoding.slice(0, 32)}'`);
  }
  const decoder = create();
  request.on('error', (error) => decoder.destroy(error));
  request.on('aborted', () => decoder.destroy(new Error('request aborted')));
  return request.pipe(decoder);
}

interface Head {
  readonly bytes: Buffer;
  /** What follows, or null at the end of the body. */
  readonly rest: Readable | null;
}

async function readHead(body: Readable): Promise<Head> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const source: AsyncIterator<Uint8Array> = body.iterator({ destroyOnReturn: false });
  for (;;) {
    const step = await source.next();
    if (step.done === true) return { bytes: Buffer.concat(chunks), rest: null };
    chunks.push(step.value);
    size += step.value.length;
    if (size > MAX_STATEMENT_BYTES) break;
  }
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => source };
  return { bytes: Buffer.concat(chunks), rest: Readable.from(rest, { objectMode: false }) };
}

function dataInsert(text: Buffer, rest: Readable | null): DataInsert | null {
  const head = insertHead(text.toString('latin1'));
  if (head === null) return null;
  return {
    kind: 'insert',
    before: text.subarray(0, head.cut).toString('utf8'),
    after: `${Buffer.from(head.settings, 'latin1').toString('utf8')} FORMAT ${head.format}`,
    firstData: text.subarray(head.dataStart),
    restData: rest,
  };
}

/**
 * Reads the one statement of a request: the `query` parameter, then the body, as a server joins them. Data of an INSERT
 * stays a stream. Throws what makes the text unacceptable.
 */
export async function readStatement(
  query: string,
  body: Readable | null,
): Promise<DataInsert | PlainStatement> {
  const given = Buffer.from(query, 'utf8');
  const early = dataInsert(given, body);
  if (early !== null) return early;
  const head = body === null ? { bytes: Buffer.alloc(0), rest: null } : await readHead(body);
  const joint = given.length > 0 && head.bytes.length > 0 ? Buffer.from('\n') : Buffer.alloc(0);
  const text = Buffer.concat([given, joint, head.bytes]);
  const insert = dataInsert(text, head.rest);
  if (insert !== null) return insert;
  if (head.rest !== null) throw new ClickHouseError(62, 'SYNTAX_ERROR', 'Max query size exceeded');
  const plain = plainStatement(text.toString('latin1'));
  if (plain.kind === 'refused') throw new ClickHouseError(plain.code, plain.name, plain.reason);
  if (plain.verb === '') throw new ClickHouseError(62, 'SYNTAX_ERROR', 'Empty query');
  return { ...plain, text: Buffer.from(plain.text, 'latin1').toString('utf8') };
}
