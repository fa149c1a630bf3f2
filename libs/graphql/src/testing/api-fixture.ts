import { migrate, type ColumnStore } from '@flowledger/column-store';
import { openLog } from '@flowledger/platform';
import { MIGRATIONS, startTestStore, type TestStore } from '@flowledger/testkit';
import { createApiServer, type ApiServer, type ApiServerOptions } from '../server/api-server.js';

/** An answer of the API as a test reads it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions?: { readonly cost: Readonly<Record<string, number>> };
}

/** A real engine with all tables, and API servers over it. */
export interface ApiFixture {
  readonly store: TestStore;
  /** Writes as the writing user. */
  readonly writer: ColumnStore;
  serve(options?: Partial<ApiServerOptions>): Promise<ApiServer>;
  stop(): Promise<void>;
}

/** Starts the engine and migrates it; servers that a test starts are closed by `stop`. */
export async function startApiFixture(): Promise<ApiFixture> {
  const store = await startTestStore();
  const { url, database } = store;
  await migrate(
    { url, user: 'writer', password: store.password('writer'), database },
    { directory: MIGRATIONS, variables: { RAW_TTL_DAYS: 30, ROLLUP_TTL_DAYS: 90, HOUR_TTL_DAYS: 400 } },
  );
  const servers: ApiServer[] = [];
  return {
    store,
    writer: store.store('writer'),
    serve: async (options = {}) => {
      const server = await createApiServer({
        store: store.store('reader'),
        host: '127.0.0.1',
        port: 0,
        tenant: 'default',
        version: '0.0.0-test',
        status: async () => ({ ok: true }),
        // Causes of answers that only say INTERNAL.
        logger: openLog('api-test', 'warn'),
        ...options,
      });
      servers.push(server);
      return server;
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.close()));
      await store.stop();
    },
  };
}

/** Asks one query; `headers` replace the usual ones. */
export async function ask(
  server: ApiServer,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<Answer> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  return readAnswer(response);
}

/** Reads a response as an answer; one without GraphQL's shape fails the test. */
export async function readAnswer(response: Response): Promise<Answer> {
  const body = (await response.json()) as Partial<Answer>;
  return {
    ...body,
    status: response.status,
    headers: response.headers,
    data: body.data ?? null,
    errors: body.errors ?? [],
  };
}

/** Codes of an answer's errors. */
export function codesOf(answer: Answer): readonly unknown[] {
  return answer.errors.map((error) => error.extensions['code']);
}
