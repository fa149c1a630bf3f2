import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { authenticate } from './authenticate.js';
import { ClickHouseError, toClickHouseError } from './clickhouse-error.js';
import { literal } from './engine.js';
import type { Engine, EngineSession } from './engine.js';
import { isNativeHello, nativeHello } from './native-hello.js';
import type { ReadGuard } from './read-guard.js';
import { decodedBody, readStatement } from './request-body.js';
import type { DataInsert } from './request-body.js';
import { sessionPlan, sessionSetup } from './request-settings.js';
import type { SessionPlan } from './request-settings.js';
import { contentType, isBlockwise, sendBody, summary } from './response-body.js';
import type { BodyOptions } from './response-body.js';
import type { Slots } from './slots.js';
import type { Spool } from './spool.js';
import type { PlainStatement } from './statement.js';
import type { StoreUser } from './users.js';

/** A client that takes nothing of its result for this long is cut off: it holds a slot. */
const STALL_TIMEOUT_MS = 60_000;
/** A query whose client has gone is asked to stop again and again, since the first request may come before its start. */
const KILL_INTERVAL_MS = 200;

export interface EndpointParts {
  readonly engine: Engine;
  readonly users: ReadonlyMap<string, StoreUser>;
  /** Slots by user name. */
  readonly slots: ReadonlyMap<string, Slots>;
  readonly spool: Spool;
  readonly guard: ReadGuard;
}

/** One request on its way: who asks what of which session. */
interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly user: StoreUser;
  readonly queryId: string;
  /** Start of the session's log_comment; unique. */
  readonly tag: string;
  readonly plan: SessionPlan;
}

/** Answers one HTTP request as a ClickHouse server answers a query. Never rejects: errors become answers or a cut line. */
export class QueryEndpoint {
  readonly #parts: EndpointParts;

  constructor(parts: EndpointParts) {
    this.#parts = parts;
  }

  async handle(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const queryId = query.get('query_id') ?? randomUUID();
    if (/^[\x20-\x7e]{1,256}$/.test(queryId)) response.setHeader('X-ClickHouse-Query-Id', queryId);
    response.setHeader('X-ClickHouse-Server-Display-Name', 'flowledger');
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
    try {
      const user = authenticate(request, query, this.#parts.users);
      const isGet = request.method !== 'POST';
      const plan = sessionPlan(query, headerText(request, 'x-clickhouse-database'), user, isGet);
      const body = isGet ? null : decodedBody(request);
      const statement = await readStatement(query.get('query') ?? '', body);
      const call: Call = { request, response, query, user, queryId, tag: `${randomUUID()}:`, plan };
      if (statement.kind === 'insert') await this.#insert(call, statement);
      else await this.#plain(call, statement);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    if (response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const error = toClickHouseError(thrown);
    const text = error.body(this.#parts.engine.version);
    response.writeHead(error.status, {
      'X-ClickHouse-Exception-Code': String(error.code),
      'Content-Type': 'text/plain; charset=UTF-8',
      ...(request.complete ? {} : { Connection: 'close' }),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #withSession<T>(call: Call, work: (session: EngineSession) => Promise<T>): Promise<T> {
    const slots = this.#parts.slots.get(call.user.name);
    if (slots === undefined) throw new Error(`no slots for user ${call.user.name}`);
    const release = await slots.acquire();
    try {
      if (call.response.destroyed) throw new ClickHouseError(394, 'QUERY_WAS_CANCELLED', 'Client has gone');
      const session = this.#parts.engine.session();
      try {
        const comment = `${call.tag}${call.queryId} ${call.query.get('log_comment') ?? ''}`.trimEnd();
        await session.run(sessionSetup(call.plan, comment), 'Null');
        return await work(session);
      } finally {
        session.close();
      }
    } finally {
      release();
    }
  }

  async #insert(call: Call, insert: DataInsert): Promise<void> {
    if (call.plan.readonly !== 0) {
      throw new ClickHouseError(164, 'READONLY', `${call.user.name}: Cannot execute query in readonly mode`);
    }
    const body = await this.#parts.spool.write(insert.firstData, insert.restData);
    try {
      const sql = `${insert.before} FROM INFILE ${literal(body.path)} COMPRESSION 'none' ${insert.after}`;
      const result = await this.#withSession(call, (session) => session.run(sql, 'Null'));
      call.response.writeHead(200, { 'X-ClickHouse-Summary': summary(result, true) });
      call.response.end();
    } finally {
      await body.remove();
    }
  }

  async #plain(call: Call, statement: PlainStatement): Promise<void> {
    const wanted = headerText(call.request, 'x-clickhouse-format') ?? call.query.get('default_format');
    const format = statement.format ?? wanted ?? 'TabSeparated';
    const headers = { 'X-ClickHouse-Format': format, 'Content-Type': contentType(format) };
    const body = { ...call, headers, stallTimeoutMs: STALL_TIMEOUT_MS };
    if (isNativeHello(statement.text, call.query)) {
      await sendBody(body, one(nativeHello(this.#parts.engine.version)));
      return;
    }
    const reads = /^(?:SELECT|WITH|FROM)$/.test(statement.verb);
    const stream = reads && isBlockwise(format) && call.query.get('wait_end_of_query') !== '1';
    await this.#withSession(call, async (session) => {
      if (call.user.access === 'read') await this.#parts.guard.check(statement.text, call.user, call.plan);
      await this.#killingWhenGone(call, reads, () =>
        stream
          ? sendBody(body, session.stream(statement.text, format))
          : this.#buffered(session, statement, body),
      );
    });
    if (!reads && call.user.access === 'all') this.#parts.guard.forget();
  }

  async #buffered(session: EngineSession, statement: PlainStatement, body: BodyOptions): Promise<void> {
    const result = await session.run(statement.text, body.headers['X-ClickHouse-Format'] ?? 'TabSeparated');
    const headers = { ...body.headers, 'X-ClickHouse-Summary': summary(result, statement.verb === 'INSERT') };
    await sendBody({ ...body, headers }, one(result.bytes));
  }

  /** Statements that change something run to their end even if nobody waits: a retry must find all or nothing of them. */
  async #killingWhenGone(call: Call, reads: boolean, work: () => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const kill = (): void => {
      this.#parts.engine.kill(call.tag).catch(() => undefined);
      timer = setTimeout(kill, KILL_INTERVAL_MS);
    };
    const onClose = (): void => {
      if (!call.response.writableFinished) kill();
    };
    if (reads) call.response.once('close', onClose);
    try {
      await work();
    } finally {
      call.response.off('close', onClose);
      clearTimeout(timer);
    }
  }
}

function headerText(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
