import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { createDeflate, createGzip } from 'node:zlib';
import type { EngineResult } from './engine.js';

/** Formats whose blocks may be written one after the other and still be one document. */
const BLOCKWISE =
  /^(?:Native|RowBinary|JSONEachRow|JSONCompactEachRow|JSONStringsEachRow|JSONLines|NDJSON|TabSeparated|TSV|TabSeparatedRaw|TSVRaw|CSV|LineAsString|RawBLOB|Null)$/i;

/** Whether a result in this format can be streamed block by block. */
export function isBlockwise(format: string): boolean {
  return BLOCKWISE.test(format);
}

/** Content type a server sends for an output format. */
export function contentType(format: string): string {
  if (/^(?:JSONEachRow|JSONCompactEachRow|JSONStringsEachRow|JSONLines|NDJSON)$/i.test(format)) {
    return 'application/x-ndjson; charset=UTF-8';
  }
  if (/json/i.test(format)) return 'application/json; charset=UTF-8';
  if (/^(?:CSV)/i.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(?:TSV|TabSeparated)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/native|binary|parquet|arrow|orc|avro|msgpack|protobuf/i.test(format))
    return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
}

/** The `X-ClickHouse-Summary` of a finished statement. Counts the engine does not tell us are 0. */
export function summary(result: EngineResult, isInsert: boolean): string {
  const rows = String(result.rows);
  const bytes = String(result.resultBytes);
  return JSON.stringify({
    read_rows: rows,
    read_bytes: bytes,
    written_rows: isInsert ? rows : '0',
    written_bytes: isInsert ? bytes : '0',
    total_rows_to_read: '0',
    result_rows: isInsert ? '0' : rows,
    result_bytes: isInsert ? '0' : bytes,
    elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
  });
}

function encoding(request: IncomingMessage, query: URLSearchParams): 'gzip' | 'deflate' | null {
  if (query.get('enable_http_compression') !== '1') return null;
  const accepted = String(request.headers['accept-encoding'] ?? '').split(',');
  const names = accepted
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]?.trim());
  return names.includes('gzip') ? 'gzip' : names.includes('deflate') ? 'deflate' : null;
}

/** Waits until `out` takes more bytes. Rejects when the client has gone or takes nothing for `timeoutMs`. */
async function drained(out: Writable, response: ServerResponse, timeoutMs: number): Promise<void> {
  const waiting = new AbortController();
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  try {
    if (response.destroyed) throw new Error('client has gone');
    const { signal } = waiting;
    const gone = once(response, 'close', { signal }).then(() => Promise.reject(new Error('client has gone')));
    await Promise.race([once(out, 'drain', { signal }), gone]);
  } finally {
    clearTimeout(timer);
    waiting.abort();
  }
}

export interface BodyOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** How long a client may take nothing, ms. */
  readonly stallTimeoutMs: number;
}

/**
 * Sends status 200, headers and chunks. The first chunk is awaited before the status, so that an error of a query that
 * never produced anything keeps its own status. A later error rejects after headers: the caller breaks the connection.
 */
export async function sendBody(options: BodyOptions, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const { request, response } = options;
  const source = chunks[Symbol.asyncIterator]();
  let step = await source.next();
  const compress = encoding(request, options.query);
  const headers = compress === null ? options.headers : { ...options.headers, 'Content-Encoding': compress };
  response.writeHead(200, headers);
  let out: Writable = response;
  if (compress !== null) {
    const encoder = compress === 'gzip' ? createGzip({ level: 1 }) : createDeflate({ level: 1 });
    encoder.on('error', (error) => response.destroy(error));
    encoder.pipe(response);
    out = encoder;
  }
  try {
    for (; step.done !== true; step = await source.next()) {
      if (request.method !== 'HEAD' && !out.write(step.value))
        await drained(out, response, options.stallTimeoutMs);
    }
  } finally {
    await source.return?.();
  }
  out.end();
}
