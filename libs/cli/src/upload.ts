import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { AppError } from '@flowledger/platform';
import type { ImportSummary } from './api/import-outcome.js';
import { readJson } from './api/read-json.js';

/** The summary of nothing. */
export const NO_LINES: ImportSummary = { read: 0, accepted: 0, duplicate: 0, rejected: {}, skipped: {} };

/**
 * Posts lines to an intake endpoint of a running Flowledger and resolves with what became of them once they are in the
 * tables. Rejects LOG_UNAVAILABLE (retry) for everything else; lines may then be in the log.
 */
export function upload(
  input: Readable | Iterable<string>,
  url: string,
  token: string,
): Promise<ImportSummary> {
  const lines = input instanceof Readable ? input : Readable.from(input);
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new AppError('LOG_UNAVAILABLE', `upload to ${url}`, { retry: true, cause }));
    const outgoing = httpRequest(url, { method: 'POST', headers }, (answer) => {
      readJson(answer).then((body) => {
        if (answer.statusCode === 200) resolve(body as unknown as ImportSummary);
        else failed(new Error(String(body['error'] ?? `status ${answer.statusCode ?? 0}`)));
      }, failed);
    });
    outgoing.on('error', failed);
    lines.on('error', (error) => outgoing.destroy(error));
    lines.pipe(outgoing);
  });
}

/** Both summaries as one. */
export function addSummaries(a: ImportSummary, b: ImportSummary): ImportSummary {
  return {
    read: a.read + b.read,
    accepted: a.accepted + b.accepted,
    duplicate: a.duplicate + b.duplicate,
    rejected: addCounts(a.rejected, b.rejected),
    skipped: addCounts(a.skipped, b.skipped),
  };
}

function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...a };
  for (const [reason, count] of Object.entries(b)) sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}
