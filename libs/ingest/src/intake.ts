import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, describeError, isAppError, type Log } from '@flowledger/platform';
import { importStream, type ImportOptions, type ImportOutcome } from './import.js';
import { redrive } from './redrive.js';

/** Where the ingestor takes files: `POST /intake/import`, the file as the body, gzip or plain. */
export const INTAKE_IMPORT_PATH = '/intake/import';

/** Where the ingestor takes dead letters back: `POST /intake/redrive`, one `RedrivenLetter` of JSON a line. */
export const INTAKE_REDRIVE_PATH = '/intake/redrive';

export interface IntakeOptions {
  readonly importOptions: Omit<ImportOptions, 'source' | 'signal'>;
  /** Appends under the source `redrive`. */
  readonly appendRedriven: ImportOptions['append'];
  readonly log: Log;
  /** Uploads at once; more are refused with 503, because each holds open envelopes in memory. */
  readonly maxUploads: number;
}

/** Handles intake requests of the ingestor's loopback listener; the loader's verdicts are added by the caller in front. */
export function openIntake(
  options: IntakeOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  let uploads = 0;
  return async (request, response) => {
    const isImport = request.url === INTAKE_IMPORT_PATH;
    if (!isImport && request.url !== INTAKE_REDRIVE_PATH) return false;
    if (request.method !== 'POST') return end(response, 405, { error: 'POST lines of JSON' });
    if (uploads >= options.maxUploads)
      return end(response, 503, { error: 'too many uploads at once, try again' });
    uploads++;
    const gone = new AbortController();
    response.on('close', () => gone.abort(new AppError('CANCELLED', 'upload was cut', { retry: true })));
    try {
      const { importOptions, appendRedriven } = options;
      const outcome = isImport
        ? await importStream(request, { ...importOptions, source: 'import', signal: gone.signal })
        : await redrive(request, { ...importOptions, append: appendRedriven });
      return end(response, 200, encodeOutcome(outcome));
    } catch (error) {
      options.log.warn({ error: describeError(error) }, 'upload failed');
      const status = isAppError(error, 'INVALID_ARGUMENT')
        ? 400
        : isAppError(error) && error.retry
          ? 503
          : 500;
      return end(response, status, { error: describeError(error) });
    } finally {
      uploads--;
    }
  };
}

function end(response: ServerResponse, status: number, body: object): true {
  if (!response.headersSent && !response.destroyed) {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
  return true;
}

function encodeOutcome(outcome: ImportOutcome): object {
  return {
    ...outcome,
    ranges: outcome.ranges.map((r) => ({
      partition: r.partition,
      from: r.from.toString(),
      to: r.to.toString(),
    })),
  };
}
