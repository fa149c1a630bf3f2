import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppError } from '@flowledger/platform';
import { requestError } from '../errors/request-error.js';

/**
 * `off`: documents travel as text. `automatic`: a client may send the SHA-256 of a document instead, once it has sent the text
 * (Automatic Persisted Queries, as Apollo's clients do). `prepared`: nothing but the documents of a list is answered.
 */
export type PersistedMode = 'off' | 'automatic' | 'prepared';

export interface PersistedOptions {
  readonly mode: PersistedMode;
  /** Documents of the mode `prepared`. */
  readonly documents: readonly string[];
}

/** Bytes of documents that automatic mode remembers; least recently used go. */
const REMEMBERED_BYTES = 16 * 1024 * 1024;

/** SHA-256 of a document's text, hex: how clients name it. */
export function documentHash(document: string): string {
  return createHash('sha256').update(document, 'utf8').digest('hex');
}

/** Puts the text of a document where a request names it by hash. One a server. */
export class PersistedQueries {
  readonly #mode: PersistedMode;
  readonly #documents: Map<string, string>;
  #bytes = 0;

  constructor({ mode, documents }: PersistedOptions) {
    this.#mode = mode;
    this.#documents = new Map(documents.map((document) => [documentHash(document), document]));
  }

  /**
   * The body with its document. Throws BAD_REQUEST `PersistedQueryNotFound` (unknown hash: send the text), `PersistedQueryNotSupported`
   * (mode off, or another version), or when hash and text differ; FORBIDDEN for a text that was not prepared.
   */
  resolve(body: unknown, maxBytes: number): unknown {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
    const { query } = body as Record<string, unknown>;
    const hash = hashOf(body as Record<string, unknown>);
    if (hash === undefined) {
      if (this.#mode === 'prepared' && typeof query === 'string') this.#mustBePrepared(documentHash(query));
      return body;
    }
    if (hash === null || this.#mode === 'off') throw refused('PersistedQueryNotSupported');
    if (typeof query !== 'string' || query === '') return { ...body, query: this.#find(hash) };
    if (documentHash(query) !== hash) throw refused('the hash is not that of the document');
    if (this.#mode === 'prepared') this.#mustBePrepared(hash);
    else if (Buffer.byteLength(query) <= maxBytes) this.#remember(hash, query);
    return body;
  }

  #find(hash: string): string {
    const document = this.#documents.get(hash);
    if (document === undefined) throw refused('PersistedQueryNotFound');
    if (this.#mode === 'automatic') {
      this.#documents.delete(hash);
      this.#documents.set(hash, document);
    }
    return document;
  }

  #mustBePrepared(hash: string): void {
    if (this.#documents.has(hash)) return;
    throw requestError('FORBIDDEN', 'this server answers prepared operations only');
  }

  #remember(hash: string, document: string): void {
    if (this.#documents.has(hash)) return;
    this.#documents.set(hash, document);
    this.#bytes += Buffer.byteLength(document);
    for (const [oldest, text] of this.#documents) {
      if (this.#bytes <= REMEMBERED_BYTES) break;
      this.#documents.delete(oldest);
      this.#bytes -= Buffer.byteLength(text);
    }
  }
}

function refused(message: string): Error {
  return requestError('BAD_REQUEST', message);
}

/** The hash in `extensions.persistedQuery`; undefined when there is none, null when it is not of a kind that we know. */
function hashOf(body: Record<string, unknown>): string | null | undefined {
  const { extensions } = body;
  if (typeof extensions !== 'object' || extensions === null) return undefined;
  const { persistedQuery } = extensions as Record<string, unknown>;
  if (persistedQuery === undefined || persistedQuery === null) return undefined;
  if (typeof persistedQuery !== 'object') return null;
  const { version, sha256Hash } = persistedQuery as Record<string, unknown>;
  return version === 1 && typeof sha256Hash === 'string' ? sha256Hash : null;
}

/**
 * Reads a list of prepared documents: JSON, an array of texts, or an object of texts by their SHA-256. Throws CONFIG_INVALID
 * for a file that cannot be read, is neither, or names a document by another hash than its own.
 */
export async function readPreparedQueries(path: string): Promise<readonly string[]> {
  const invalid = (why: string, cause?: unknown): AppError =>
    new AppError('CONFIG_INVALID', `prepared queries ${path}: ${why}`, { retry: false, cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw invalid('not a readable JSON file', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw invalid('neither a list nor an object');
  const documents: string[] = [];
  for (const [name, document] of Object.entries(parsed)) {
    if (typeof document !== 'string') throw invalid(`${name} is no text`);
    if (!Array.isArray(parsed) && documentHash(document) !== name)
      throw invalid(`${name} is not the SHA-256 of its document`);
    documents.push(document);
  }
  return documents;
}
