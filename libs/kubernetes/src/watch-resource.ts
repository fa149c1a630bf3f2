import type { IncomingMessage } from 'node:http';
import { AppError, describeError, isAppError, type Clock, type Log } from '@flowledger/platform';
import { objectOf, type KubeClient } from './kube-client.js';

/** Objects of one page of a list. */
const PAGE = 500;
/** Objects of one resource, at most. */
const MAX_OBJECTS = 50_000;
/** Bytes of one line of a watch; etcd holds objects of 1.5 MiB. */
const MAX_LINE = 16 * 1024 * 1024;
/** The server ends a watch after so long, s; what is silent for longer is dead. */
const WATCH_S = 300;
const SPARE_MS = 30_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** An object as the server sends it. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** All objects of one resource, as known now. */
export interface ResourceState {
  /** False until the first list is complete, or the server said that it has no such resource. */
  readonly known: boolean;
  readonly objects: readonly KubeObject[];
  /** What keeps the state from being current, in words; undefined while the watch runs. */
  readonly problem: string | undefined;
}

/** What is watched, and with what. */
export interface WatchOptions {
  readonly client: KubeClient;
  /** `/apis/cilium.io/v2/ciliumnetworkpolicies`: the resource in all namespaces. */
  readonly path: string;
  /** `apiVersion` and `kind` of its objects, which lists leave out of them. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly clock: Clock;
  /** A number of [0, 1), that spreads the retries of many watchers. */
  readonly random: () => number;
  readonly logger: Log;
  readonly signal: AbortSignal;
  /** Called after every change of the state. */
  readonly changed: (state: ResourceState) => void;
}

/**
 * Follows one resource until the signal: a list by pages, then a watch from its version, which is taken up again where it
 * ended; bookmarks move the version on. When the server no longer has the version (410), it is listed anew. After faults,
 * and after watches that end at once, it waits, longer each time up to a minute; what it knew stays, with the problem
 * beside it. Resolves at the signal.
 */
export async function watchResource(options: WatchOptions): Promise<void> {
  const { clock, random, signal } = options;
  const watch = new ResourceWatch(options);
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const began = clock.monotonic();
    try {
      await watch.run(() => (wait = FIRST_WAIT_MS));
      if (clock.monotonic() - began > FIRST_WAIT_MS) continue;
    } catch (error) {
      if (signal.aborted) return;
      watch.failed(error);
    }
    await clock.sleep(wait * (0.5 + random() / 2), signal).catch(() => undefined);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}

class ResourceWatch {
  readonly #objects = new Map<string, KubeObject>();
  #known = false;
  #version: string | undefined;
  #problem: string | undefined;

  constructor(private readonly options: WatchOptions) {}

  /** Lists if need be, and watches until the server ends the watch. `alive` is called when something was read. */
  async run(alive: () => void): Promise<void> {
    if (this.#version === undefined) await this.#list();
    const { client, path, signal } = this.options;
    const answer = await client.stream({
      path,
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#version ?? '',
        timeoutSeconds: String(WATCH_S),
      },
      signal,
      silenceMs: WATCH_S * 1000 + SPARE_MS,
    });
    this.#settled();
    for await (const line of linesOf(answer)) {
      alive();
      this.#event(line);
    }
  }

  /** Notes a fault. */
  failed(error: unknown): void {
    // Only the version is too old: the next run lists, and nothing was lost.
    if (isAppError(error, 'CONFLICT')) {
      this.#version = undefined;
      return;
    }
    // A cluster without Cilium has no such resource: no objects, until one comes. Those that are known stay, since an API
    // server that is starting does not have it either.
    if (isAppError(error, 'NOT_FOUND')) this.#known = true;
    const { logger, path } = this.options;
    const reason = describeError(error);
    if (this.#problem !== reason) logger.warn({ path, error: reason }, 'kubernetes: the watch failed');
    this.#problem = reason;
    this.#tell();
  }

  async #list(): Promise<void> {
    const found = new Map<string, KubeObject>();
    let next = '';
    let version = '';
    do {
      const query = { limit: String(PAGE), ...(next === '' ? {} : { continue: next }) };
      const { client, path, signal } = this.options;
      const page = await client.get({ path, query, signal });
      const metadata = memberOf(page, 'metadata');
      for (const item of Array.isArray(page['items']) ? (page['items'] as unknown[]) : []) {
        const object = this.#trimmed(item);
        found.set(keyOf(object), object);
      }
      if (found.size > MAX_OBJECTS)
        throw new AppError('TOO_LARGE', `${path}: more than ${MAX_OBJECTS} objects`, { retry: true });
      version = textOf(metadata, 'resourceVersion');
      next = textOf(metadata, 'continue');
    } while (next !== '');
    this.#objects.clear();
    for (const [key, object] of found) this.#objects.set(key, object);
    this.#version = version;
    this.#known = true;
    this.#problem = undefined;
    this.#tell();
  }

  #event(line: string): void {
    const event = objectOf(line);
    const object = memberOf(event, 'object');
    const type = event['type'];
    if (type === 'ERROR') {
      const gone = object['code'] === 410;
      const text = `${this.options.path}: ${textOf(object, 'message')}`;
      throw new AppError(gone ? 'CONFLICT' : 'STORE_UNAVAILABLE', text, { retry: true });
    }
    const version = textOf(memberOf(object, 'metadata'), 'resourceVersion');
    if (version !== '') this.#version = version;
    if (type === 'BOOKMARK') return;
    const trimmed = this.#trimmed(object);
    if (type === 'DELETED') this.#objects.delete(keyOf(trimmed));
    else if (type === 'ADDED' || type === 'MODIFIED') this.#objects.set(keyOf(trimmed), trimmed);
    else return;
    this.#tell();
  }

  /** The watch runs again: what was wrong is over. */
  #settled(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#tell();
  }

  /** Without what changes all the time and says nothing about what the object asks for. */
  #trimmed(item: unknown): KubeObject {
    const { status: _status, ...object } = { ...(item as Record<string, unknown>) };
    const { managedFields: _fields, ...metadata } = memberOf(object, 'metadata');
    return { apiVersion: this.options.apiVersion, kind: this.options.kind, ...object, metadata };
  }

  #tell(): void {
    const { changed } = this.options;
    changed({ known: this.#known, objects: [...this.#objects.values()], problem: this.#problem });
  }
}

function memberOf(
  object: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  const value = object[name];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(object: Readonly<Record<string, unknown>>, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

function keyOf(object: KubeObject): string {
  const metadata = memberOf(object, 'metadata');
  return `${textOf(metadata, 'namespace')}/${textOf(metadata, 'name')}`;
}

/** Whole lines of an answer. A part of a line at the end is dropped: the server was cut off while it wrote. */
async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let held = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8');
        parts = [];
        held = 0;
        start = end + 1;
        if (line.trim() !== '') yield line;
      }
      parts.push(chunk.subarray(start));
      held += chunk.length - start;
      if (held > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} bytes`);
    }
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    throw new AppError('STORE_UNAVAILABLE', 'a watch of Kubernetes was cut', { retry: true, cause });
  } finally {
    answer.destroy();
  }
}
