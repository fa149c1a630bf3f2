import { readFile } from 'node:fs/promises';
import type { ColumnStore } from '@flowledger/column-store';
import { createObserverServer, type ObserverServer, type ObserverTls } from '@flowledger/observer';
import { AppError, VERSION, type Config, type Log } from '@flowledger/platform';
import type { OpenLiveFlows, Retention } from '@flowledger/query';

/** What the Observer API is made from. */
export interface ObserverParts {
  readonly store: ColumnStore;
  readonly live: OpenLiveFlows;
  readonly retention: Retention;
  readonly log: Log;
}

/** Starts the Observer API as configured; undefined when it is switched off. */
export async function startObserver(
  config: Config,
  parts: ObserverParts,
): Promise<ObserverServer | undefined> {
  const { observer, source } = config;
  if (!observer.enabled) return undefined;
  const tls = await readTls(observer);
  return createObserverServer({
    ...parts,
    host: observer.host,
    port: observer.port,
    ...(tls === undefined ? {} : { tls }),
    credentials: { token: observer.token, username: observer.username, password: observer.password },
    insecure: observer.insecure,
    matchInferred: observer.matchInferred,
    tenant: source.tenant,
    version: `flowledger ${VERSION}`,
    followBufferBytes: observer.followBuffer,
  });
}

async function readTls(observer: Config['observer']): Promise<ObserverTls | undefined> {
  const { tlsCert, tlsKey, tlsClientCa } = observer;
  if (tlsCert === '' && tlsKey === '' && tlsClientCa === '') return undefined;
  if (tlsCert === '' || tlsKey === '')
    throw new AppError('CONFIG_INVALID', 'observer: set observer.tlsCert and observer.tlsKey together', {
      retry: false,
    });
  const pem = async (path: string, setting: string): Promise<Buffer> => {
    try {
      return await readFile(path);
    } catch (cause) {
      throw new AppError('CONFIG_INVALID', `${setting}: cannot read ${path}`, { retry: false, cause });
    }
  };
  return {
    certificate: await pem(tlsCert, 'observer.tlsCert'),
    key: await pem(tlsKey, 'observer.tlsKey'),
    ...(tlsClientCa === '' ? {} : { clientCa: await pem(tlsClientCa, 'observer.tlsClientCa') }),
  };
}
