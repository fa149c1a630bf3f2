import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Socket } from 'node:net';

/** An object as tests give it: the server sets the version. */
export interface FakeObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [member: string]: unknown;
}

/** How a fake API server listens and whom it lets in. */
export interface FakeKubeOptions {
  /** PEM for TLS; plain HTTP without. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Bearer token that is asked for now; everybody may ask without. */
  readonly token?: () => string;
}

interface Change {
  readonly version: number;
  readonly path: string;
  readonly line: string;
}

interface Watcher {
  readonly path: string;
  readonly response: ServerResponse;
}

/**
 * A Kubernetes API server as far as list and watch go: versions, pages, chunked JSON lines that are cut anywhere, bookmarks,
 * 410 after a compaction. Tests change its objects and make it misbehave.
 */
export class FakeKubeApi {
  /** Lists and watches that were asked for, as `list <path> <version>` and `watch <path> <version>`. */
  readonly asked: string[] = [];
  /** Answers every request with this status, while it is set. */
  refusal: number | undefined;
  /** Resources that this cluster does not have. */
  readonly absent = new Set<string>();
  /** Resources that this server fails to answer for. */
  readonly broken = new Set<string>();
  #version = 100;
  #compacted = 0;
  readonly #objects = new Map<string, Map<string, FakeObject>>();
  readonly #changes: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly options: FakeKubeOptions,
  ) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /** Starts one on a free port of this machine. */
  static async start(options: FakeKubeOptions = {}): Promise<FakeKubeApi> {
    const { tls } = options;
    const made =
      tls === undefined
        ? createHttp()
        : createHttps({
            cert: tls.cert,
            key: tls.key,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true }),
          });
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return new FakeKubeApi(made, options);
  }

  /** Base address. */
  get url(): string {
    const address = this.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return `${this.options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  /** Watches that are open now. */
  get watching(): number {
    return this.#watchers.size;
  }

  /** Makes or changes an object of a resource. */
  apply(path: string, object: FakeObject): void {
    const objects = this.#objects.get(path) ?? new Map<string, FakeObject>();
    this.#objects.set(path, objects);
    const key = keyOf(object);
    this.#change(path, objects.has(key) ? 'MODIFIED' : 'ADDED', objects.set(key, object) && object);
  }

  /** Deletes an object. */
  remove(path: string, namespace: string, name: string): void {
    const object = this.#objects.get(path)?.get(`${namespace}/${name}`);
    if (object === undefined) throw new Error(`nothing at ${namespace}/${name}`);
    this.#objects.get(path)?.delete(`${namespace}/${name}`);
    this.#change(path, 'DELETED', object);
  }

  /** Moves the version on, as changes of other resources do, and tells watchers so. */
  bookmark(): void {
    this.#version++;
    for (const { response } of this.#watchers)
      response.write(eventLine('BOOKMARK', { metadata: {} }, this.#version));
  }

  /** Forgets all changes so far: older versions are answered 410, as a status or (`inStream`) as an event. */
  compact(inStream = false): void {
    this.#compacted = this.#version;
    const object = { code: 410, message: 'too old resource version' };
    if (inStream) this.#drop((response) => response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`));
  }

  /** Cuts the connections of all watches, in the middle of a line. */
  killWatches(): void {
    this.#drop((response) => {
      response.write('{"type":"ADDED","obj');
      response.destroy();
    });
  }

  /** Ends all watches as the server does after their time. */
  endWatches(): void {
    this.#drop((response) => response.end());
  }

  /** Frees the port. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #drop(how: (response: ServerResponse) => void): void {
    const dropped = [...this.#watchers];
    this.#watchers.clear();
    for (const { response } of dropped) how(response);
  }

  #change(path: string, type: string, object: FakeObject): void {
    const version = ++this.#version;
    const change = { version, path, line: eventLine(type, object, version) };
    this.#changes.push(change);
    for (const watcher of this.#watchers) if (watcher.path === path) writeCut(watcher.response, change.line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://kube');
    const expected = this.options.token?.();
    if (this.refusal !== undefined) return status(response, this.refusal, 'made to fail');
    if (expected !== undefined && request.headers.authorization !== `Bearer ${expected}`)
      return status(response, 401, 'Unauthorized');
    if (this.broken.has(url.pathname)) return status(response, 500, 'made to fail');
    if (this.absent.has(url.pathname))
      return status(response, 404, 'the server could not find the requested resource');
    const version = url.searchParams.get('resourceVersion') ?? '';
    const watch = url.searchParams.get('watch') === 'true';
    this.asked.push(`${watch ? 'watch' : 'list'} ${url.pathname} ${version}`.trim());
    return watch ? this.#watch(url.pathname, Number(version), response) : this.#list(url, response);
  }

  #list(url: URL, response: ServerResponse): void {
    const limit = Number(url.searchParams.get('limit') ?? '1000');
    const from = Number(url.searchParams.get('continue') ?? '0');
    const all = [...(this.#objects.get(url.pathname)?.values() ?? [])];
    const next = from + limit < all.length ? { continue: String(from + limit) } : {};
    // Lists leave out apiVersion and kind of their items.
    const items = all.slice(from, from + limit).map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    const metadata = { resourceVersion: String(this.#version), ...next };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'List', metadata, items }));
  }

  #watch(path: string, version: number, response: ServerResponse): void {
    if (version < this.#compacted) return status(response, 410, 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watcher = { path, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const change of this.#changes)
      if (change.path === path && change.version > version) response.write(change.line);
    return undefined;
  }
}

function keyOf({ metadata }: FakeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function eventLine(type: string, object: { readonly metadata: object }, version: number): string {
  const metadata = {
    ...object.metadata,
    resourceVersion: String(version),
    managedFields: [{ manager: 'x' }],
  };
  return `${JSON.stringify({ type, object: { ...object, metadata, status: { ok: true } } })}\n`;
}

/** In two chunks, cut inside of a character where there is one of several bytes. */
function writeCut(response: ServerResponse, line: string): void {
  const bytes = Buffer.from(line);
  const wide = bytes.findIndex((byte) => byte > 127);
  const at = wide < 0 ? bytes.length >> 1 : wide + 1;
  response.write(bytes.subarray(0, at));
  response.write(bytes.subarray(at));
}

function status(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', code, message }));
}
