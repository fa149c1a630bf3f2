import { planOtherEvents, readOtherEvents, type OtherEventRow, type FlowPosition } from '@flowledger/query';
import { agentEventResponse } from '../wire/responses.js';
import type { EventRange } from './flow-question.js';
import type { StoreReader } from './store-reader.js';

const PAGE = 1000;
const MAX_LAST = 10_000;

/** Stored agent events in the order of time, encoded, page by page. */
export async function* agentEvents(
  reader: StoreReader,
  range: EventRange,
  signal: AbortSignal,
): AsyncGenerator<readonly Uint8Array[]> {
  const { window, limit, fromStart } = range;
  const kinds = ['agent_event'] as const;
  const page = async (order: 'ASC' | 'DESC', count: number, after?: FlowPosition) => {
    const request = { kinds, window, order, limit: count, ...(after === undefined ? {} : { after }) };
    const plan = planOtherEvents(request, reader.context());
    return readOtherEvents(await reader.rows<OtherEventRow>(plan, signal));
  };
  if (!fromStart && limit !== undefined) {
    const last = await page('DESC', Number(limit > BigInt(MAX_LAST) ? MAX_LAST : limit));
    yield last.toReversed().map(agentEventResponse);
    return;
  }
  let left = limit;
  let after: FlowPosition | undefined;
  while (left === undefined || left > 0n) {
    const count = left === undefined || left > BigInt(PAGE) ? PAGE : Number(left);
    const events = await page('ASC', count, after);
    if (events.length > 0) yield events.map(agentEventResponse);
    after = events.at(-1)?.position;
    if (events.length < count || after === undefined) return;
    if (left !== undefined) left -= BigInt(events.length);
  }
}
