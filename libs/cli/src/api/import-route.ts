import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ColumnStore } from '@flowledger/column-store';
import { AppError, describeError, isAppError, systemClock } from '@flowledger/platform';
import { importOutcome, type IntakeAnswer } from './import-outcome.js';
import { readJson } from './read-json.js';

export interface ImportRouteOptions {
  /** What the ingestor's listener calls this intake. */
  readonly intakePath: '/intake/import' | '/intake/redrive';
  /** Base address of the ingestor's loopback listener now; undefined while it is not running. */
  readonly intakeUrl: () => Promise<string | undefined>;
  /** Token of that listener; empty or missing: it asks for none. */
  readonly intakeToken?: string;
  readonly store: ColumnStore;
  readonly epoch: bigint;
}

/** Passes an upload on to the ingestor, waits for the loader, and answers with the summary of both. */
export function importRoute(
  options: ImportRouteOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new AppError('CANCELLED', 'client is gone', { retry: false })));
    try {
      const intake = await options.intakeUrl();
      if (intake === undefined)
        throw new AppError('OVERLOADED', 'the ingestor is not running', { retry: true });
      const answer = await forward(
        request,
        `${intake}${options.intakePath}`,
        options.intakeToken ?? '',
        gone.signal,
      );
      const summary = await importOutcome(answer, options.store, options.epoch, systemClock, gone.signal);
      end(response, 200, summary);
    } catch (error) {
      end(response, isAppError(error) && error.retry ? 503 : 500, { error: describeError(error) });
    }
  };
}

function end(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function forward(
  request: IncomingMessage,
  url: string,
  token: string,
  signal: AbortSignal,
): Promise<IntakeAnswer> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new AppError('LOG_UNAVAILABLE', 'pass the upload to the ingestor', { retry: true, cause }));
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    const upstream = httpRequest(url, { method: 'POST', headers, signal }, (answer) => {
      readJson(answer).then((body) => {
        if (answer.statusCode === 200) resolve(body as unknown as IntakeAnswer);
        else
          failed(
            new Error(typeof body['error'] === 'string' ? body['error'] : `status ${answer.statusCode ?? 0}`),
          );
      }, failed);
    });
    upstream.on('error', failed);
    request.on('error', () => upstream.destroy());
    request.pipe(upstream);
  });
}
