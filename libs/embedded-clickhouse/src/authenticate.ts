import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ClickHouseError } from './clickhouse-error.js';
import type { StoreUser } from './users.js';

interface Credentials {
  readonly name: string;
  readonly password: string;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function credentials(request: IncomingMessage, query: URLSearchParams): Credentials {
  const name = header(request, 'x-clickhouse-user');
  if (name !== undefined) return { name, password: header(request, 'x-clickhouse-key') ?? '' };
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '');
  if (basic !== null) {
    const text = Buffer.from(basic[1] ?? '', 'base64').toString('utf8');
    const colon = text.indexOf(':');
    return colon === -1
      ? { name: text, password: '' }
      : { name: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return { name: query.get('user') ?? 'default', password: query.get('password') ?? '' };
}

function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * Finds the account of a request: `X-ClickHouse-User`/`-Key`, else Basic, else `user`/`password` in the URL, as a server
 * looks. Throws 516 AUTHENTICATION_FAILED without saying which of the two was wrong.
 */
export function authenticate(
  request: IncomingMessage,
  query: URLSearchParams,
  users: ReadonlyMap<string, StoreUser>,
): StoreUser {
  const given = credentials(request, query);
  const user = users.get(given.name);
  const right = sameSecret(given.password, user?.password ?? 'no such user');
  if (user !== undefined && right) return user;
  const text = `${given.name.slice(0, 64)}: Authentication failed: password is incorrect, or there is no user with such name.`;
  throw new ClickHouseError(516, 'AUTHENTICATION_FAILED', text);
}
