import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { AppError } from '@flowledger/platform';
import type { KubeAccess } from './kube-access.js';

/** Silence after which a connection counts as dead, ms, where the request does not say. */
const SILENCE_MS = 30_000;
/** Bytes of one answer that is read whole: a page of 500 objects. */
const MAX_ANSWER = 256 * 1024 * 1024;
const MAX_REFUSAL = 64 * 1024;

/** What is asked of the API server. */
export interface KubeRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly silenceMs?: number;
}

/** Asks a Kubernetes API server, over HTTPS (or HTTP, to `kubectl proxy` on this machine). Keeps no connections. */
export class KubeClient {
  constructor(private readonly access: KubeAccess) {}

  /**
   * Reads one JSON object. Rejects as {@link stream}, and STORE_UNAVAILABLE for an answer that is cut, too large or no object.
   */
  async get(request: KubeRequest): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.stream(request);
    const text = await readText(answer, MAX_ANSWER);
    return objectOf(text);
  }

  /**
   * Opens one answer. Rejects UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, CONFLICT (410: the version is gone), INVALID_ARGUMENT
   * and OVERLOADED as the server says, STORE_UNAVAILABLE when it does not answer; CANCELLED when the signal aborts.
   */
  async stream(request: KubeRequest): Promise<IncomingMessage> {
    const answer = await this.#send(request);
    const status = answer.statusCode ?? 0;
    if (status === 200) return answer;
    const text = await readText(answer, MAX_REFUSAL).catch(() => '');
    const message = /"message":"((?:[^"\\]|\\.){0,300})/.exec(text)?.[1] ?? '';
    throw refusal(status, `${request.path}: status ${status} ${message}`.trim());
  }

  async #send({ path, query, signal, silenceMs = SILENCE_MS }: KubeRequest): Promise<IncomingMessage> {
    const { access } = this;
    const token = await access.token?.();
    const url = new URL(`${access.server}${path}?${new URLSearchParams(query).toString()}`);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = {
      agent: false,
      signal,
      timeout: silenceMs,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...tlsOf(access),
    };
    return new Promise((resolve, reject) => {
      const request = send(url, options, resolve);
      request.on('timeout', () => request.destroy(new Error('no sign of life')));
      request.on('error', (cause) => reject(unreachable(path, signal, cause)));
      request.end();
    });
  }
}

function tlsOf({ ca, cert, key, serverName }: KubeAccess): Readonly<Record<string, string>> {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function unreachable(path: string, signal: AbortSignal, cause: unknown): AppError {
  return signal.aborted
    ? new AppError('CANCELLED', `ask Kubernetes for ${path}`, { retry: false, cause })
    : new AppError('STORE_UNAVAILABLE', `ask Kubernetes for ${path}`, { retry: true, cause });
}

function refusal(status: number, text: string): AppError {
  const code = (
    {
      400: 'INVALID_ARGUMENT',
      401: 'UNAUTHENTICATED',
      403: 'FORBIDDEN',
      404: 'NOT_FOUND',
      410: 'CONFLICT',
      429: 'OVERLOADED',
    } as const
  )[status];
  return new AppError(code ?? 'STORE_UNAVAILABLE', `Kubernetes ${text}`, { retry: true });
}

async function readText(answer: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw new Error(`more than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', 'an answer of Kubernetes was cut', { retry: true, cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A JSON object of a text. Throws STORE_UNAVAILABLE for anything else: the way to the server changed it. */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', 'an answer of Kubernetes is not JSON', { retry: true, cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('STORE_UNAVAILABLE', 'an answer of Kubernetes is no object', { retry: true });
  return { ...value };
}
