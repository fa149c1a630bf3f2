import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AppError, EXIT } from '@flowledger/platform';
import { takeFlag } from '../flags.js';

const run = promisify(execFile);
const ANSWER_MS = 5000;
const MOST_BYTES = 16 * 1024 * 1024;
const LOCAL_PORT = 4245;

/** A service that speaks Hubble, as the cluster lists it. */
export interface HubbleService {
  readonly namespace: string;
  readonly name: 'hubble-relay' | 'hubble-peer';
  readonly port: number;
  /** By the port's own name, or the port that goes with TLS. */
  readonly tls: boolean;
}

/** The Hubble services in what `kubectl get services -o json` prints; none when it is something else. Pure. */
export function hubbleServices(json: string): readonly HubbleService[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return [];
  }
  return list(field(parsed, 'items')).flatMap((item): HubbleService[] => {
    const name = field(field(item, 'metadata'), 'name');
    const namespace = field(field(item, 'metadata'), 'namespace');
    const [port] = list(field(field(item, 'spec'), 'ports'));
    const number = field(port, 'port');
    if (name !== 'hubble-relay' && name !== 'hubble-peer') return [];
    if (typeof namespace !== 'string' || typeof number !== 'number') return [];
    return [{ namespace, name, port: number, tls: number === 443 || field(port, 'name') === 'https' }];
  });
}

/** What to type to read a relay from this machine. Pure. */
export function connectCommands(context: string, relay: HubbleService): string {
  const forward = `kubectl --context ${quoted(context)} -n ${relay.namespace} port-forward service/${relay.name} ${LOCAL_PORT}:${relay.port}`;
  const start = `npm start -- --hubble-relay 127.0.0.1:${LOCAL_PORT} --source-cluster ${quoted(context)}`;
  const tls = [
    `  --source-relay-tls --source-relay-tls-ca CA.pem --source-relay-tls-server-name hubble-relay.${relay.namespace}.svc`,
    '  # and --source-relay-tls-cert / --source-relay-tls-key where the relay asks for a certificate of ours',
  ];
  return [
    `Hubble Relay is in ${relay.namespace}${relay.tls ? ', with TLS' : ', without TLS'}. In one terminal:`,
    `  ${forward}`,
    'In another:',
    `  ${start}${relay.tls ? ' \\' : ''}`,
    ...(relay.tls ? tls : []),
    '',
  ].join('\n');
}

/**
 * `flowledger connect [--context NAME]`: looks (and only looks) whether kubectl knows a cluster with Hubble, and prints the
 * port-forward and the flags that read it. Exit 69 when there is no kubectl, no cluster that answers, or no Hubble in it.
 */
export async function connect(argv: readonly string[]): Promise<number> {
  const { value: wanted, rest } = takeFlag(argv, '--context');
  if (rest.length > 0)
    throw new AppError('INVALID_ARGUMENT', `connect: unknown word ${rest[0] ?? ''}`, { retry: false });
  const context = wanted ?? (await kubectl(['config', 'current-context'])).trim();
  const services = hubbleServices(
    await kubectl(['--context', context, 'get', 'services', '--all-namespaces', '-o', 'json']),
  );
  const relay = services.find(({ name }) => name === 'hubble-relay');
  if (relay !== undefined) {
    process.stdout.write(connectCommands(context, relay));
    return EXIT.ok;
  }
  process.stdout.write(
    services.length > 0
      ? `Cluster ${context} has hubble-peer but no hubble-relay: \`cilium hubble enable\` adds it.\n` +
          'Inside the cluster the agents can be read without it: --source-relay-mode peers --hubble-relay hubble-peer.kube-system.svc:443\n'
      : `Cluster ${context} has no Hubble: \`cilium hubble enable\` adds it to a cluster with Cilium.\n`,
  );
  return EXIT.unavailable;
}

async function kubectl(words: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('kubectl', [...words, `--request-timeout=${ANSWER_MS / 1000}s`], {
      timeout: 2 * ANSWER_MS,
      maxBuffer: MOST_BYTES,
    });
    return stdout;
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const message = missing
      ? 'there is no kubectl here; with one that knows your cluster, run this again'
      : `kubectl ${words[0] ?? ''}: no answer from a cluster`;
    throw new AppError('NOT_FOUND', message, { retry: true, ...(missing ? {} : { cause }) });
  }
}

/** As one word of a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
