import {
  planOtherEvents,
  readOtherEvents,
  type FlowBatchPage,
  type LogCursor,
  type OpenLiveFlows,
  type OtherEvent,
  type OtherEventRow,
} from '@flowledger/query';
import { status } from '@grpc/grpc-js';
import { GrpcError } from '../server/grpc-errors.js';
import { FlowResponses } from '../wire/flow-responses.js';
import { eventResponse, lostResponse, noticeResponse } from '../wire/responses.js';
import { FlowHistory } from './flow-history.js';
import { isoTime, type FlowQuestion } from './flow-question.js';
import type { ClusterList } from './cluster-list.js';
import type { LabelCache } from './label-cache.js';
import type { StoreReader } from './store-reader.js';
import { inTimeOrder } from './time-order.js';

/** Lost events and node states that are told beside one page of flows. */
const MAX_EVENTS = 1000;

/** Flows that are encoded at a time. */
const BATCH = 256;

/** What streams of flows are made from. */
export interface FlowStreamDeps {
  readonly reader: StoreReader;
  readonly labels: LabelCache;
  readonly clusters: ClusterList;
  /** Undefined where this process has no log to follow. */
  readonly live: OpenLiveFlows | undefined;
  /** Bytes of flows that may wait for a slow follower. */
  readonly followBufferBytes: number;
  /** Names this server in notices. */
  readonly nodeName: string;
}

/** Answers GetFlows: encoded responses in order, a batch at a time. */
export class FlowStream {
  readonly #history: FlowHistory;
  readonly #responses: FlowResponses;
  /** Stored flows that were sent: those that match as they are, and those that match only by an inferred name. */
  readonly matched = { exact: 0, inferred: 0 };

  constructor(
    private readonly deps: FlowStreamDeps,
    private readonly question: FlowQuestion,
    private readonly signal: AbortSignal,
  ) {
    this.#history = new FlowHistory(deps.reader, deps.clusters);
    this.#responses = new FlowResponses(question.mask);
  }

  /** Ends with the history, or never when following; the caller takes a batch when the one before it is written. */
  async *batches(): AsyncGenerator<readonly Uint8Array[]> {
    const { question, deps } = this;
    const { live } = deps;
    if (question.follow && live === undefined)
      throw new GrpcError(status.UNIMPLEMENTED, 'follow: this server has no log to follow');
    const cursor = question.follow ? await (question.onlyNew ? live?.end() : live?.loaded()) : undefined;
    if (question.cutByRetention) {
      const from = isoTime(question.window.fromNs);
      const message = `since: nothing is kept from before ${from} (retention.rawDays); the answer starts there`;
      yield [noticeResponse(message, deps.nodeName, question.window.fromNs)];
    }
    if (!question.onlyNew) yield* this.#past(cursor);
    if (live !== undefined && cursor !== undefined) yield* this.#tail(live, cursor);
  }

  /** Stored flows; where they end before the limit, the events behind the last of them too. */
  async *#past(cursor: LogCursor | undefined): AsyncGenerator<readonly Uint8Array[]> {
    const { window, limit, fromStart } = this.question;
    let fromNs = fromStart ? window.fromNs : undefined;
    let left = limit;
    for await (const page of this.#history.pages(this.question, cursor, this.signal)) {
      const [first, last] = [page.at(0), page.at(page.length - 1)];
      if (first === undefined || last === undefined) continue;
      yield* this.#page(page, fromNs ?? first.position.bucketNs, last.position.bucketNs);
      fromNs = last.position.bucketNs + 1n;
      if (left !== undefined) left -= BigInt(page.length);
    }
    if (left === 0n) return;
    const behind = await this.#events(fromNs ?? window.fromNs, window.toNs - 1n);
    if (behind.length > 0) yield behind.map(eventResponse);
  }

  /** A page of flows with the other events of its time between them, encoded a batch at a time as the client reads. */
  async *#page(page: FlowBatchPage, fromNs: bigint, toNs: bigint): AsyncGenerator<readonly Uint8Array[]> {
    const [labels, events] = await Promise.all([
      this.deps.labels.of(page, this.signal),
      this.#events(fromNs, toNs),
    ]);
    let next = 0;
    for (let start = 0; start < page.length; start += BATCH) {
      const responses: Uint8Array[] = [];
      for (const flow of page.slice(start, start + BATCH)) {
        for (let event = events[next]; event !== undefined; event = events[++next]) {
          if (event.position.bucketNs > flow.position.bucketNs) break;
          responses.push(eventResponse(event));
        }
        const labelled = labels(flow);
        if (this.question.matchInferred)
          this.matched[this.question.matches(labelled) ? 'exact' : 'inferred']++;
        responses.push(this.#responses.response(labelled));
      }
      yield responses;
    }
    const behind = events.slice(next);
    if (behind.length > 0) yield behind.map(eventResponse);
  }

  /** Never filtered and never counted (hubble note 2.2). */
  async #events(fromNs: bigint, toNs: bigint): Promise<readonly OtherEvent[]> {
    const { reader } = this.deps;
    if (fromNs > toNs) return [];
    const request = {
      kinds: ['lost_events', 'node_status'],
      window: { fromNs, toNs: toNs + 1n },
      order: 'ASC',
      limit: MAX_EVENTS,
    } as const;
    const plan = planOtherEvents(request, reader.context());
    return readOtherEvents(await reader.rows<OtherEventRow>(plan, this.signal));
  }

  async *#tail(live: OpenLiveFlows, after: LogCursor): AsyncGenerator<readonly Uint8Array[]> {
    const { question, deps, signal } = this;
    const { untilNs } = question;
    if (question.matchInferred) await live.endpoints?.prepare();
    const request = { after, matches: question.follows, maxBufferedBytes: deps.followBufferBytes };
    const open = (gone: AbortSignal) => live.tail({ ...request, signal: gone });
    for await (const step of inTimeOrder(open, { clock: deps.reader.options.clock, signal })) {
      if (step.kind === 'missed') {
        yield [lostResponse(step, deps.nodeName)];
        continue;
      }
      const begun = step.flows.filter(
        ({ flow }) => question.sinceNs === undefined || flow.position.bucketNs >= question.sinceNs,
      );
      const within = begun.filter(({ flow }) => untilNs === undefined || flow.position.bucketNs <= untilNs);
      if (within.length > 0) yield within.map((flow) => this.#responses.response(flow));
      if (within.length < begun.length) return;
    }
  }
}
