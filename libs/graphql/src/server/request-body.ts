import { requestError } from '../errors/request-error.js';

/**
 * Checks the shape of a GraphQL request body before it is parsed: one operation (no batches), a document of text within
 * its bound, variables an object. Throws BAD_REQUEST or TOO_COSTLY.
 */
export function checkBody(body: unknown, documentBytes: number): void {
  if (Array.isArray(body)) throw bad('one operation a request: batches are not taken');
  if (typeof body !== 'object' || body === null) throw bad('the body must be a JSON object with a `query`');
  const { query, variables, operationName } = body as Record<string, unknown>;
  if (typeof query !== 'string' || query === '') throw bad('`query` must be the text of a GraphQL document');
  if (Buffer.byteLength(query) > documentBytes) {
    throw requestError('TOO_COSTLY', `the document is larger than ${documentBytes} bytes`);
  }
  if (isJson(query)) throw bad('`query` must be the text of a GraphQL document, not its syntax tree');
  if (!isAbsent(variables) && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw bad('`variables` must be an object');
  }
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw bad('`operationName` must be text');
}

function bad(message: string): Error {
  return requestError('BAD_REQUEST', message);
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** Mercurius takes a document's syntax tree as JSON where the text does not parse; that would pass by the token limit. */
function isJson(query: string): boolean {
  try {
    JSON.parse(query);
    return true;
  } catch {
    return false;
  }
}
