import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '@flowledger/platform';
import type { ApiErrorCode } from '../errors/request-error.js';

/** Who may ask. */
export interface AccessRules {
  /** Address that the server listens on. */
  readonly host: string;
  /** Bearer token that data requests must carry; undefined asks for none. */
  readonly token?: string;
  /** Names accepted in Host and Origin beside localhost and the address itself. */
  readonly allowedHosts: readonly string[];
}

/** The facts of a request that access is decided on. */
export interface AccessFacts {
  readonly path: string;
  /** Every Host header as sent; more than one is refused. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** A WebSocket is asked for. */
  readonly upgrade?: boolean;
  /** The address of ours that the connection came in on. */
  readonly localAddress: string | undefined;
}

/** Why a request is refused before anything is read of it. */
export interface Refusal {
  readonly status: number;
  readonly code: ApiErrorCode;
  readonly message: string;
}

/** Pages and probes that hold no data: a browser must be able to load them before it can send a token. */
const PUBLIC = [/^\/$/, /^\/(?:healthz|readyz)$/, /^\/start\//, /^\/graphiql(?:\/|$)/, /^\/favicon\.svg$/];

/** Checks Host (against DNS rebinding), Origin (against other sites' pages) and the token; undefined lets it pass. */
export function refuse(facts: AccessFacts, rules: AccessRules): Refusal | undefined {
  const [host, second] = facts.hosts;
  if (host === undefined || second !== undefined) {
    return { status: 400, code: 'BAD_REQUEST', message: 'exactly one Host header is needed' };
  }
  if (!isOurName(hostName(host), facts, rules)) {
    return { status: 403, code: 'FORBIDDEN', message: 'this Host is not one of ours; see api.allowedHosts' };
  }
  if (facts.origin !== undefined && !isOurOrigin(facts.origin, host, rules)) {
    return { status: 403, code: 'FORBIDDEN', message: 'this Origin is not allowed; see api.allowedHosts' };
  }
  if (rules.token === undefined || PUBLIC.some((path) => path.test(facts.path))) return undefined;
  if (isBearer(facts.authorization, rules.token)) return undefined;
  // A browser cannot send this header with a WebSocket; the token is asked for in the protocol then.
  if (facts.upgrade === true && facts.path === '/graphql' && facts.authorization === undefined)
    return undefined;
  return { status: 401, code: 'UNAUTHENTICATED', message: 'a bearer token is needed' };
}

/** Host name of a Host header: lower case, without port and brackets; undefined when it is not a plain name. */
function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1] ?? match?.[2];
}

function isOurName(name: string | undefined, facts: AccessFacts, rules: AccessRules): boolean {
  if (name === undefined) return false;
  if (isLoopback(name) || name === rules.host.toLowerCase()) return true;
  if (rules.allowedHosts.some((allowed) => allowed.toLowerCase() === name)) return true;
  // A page can point its own name at us, but not an address: an address that we were reached by is ours.
  return isIP(name) !== 0 && name === facts.localAddress?.replace(/^::ffff:/, '');
}

function isOurOrigin(origin: string, host: string, rules: AccessRules): boolean {
  const match = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase());
  if (match?.[1] === undefined) return false;
  if (match[1] === host.toLowerCase()) return true;
  const name = hostName(match[1]);
  return rules.allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}

/** Whether an Authorization header carries the token; takes the same time whatever it says. */
export function isBearer(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
