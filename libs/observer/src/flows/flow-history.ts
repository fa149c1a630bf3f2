import {
  COMPLETE_PARTS,
  encodeCursor,
  FlowBatchPage,
  planFlows,
  planFlowStart,
  readFlowStart,
  type FlowPosition,
  type FlowsRequest,
  type FlowStartRow,
  type LogCursor,
} from '@flowledger/query';
import { granted } from '../server/grpc-errors.js';
import type { ClusterList } from './cluster-list.js';
import type { FlowQuestion } from './flow-question.js';
import type { StoreReader } from './store-reader.js';

/** Flows of the first page: few, so that the first row is soon there. */
const FIRST_PAGE = 500;
/** Flows of the pages after it; about nine megabytes of columns. Small pages cost more: each sorts whole five minutes. */
const NEXT_PAGES = 20_000;

type Ask = Pick<
  FlowsRequest,
  'window' | 'filters' | 'clusters' | 'loadedBefore' | 'parts' | 'maxPage' | 'binary'
>;

/** Reads the stored flows of a question in order of time, page by page. */
export class FlowHistory {
  constructor(
    private readonly reader: StoreReader,
    private readonly clusters: ClusterList,
  ) {}

  /**
   * Pages of matching flows, ascending; one page is read while the one before it is consumed, never more. With `loadedBefore` only
   * flows before that place of the log.
   */
  async *pages(
    question: FlowQuestion,
    loadedBefore: LogCursor | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FlowBatchPage> {
    const clusters = await this.clusters.of(question.window, signal);
    const ask: Ask = {
      window: question.window,
      filters: question.filters,
      clusters,
      parts: COMPLETE_PARTS,
      maxPage: NEXT_PAGES,
      binary: true,
      ...(loadedBefore === undefined ? {} : { loadedBefore }),
    };
    const { limit, fromStart } = question;
    if (fromStart || limit === undefined) yield* this.#forward(ask, undefined, limit, signal);
    else if (limit <= BigInt(NEXT_PAGES)) yield await this.#last(ask, Number(limit), signal);
    else {
      const plan = granted(planFlowStart(ask, limit, this.reader.context()));
      const start = readFlowStart(await this.reader.rows<FlowStartRow>(plan, signal));
      yield* this.#forward(ask, start, limit, signal);
    }
  }

  async #last(ask: Ask, limit: number, signal: AbortSignal): Promise<FlowBatchPage> {
    return this.#page({ ...ask, last: limit }, signal);
  }

  /** From `start` (included), or from the start of the window. */
  async *#forward(
    ask: Ask,
    start: FlowPosition | undefined,
    limit: bigint | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FlowBatchPage> {
    const read = (size: number, wanted: bigint | undefined, after?: FlowPosition): Promise<FlowBatchPage> => {
      const first = wanted === undefined || wanted > BigInt(size) ? size : Number(wanted);
      return this.#page({ ...ask, first }, signal, after);
    };
    let left = limit;
    let ahead = read(FIRST_PAGE, left, start === undefined ? undefined : justBefore(start));
    for (;;) {
      const page = await ahead;
      const last = page.at(page.length - 1);
      if (last === undefined) return;
      if (left !== undefined) left -= BigInt(page.length);
      const more = page.hasNextPage && left !== 0n;
      if (more) {
        ahead = read(NEXT_PAGES, left, last.position);
        // The consumer may not come back for it; where it does, it is told then.
        ahead.catch(() => undefined);
      }
      yield page;
      if (!more) return;
    }
  }

  async #page(request: FlowsRequest, signal: AbortSignal, after?: FlowPosition): Promise<FlowBatchPage> {
    const context = this.reader.context();
    const bare = granted(planFlows(request, context));
    const plan =
      after === undefined
        ? bare
        : granted(planFlows({ ...request, after: encodeCursor(after, bare.filterHash) }, context));
    return new FlowBatchPage(await this.reader.batches(plan.plan, signal), plan);
  }
}

/** A position that only lies before `at`: pages start behind their cursor. */
function justBefore(at: FlowPosition): FlowPosition {
  if (at.index > 0) return { ...at, index: at.index - 1 };
  if (at.offset > 0n) return { ...at, offset: at.offset - 1n, index: 0xffff_ffff };
  const last = (1n << 64n) - 1n;
  return { bucketNs: at.bucketNs - 1n, logEpoch: last, partition: 65_535, offset: last, index: 0xffff_ffff };
}
