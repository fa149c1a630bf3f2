import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { Args, Context, Parent, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { hashFilters, type FlowFilters, type OpenLiveFlows } from '@flowledger/query';
import { publicErrors } from '../errors/public-error.js';
import { requestError } from '../errors/request-error.js';
import { RequestScope, type ApiContext } from '../request/request-scope.js';
import { explainFlow } from '../resolvers/explanation-resolver.js';
import { planned } from '../resolvers/planned.js';
import { dropFilters } from './drop-filters.js';
import { streamFlows, type StreamRequest } from './flow-stream.js';
import { decodeStreamCursor, type StreamPlace } from './stream-cursor.js';
import type { FlowBatchEvent, StreamEvent } from './stream-events.js';
import type { StreamConnection } from './subscription-limits.js';

const DEFAULT_RATE = 2000;
const MAX_RATE = 100_000;

/** The value that GraphQL hands to the resolvers of a subscription. */
export interface StreamContext extends ApiContext {
  readonly connection: StreamConnection;
}

interface StreamArguments {
  readonly filters?: FlowFilters | null;
  readonly after?: string | null;
  readonly since?: bigint | null;
  readonly maxPerSecond?: number | null;
  readonly explain?: boolean | null;
}

/** What is sent under the name of the subscription's field. */
type Sent<Name extends string> = Readonly<Record<Name, StreamEvent>>;

/** `subscription { flows }` and `subscription { drops }`. */
@Resolver('Subscription')
export class LiveResolver {
  @Subscription('flows')
  flows(
    @Args() args: StreamArguments,
    @Context() context: StreamContext,
  ): Promise<AsyncIterableIterator<Sent<'flows'>>> {
    return subscribe('flows', args, args.filters ?? null, context);
  }

  @Subscription('drops')
  drops(
    @Args() args: StreamArguments,
    @Context() context: StreamContext,
  ): Promise<AsyncIterableIterator<Sent<'drops'>>> {
    return subscribe('drops', args, args.filters, context);
  }
}

/** Why the drops of a batch were dropped. */
@Resolver('FlowBatch')
export class FlowBatchResolver {
  @ResolveField('explanations')
  explanations(@Parent() batch: FlowBatchEvent, @Context() { scope }: StreamContext) {
    return batch.explain ? Promise.all(batch.flows.map(({ record }) => explainFlow(scope, record))) : null;
  }
}

async function subscribe<Name extends 'flows' | 'drops'>(
  name: Name,
  args: StreamArguments,
  given: FlowFilters | null | undefined,
  { scope: asking, connection }: StreamContext,
): Promise<AsyncIterableIterator<Sent<Name>>> {
  const { deps } = asking;
  const { live } = deps;
  if (live === undefined) throw requestError('BAD_REQUEST', 'this server has no live flows');
  const leave = live.limits.enter(connection);
  const stop = new AbortController();
  const scope = new RequestScope(randomUUID(), deps, stop.signal, true);
  try {
    const filters = name === 'drops' ? dropFilters(given) : (given ?? null);
    const filterHash = hashFilters(filters);
    const request: StreamRequest = {
      filters,
      matches: planned(live.predicates.of(filters, filterHash)),
      filterHash,
      place: await placeOf(args, filterHash, live.flows, scope),
      maxPerSecond: rateOf(args.maxPerSecond),
      maxBufferedBytes: live.bufferBytes,
      explain: args.explain === true,
      shownBy: asking,
      signal: stop.signal,
    };
    if (infers(filters)) await live.flows.endpoints?.prepare();
    return cancellable(name, streamFlows(scope, live.flows, request), scope, () => {
      stop.abort();
      leave();
    });
  } catch (error) {
    leave();
    throw toldError(error, scope);
  }
}

/** Whether filters match names that only the endpoint history knows. */
function infers(filters: FlowFilters | null): boolean {
  return [...(filters?.allow ?? []), ...(filters?.deny ?? [])].some((each) => each.matchInferred === true);
}

/** Where the subscription begins; throws BAD_CURSOR and BAD_WINDOW. */
async function placeOf(
  { after, since }: StreamArguments,
  filterHash: string,
  live: OpenLiveFlows,
  scope: RequestScope,
): Promise<StreamPlace> {
  const hasSince = since !== undefined && since !== null;
  if (after !== undefined && after !== null) {
    if (hasSince) throw requestError('BAD_CURSOR', 'give after or since, not both', { field: 'after' });
    const place = decodeStreamCursor(after, filterHash);
    const log = place === undefined ? undefined : await live.end();
    if (
      place === undefined ||
      place.log.epoch !== log?.epoch ||
      place.log.partitions.length !== log.partitions.length
    )
      throw requestError('BAD_CURSOR', 'after: a cursor of this subscription with the same filters', {
        field: 'after',
      });
    return place;
  }
  if (!hasSince) return { log: await live.end() };
  if (since > scope.planning.limits.maxWindowNs)
    throw requestError('WINDOW_TOO_WIDE', 'since: longer than a window may be', { field: 'since' });
  const sinceNs = scope.nowNs - since;
  return { log: await live.loaded(), history: { sinceNs: sinceNs < 0n ? 0n : sinceNs, after: null } };
}

function rateOf(asked: number | null | undefined): number {
  const rate = asked ?? DEFAULT_RATE;
  if (rate >= 1 && rate <= MAX_RATE) return rate;
  throw requestError('BAD_REQUEST', `maxPerSecond: from 1 to ${MAX_RATE}`, { field: 'maxPerSecond' });
}

/** An iteration that ends at once when it is told to, also while it waits for an event. */
function cancellable<Name extends 'flows' | 'drops'>(
  name: Name,
  events: AsyncGenerator<StreamEvent, void, undefined>,
  scope: RequestScope,
  end: () => void,
): AsyncIterableIterator<Sent<Name>> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      try {
        const { done, value } = await events.next();
        if (done !== true) return { done: false, value: { [name]: value } as Sent<Name> };
        end();
        return { done: true, value: undefined };
      } catch (error) {
        end();
        throw toldError(error, scope);
      }
    },
    async return() {
      end();
      await events.return();
      return { done: true, value: undefined };
    },
  };
}

/** What the caller is told: as for a request, one error with a code, never our own words about hosts or statements. */
function toldError(error: unknown, scope: RequestScope): GraphQLError {
  const original = error instanceof Error ? error : new Error('stream');
  const wrapped = error instanceof GraphQLError ? error : new GraphQLError('', { originalError: original });
  const [told] = publicErrors(wrapped, scope.id, false);
  scope.deps.errors.inc({ code: told?.extensions.code ?? 'INTERNAL' });
  return new GraphQLError(told?.message ?? 'the request failed', { extensions: { ...told?.extensions } });
}
