import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '@flowledger/platform';
import { parse } from 'yaml';

/** Where a pod finds its own account (Kubernetes, "Accessing the API from a Pod"). */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const IN_CLUSTER = 'https://kubernetes.default.svc';

/** How an API server is reached. Secrets are never part of a text that is logged. */
export interface KubeAccess {
  /** Base address, without a slash at its end. */
  readonly server: string;
  /** PEM of the authorities that sign its certificate; absent: those of the system. */
  readonly ca?: string;
  /** Name that the certificate must carry, where it is not the host. */
  readonly serverName?: string;
  /** PEM of our own certificate and key. */
  readonly cert?: string;
  readonly key?: string;
  /** The bearer token, asked for at every request because those of pods are renewed; absent: none is sent. */
  readonly token?: () => Promise<string>;
}

function invalid(text: string, cause?: unknown): AppError {
  return new AppError('CONFIG_INVALID', text, { retry: false, ...(cause === undefined ? {} : { cause }) });
}

async function textOf(path: string, what: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw invalid(`${what}: ${path} cannot be read`, cause);
  }
}

/**
 * Access as a pod's service account. `account` is the folder of its files. Rejects CONFIG_INVALID outside of a pod.
 */
export async function inClusterAccess(account = ACCOUNT, server = IN_CLUSTER): Promise<KubeAccess> {
  const token = (): Promise<string> => textOf(`${account}/token`, 'service account');
  await token();
  return { server, ca: await textOf(`${account}/ca.crt`, 'service account'), token };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function entryOf(list: unknown, name: unknown, member: string): Fields | undefined {
  const found = (Array.isArray(list) ? (list as unknown[]) : [])
    .map(fieldsOf)
    .find((one) => one['name'] === name);
  return found === undefined ? undefined : fieldsOf(found[member]);
}

/** A text of an entry, or undefined. */
function word(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads what may stand as a path (relative to the file) or as base64. */
class KubeconfigFiles {
  constructor(private readonly path: string) {}

  async pem(fields: Fields, name: string): Promise<string | undefined> {
    const data = word(fields, `${name}-data`);
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    const path = word(fields, name);
    return path === undefined ? undefined : textOf(this.#resolved(path), `kubeconfig ${name}`);
  }

  token(user: Fields): (() => Promise<string>) | undefined {
    const token = word(user, 'token');
    if (token !== undefined) return () => Promise.resolve(token);
    const path = word(user, 'tokenFile');
    return path === undefined ? undefined : () => textOf(this.#resolved(path), 'kubeconfig tokenFile');
  }

  #resolved(path: string): string {
    return resolve(dirname(this.path), path);
  }
}

/**
 * Access by a kubeconfig file: its current context, with a token or a client certificate. Rejects CONFIG_INVALID for what is
 * not there and for what is not done here: plugins (`exec`, `auth-provider`), passwords, and certificates that nobody checks.
 */
export async function kubeconfigAccess(path: string): Promise<KubeAccess> {
  const text = await textOf(path, 'kubeconfig');
  let root: Fields;
  try {
    root = fieldsOf(parse(text, { maxAliasCount: 0 }));
  } catch (cause) {
    throw invalid(`kubeconfig: ${path} is not YAML`, cause);
  }
  const context = entryOf(root['contexts'], root['current-context'], 'context');
  const cluster = entryOf(root['clusters'], context?.['cluster'], 'cluster');
  const user = entryOf(root['users'], context?.['user'], 'user') ?? {};
  const server = cluster === undefined ? undefined : word(cluster, 'server');
  if (cluster === undefined || server === undefined || !URL.canParse(server))
    throw invalid(`kubeconfig: ${path} has no current context with a server`);
  const undone = ['exec', 'auth-provider', 'username'].find((name) => user[name] !== undefined);
  if (undone !== undefined)
    throw invalid(`kubeconfig: ${undone} is not supported; a token or a certificate is`);
  if (cluster['insecure-skip-tls-verify'] === true)
    throw invalid('kubeconfig: insecure-skip-tls-verify is not supported; name the certificate-authority');
  const files = new KubeconfigFiles(path);
  const given = {
    ca: await files.pem(cluster, 'certificate-authority'),
    serverName: word(cluster, 'tls-server-name'),
    cert: await files.pem(user, 'client-certificate'),
    key: await files.pem(user, 'client-key'),
    token: files.token(user),
  };
  if ((given.token !== undefined || given.key !== undefined) && !isPrivate(server))
    throw invalid(`kubeconfig: credentials would go over plain text to ${server}`);
  return { server: server.replace(/\/+$/, ''), ...known(given) };
}

/** TLS, or a server on this machine (`kubectl proxy`). */
function isPrivate(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/** Without the members that are undefined. */
function known<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
