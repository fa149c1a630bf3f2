import { DropsResolver } from './drops-resolver.js';
import { EndpointResolver, FlowConnectionResolver, FlowsResolver } from './flows-resolver.js';
import { RedResolver, RedSeriesResolver, RedStatsResolver } from './red-resolver.js';

/** Every resolver of the schema; stateless, what they need is in the request's context. */
export const RESOLVERS = [
  DropsResolver,
  EndpointResolver,
  FlowConnectionResolver,
  FlowsResolver,
  RedResolver,
  RedSeriesResolver,
  RedStatsResolver,
] as const;
