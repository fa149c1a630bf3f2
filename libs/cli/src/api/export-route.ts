import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ColumnStore } from '@flowledger/column-store';
import { AppError, describeError, isAppError, type Clock } from '@flowledger/platform';
import {
  DEFAULT_LIMITS,
  planFlowExport,
  type FlowExportPlan,
  type QueryError,
  type Retention,
} from '@flowledger/query';
import { readExportQuery } from './export-query.js';
import { MISSING_HEADER } from './paths.js';

const SECONDS = 60;
const PARQUET_MARK = 'PAR1';

/** What an export is made with. */
export interface ExportRouteOptions {
  /** Of the read-only user. */
  readonly store: ColumnStore;
  readonly tenant: string;
  readonly retention: Retention;
  /** Exports that may run at once; more are refused, since each holds its answer in the store's memory. */
  readonly concurrent: number;
  /** Flows of one file; the planner's bound when absent. */
  readonly most?: number;
  readonly clock: Clock;
}

/**
 * Answers `GET /v1/export/flows.parquet`: flows as a Parquet file that the store writes and this passes on. 400 with
 * `{error, code, field}` for a question that cannot be answered, 503 with `retry-after` when too many run, 500 otherwise; a file whose
 * end does not come is cut visibly, by ending the connection.
 */
export function exportRoute(
  options: ExportRouteOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let running = 0;
  return async (request, response) => {
    if (running >= options.concurrent) {
      response.setHeader('retry-after', '5');
      end(response, 503, { error: `${running} exports are running`, code: 'OVERLOADED' });
      return;
    }
    running++;
    try {
      await answer(request, response, options);
    } finally {
      running--;
    }
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { store, tenant, retention, clock, most }: ExportRouteOptions,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const nowNs = BigInt(clock.now()) * 1_000_000n;
  const keptFromNs = nowNs - retention.rawNs;
  const asked = readExportQuery(
    new URL(request.url ?? '', 'http://localhost').searchParams,
    keptFromNs,
    nowNs,
  );
  const limits = { ...DEFAULT_LIMITS, maxSeconds: SECONDS };
  const bound = most === undefined ? {} : { most };
  const planned = asked.ok
    ? planFlowExport({ ...asked.value, ...bound }, { tenant, nowNs, limits, retention })
    : asked;
  if (!planned.ok) return refused(response, planned.error);
  try {
    const file = await store.readParquet(planned.value.plan, gone.signal);
    response.writeHead(200, headersOf(planned.value, keptFromNs));
    await pipeline(file, new WholeFile(), response, { signal: gone.signal });
  } catch (error) {
    if (response.headersSent) response.destroy();
    else fault(response, error);
  }
}

function headersOf({ window }: FlowExportPlan, keptFromNs: bigint): Record<string, string> {
  const from = new Date(Number(keptFromNs / 1_000_000n)).toISOString();
  return {
    'content-type': 'application/vnd.apache.parquet',
    'content-disposition': 'attachment; filename="flows.parquet"',
    ...(window.fromNs < keptFromNs ? { [MISSING_HEADER]: `flows before ${from} are no longer kept` } : {}),
  };
}

/** Passes bytes on and fails when they do not end as a Parquet file does: what the store says late must not look whole. */
class WholeFile extends Transform {
  #end = Buffer.alloc(0);

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#end = Buffer.concat([this.#end, chunk.subarray(-PARQUET_MARK.length)]).subarray(
      -PARQUET_MARK.length,
    );
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#end.toString('latin1') === PARQUET_MARK) done();
    else done(new AppError('STORE_UNAVAILABLE', 'the file of the store is incomplete', { retry: true }));
  }
}

function refused(response: ServerResponse, { code, field, hint }: QueryError): void {
  end(response, 400, { error: `${field}: ${hint}`, code, field });
}

/** TOO_MANY_ROWS_OR_BYTES: more flows than an export may have. */
const TOO_MANY = 396;

function fault(response: ServerResponse, error: unknown): void {
  if (isAppError(error) && error.details?.['code'] === TOO_MANY) {
    refused(response, {
      code: 'TOO_COSTLY',
      field: 'since',
      hint: 'too many flows for one file; narrow the window',
    });
    return;
  }
  end(response, isAppError(error) && error.retry ? 503 : 500, { error: describeError(error) });
}

function end(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
