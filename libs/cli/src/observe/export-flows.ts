import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@flowledger/platform';
import { EXPORT_PATH, MISSING_HEADER } from '../api/paths.js';
import type { ObserveWords } from './observe-words.js';

/** Where an export is asked for, and where it goes. */
export interface ExportPlace {
  readonly url: string;
  readonly token: string;
  readonly to: Writable;
  /** Takes what the answer cannot hold, in a sentence. */
  readonly say: (text: string) => void;
}

/**
 * `flowledger observe -o parquet`: asks the API for the flows as a Parquet file and passes the bytes on, as slowly as they are
 * taken. Rejects INVALID_ARGUMENT for what the API refuses, STORE_UNAVAILABLE when nobody answers or the file is cut.
 */
export async function exportFlows(words: ObserveWords, { url, token, to, say }: ExportPlace): Promise<void> {
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const address = `${url}${EXPORT_PATH}?${queryOf(words)}`;
  const response = await fetch(address, { headers }).catch((cause: unknown) => {
    throw new AppError('STORE_UNAVAILABLE', `ask ${url}`, { retry: true, cause });
  });
  if (!response.ok || response.body === null) throw await refusal(response);
  const missing = response.headers.get(MISSING_HEADER);
  if (missing !== null) say(missing);
  try {
    await pipeline(response.body, to, { end: false });
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', 'the file was cut; what was written is no Parquet file', {
      retry: true,
      cause,
    });
  }
}

function queryOf(words: ObserveWords): URLSearchParams {
  const query = new URLSearchParams();
  if (words.sinceNs !== undefined) query.set('since', String(words.sinceNs));
  if (words.untilNs !== undefined) query.set('until', String(words.untilNs));
  // Without a number, or with --all, the whole window is meant.
  if (words.number > 0n && words.number < 1n << 63n)
    query.set(words.first ? 'first' : 'last', String(words.number));
  if (words.allow.length + words.deny.length > 0)
    query.set('filters', JSON.stringify({ allowlist: words.allow, denylist: words.deny }));
  return query;
}

async function refusal(response: Response): Promise<AppError> {
  const text = await response.text().catch(() => '');
  const hint = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? `status ${response.status}`;
  const retry = response.status === 503;
  return new AppError(retry ? 'OVERLOADED' : 'INVALID_ARGUMENT', `-o parquet: ${hint}`, { retry });
}
