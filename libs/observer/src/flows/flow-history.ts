import {
  COMPLETE_PARTS,
  encodeCursor,
  FlowBatchPage,
  hashFilters,
  nextStretch,
  planFlows,
  planFlowStart,
  readFlowStart,
  restBehind,
  type FlowPosition,
  type FlowsPlan,
  type FlowsRequest,
  type FlowStartRow,
  type LogCursor,
  type Window,
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

  /**
   * From `start` (included), or from the start of the window, in stretches: flows that are far apart are sent when they are
   * found, and not when a page of them is full.
   */
  async *#forward(
    ask: Ask,
    start: FlowPosition | undefined,
    limit: bigint | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FlowBatchPage> {
    let left = limit;
    let place = this.#firstPlace(ask, start);
    let ahead = place === undefined ? undefined : this.#read(ask, place, FIRST_PAGE, left, signal);
    while (ahead !== undefined && place !== undefined) {
      const page = await ahead;
      if (left !== undefined) left -= BigInt(page.length);
      place = left === 0n ? undefined : placeBehind(place, page);
      ahead = place === undefined ? undefined : this.#read(ask, place, NEXT_PAGES, left, signal);
      // The consumer may not come back for it; where it does, it is told then.
      ahead?.catch(() => undefined);
      if (page.length > 0) yield page;
    }
  }

  #firstPlace(ask: Ask, start: FlowPosition | undefined): Place | undefined {
    const after = start === undefined ? undefined : justBefore(start);
    const { range } = this.#planned(ask, after);
    const within = nextStretch(range, 'forward');
    return within === undefined ? undefined : { within, after, rest: restBehind(range, within, 'forward') };
  }

  #read(
    ask: Ask,
    { within, after }: Place,
    size: number,
    left: bigint | undefined,
    signal: AbortSignal,
  ): Promise<FlowBatchPage> {
    const first = left === undefined || left > BigInt(size) ? size : Number(left);
    return this.#page({ ...ask, first, within }, signal, after);
  }

  async #page(request: FlowsRequest, signal: AbortSignal, after?: FlowPosition): Promise<FlowBatchPage> {
    const plan = this.#planned(request, after);
    return new FlowBatchPage(await this.reader.batches(plan.plan, signal), plan);
  }

  #planned(request: FlowsRequest, after: FlowPosition | undefined): FlowsPlan {
    const context = this.reader.context();
    if (after === undefined) return granted(planFlows(request, context));
    const cursor = encodeCursor(after, hashFilters(request.filters));
    return granted(planFlows({ ...request, after: cursor }, context));
  }
}

/** Where a page begins: in a stretch of the window, behind a flow of it. */
interface Place {
  readonly within: Window;
  readonly after: FlowPosition | undefined;
  /** What lies behind the stretch. */
  readonly rest: Window;
}

/** Where the page behind `page` begins; undefined when that was the last one. */
function placeBehind(place: Place, page: FlowBatchPage): Place | undefined {
  const last = page.at(page.length - 1);
  if (page.hasNextPage && last !== undefined) return { ...place, after: last.position };
  const { within, rest } = place;
  const next = nextStretch(rest, 'forward', { window: within, millis: 0, leftMs: Infinity });
  return next === undefined
    ? undefined
    : { within: next, after: undefined, rest: restBehind(rest, next, 'forward') };
}

/** A position that only lies before `at`: pages start behind their cursor. */
function justBefore(at: FlowPosition): FlowPosition {
  if (at.index > 0) return { ...at, index: at.index - 1 };
  if (at.offset > 0n) return { ...at, offset: at.offset - 1n, index: 0xffff_ffff };
  const last = (1n << 64n) - 1n;
  return { bucketNs: at.bucketNs - 1n, logEpoch: last, partition: 65_535, offset: last, index: 0xffff_ffff };
}
