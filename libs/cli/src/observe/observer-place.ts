import { readFile } from 'node:fs/promises';
import { AppError, describeError, type Config } from '@flowledger/platform';
import type { ObserverPlace } from '@flowledger/observer';
import { readGroupState } from '../group/run-state.js';

/** How `hubble observe` is told to speak with a server. */
export interface ServerWords {
  /** `host:port`, or `tls://host:port`; undefined: the server of the running Flowledger. */
  readonly server: string | undefined;
  readonly tls: boolean;
  /** Files; PEM. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Flags with a value that say how to speak with a server. */
export const SERVER_FLAGS = [
  'server',
  'tls-ca-cert-files',
  'tls-client-cert-file',
  'tls-client-key-file',
  'tls-server-name',
  'basic-auth-username',
  'basic-auth-password',
] as const;

/** What the values of {@link SERVER_FLAGS} say. */
export function serverWords(values: ReadonlyMap<string, string>, tls: boolean): ServerWords {
  const of = (flag: (typeof SERVER_FLAGS)[number]): string | undefined => values.get(flag);
  return {
    server: of('server'),
    tls,
    ca: of('tls-ca-cert-files'),
    certificate: of('tls-client-cert-file'),
    key: of('tls-client-key-file'),
    serverName: of('tls-server-name'),
    username: of('basic-auth-username'),
    password: of('basic-auth-password'),
  };
}

const TLS_SCHEME = 'tls://';

/**
 * The Observer API that is meant, with its credentials: those of the words, and for our own server those of the
 * configuration; they are shown to no other. Throws INVALID_ARGUMENT for credentials without TLS and for files that cannot be read.
 */
export async function observerPlace(words: ServerWords, config: Config): Promise<ObserverPlace> {
  const own = words.server === undefined;
  const told = words.server ?? (await runningObserver(config));
  const address = told.startsWith(TLS_SCHEME) ? told.slice(TLS_SCHEME.length) : told;
  const secure = words.tls || address !== told || (own && config.observer.tlsCert !== '');
  const authorization = basic(words) ?? (own ? ownAuthorization(config) : undefined);
  if (!secure) {
    if (basic(words) !== undefined) throw bad('--basic-auth-username needs TLS: --tls, or tls://host:port');
    return { address };
  }
  // A certificate that nobody else signed is its own authority.
  const caFile = words.ca ?? (own ? config.observer.tlsCert : undefined);
  const tls = {
    ...(caFile === undefined ? {} : { ca: await pem(caFile) }),
    ...(words.serverName === undefined ? {} : { serverName: words.serverName }),
    ...(words.certificate === undefined ? {} : { certificate: await pem(words.certificate) }),
    ...(words.key === undefined ? {} : { key: await pem(words.key) }),
  };
  return { address, tls, ...(authorization === undefined ? {} : { authorization }) };
}

function basic({ username, password }: Pick<ServerWords, 'username' | 'password'>): string | undefined {
  if (username === undefined && password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
}

function ownAuthorization({ observer }: Config): string | undefined {
  if (observer.token !== '') return `Bearer ${observer.token}`;
  return observer.password === '' ? undefined : basic(observer);
}

async function pem(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new AppError('INVALID_ARGUMENT', `${path}: ${describeError(cause)}`, { retry: false, cause });
  });
}

async function runningObserver(config: Config): Promise<string> {
  const state = await readGroupState(config.data.dir);
  const observer = state?.processes.find((entry) => entry.observer !== undefined)?.observer;
  return observer ?? `${config.observer.host}:${config.observer.port}`;
}

function bad(hint: string): AppError {
  return new AppError('INVALID_ARGUMENT', hint, { retry: false });
}
