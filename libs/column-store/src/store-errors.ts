import { AppError } from '@flowledger/platform';
import type { ErrorCode } from '@flowledger/platform';

/**
 * Codes by which ClickHouse says that the content of an INSERT is wrong: it will be wrong again, and no row of the
 * block was kept. Everything not listed is uncertain. A missing table or column is deliberately not here: that is an
 * installation to be mended, not rows to be given up.
 */
const INSERT_REJECTED = new Set([
  6, 25, 26, 27, 33, 38, 41, 53, 69, 72, 117, 131, 190, 307, 321, 349, 376, 441, 675, 676,
]);

const READ_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  ...[159, 160].map((code): [number, ErrorCode] => [code, 'TIMEOUT']),
  ...[158, 241, 307, 396].map((code): [number, ErrorCode] => [code, 'TOO_LARGE']),
  ...[6, 25, 26, 27, 36, 38, 41, 43, 53, 69, 72, 376, 386, 427, 441, 456, 457, 675, 676].map(
    (code): [number, ErrorCode] => [code, 'INVALID_ARGUMENT'],
  ),
  ...[60, 81].map((code): [number, ErrorCode] => [code, 'NOT_FOUND']),
  ...[192, 193, 194, 516].map((code): [number, ErrorCode] => [code, 'UNAUTHENTICATED']),
  ...[164, 497].map((code): [number, ErrorCode] => [code, 'FORBIDDEN']),
  [202, 'OVERLOADED'],
  [394, 'CANCELLED'],
  ...[203, 209, 210, 236, 242, 243, 279, 285, 319, 425, 439, 999].map((code): [number, ErrorCode] => [
    code,
    'STORE_UNAVAILABLE',
  ]),
]);

/** Node's codes for "no connection was made": the request cannot have arrived. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/** What the store was asked to do; decides what an unclear end means. */
export type Operation = 'insert' | 'query' | 'command';

/** Why the request was given up on our side, if it was. */
export type GivenUp = 'cancelled' | 'timeout' | null;

/** ClickHouse's error number in a thrown value or a response text, or null. */
export function clickhouseCode(thrown: unknown): number | null {
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'type' in thrown) {
    const code = Number(thrown.code);
    if (Number.isInteger(code)) return code;
  }
  const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
  const match = /Code: (\d+)\. DB::Exception/.exec(text);
  return match === null ? null : Number(match[1]);
}

function socketCode(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  if ('code' in thrown && typeof thrown.code === 'string' && /^E[A-Z_]+$/.test(thrown.code))
    return thrown.code;
  if (thrown instanceof AggregateError) return socketCode(thrown.errors[0]);
  return socketCode(thrown.cause);
}

function serverFault(operation: Operation, code: number): ErrorCode {
  if (operation === 'insert') return INSERT_REJECTED.has(code) ? 'STORE_REJECTED' : 'STORE_UNCERTAIN';
  if (operation === 'query') return READ_CODES.get(code) ?? 'STORE_REJECTED';
  return READ_CODES.get(code) === 'STORE_UNAVAILABLE' || code === 159 || code === 394
    ? 'STORE_UNCERTAIN'
    : 'STORE_REJECTED';
}

function faultCode(operation: Operation, thrown: unknown, givenUp: GivenUp): ErrorCode {
  if (givenUp === 'cancelled') return 'CANCELLED';
  if (givenUp === 'timeout') return operation === 'query' ? 'TIMEOUT' : 'STORE_UNCERTAIN';
  const code = clickhouseCode(thrown);
  if (code !== null) return serverFault(operation, code);
  if (operation === 'query' || NOT_CONNECTED.has(socketCode(thrown) ?? '')) return 'STORE_UNAVAILABLE';
  return 'STORE_UNCERTAIN';
}

const RETRY = new Set<ErrorCode>(['STORE_UNAVAILABLE', 'STORE_UNCERTAIN', 'OVERLOADED', 'TIMEOUT']);

/**
 * Turns whatever a request ended with into the store's one fault type (reliability note 2.3, step 5). `details.code` is
 * ClickHouse's number when it gave one. A certain refusal is never retried; an uncertain one may be, after a look.
 */
export function storeError(
  operation: Operation,
  what: string,
  thrown: unknown,
  givenUp: GivenUp = null,
): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = faultCode(operation, thrown, givenUp);
  return new AppError(code, what, {
    retry: RETRY.has(code),
    cause: thrown,
    details: {
      operation,
      code: clickhouseCode(thrown) ?? undefined,
      socket: socketCode(thrown) ?? undefined,
    },
  });
}
