import {
  historyKey,
  historyKeyText,
  NOBODY,
  planHistory,
  readHistory,
  wasEndpoint,
  type EndpointRecord,
  type FlowRecord,
  type HistoryKey,
  type HistoryRow,
  type WasEndpoint,
} from '@flowledger/query';
import type { RequestScope } from './request-scope.js';

/** Addresses that one statement looks up; parameters travel in the URL of the store's HTTP interface. */
const MAX_KEYS = 2000;

type Rows = ReadonlyMap<string, HistoryRow>;

/**
 * Looks up who endpoints were when they were seen (design section 5). Everything asked for before the next turn of the
 * event loop is one statement.
 */
export class HistoryLoader {
  readonly #scope: RequestScope;
  #pending: { readonly keys: Map<string, HistoryKey>; readonly rows: Promise<Rows> } | undefined;

  constructor(scope: RequestScope) {
    this.#scope = scope;
  }

  /** What the history knows about one side of a flow. */
  async load(flow: FlowRecord, side: Pick<EndpointRecord, 'ip' | 'namespace' | 'pod'>): Promise<WasEndpoint> {
    if (this.#scope.isLive(flow)) return NOBODY;
    const key = historyKey(flow.cluster, flow.position.bucketNs, side);
    if (key === undefined) return NOBODY;
    if (this.#pending === undefined || this.#pending.keys.size >= MAX_KEYS) this.#pending = this.#collect();
    const { keys, rows } = this.#pending;
    const text = historyKeyText(key);
    keys.set(text, key);
    return wasEndpoint((await rows).get(text), side);
  }

  #collect(): { keys: Map<string, HistoryKey>; rows: Promise<Rows> } {
    const keys = new Map<string, HistoryKey>();
    const rows = new Promise<void>((resolve) => setImmediate(resolve)).then(async (): Promise<Rows> => {
      if (this.#pending?.keys === keys) this.#pending = undefined;
      const plan = planHistory([...keys.values()], this.#scope.planning);
      return readHistory((await this.#scope.query<HistoryRow>(plan)).rows);
    });
    return { keys, rows };
  }
}
