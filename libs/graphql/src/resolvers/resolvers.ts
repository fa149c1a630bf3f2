import {
  CoverageResolver,
  DropCoverageResolver,
  FlowConnectionCoverageResolver,
  MapCoverageResolver,
  RedCoverageResolver,
} from './coverage-resolver.js';
import { DnsCoverageResolver, DnsResolver, DnsStatsResolver } from './dns-resolver.js';
import { DropGroupResolver, DropsResolver } from './drops-resolver.js';
import { ExplanationResolver } from './explanation-resolver.js';
import { EndpointResolver, FlowConnectionResolver, FlowResolver, FlowsResolver } from './flows-resolver.js';
import { HintsCoverageResolver, HintsResolver, MatchCountsResolver } from './hints-resolver.js';
import { InventoryResolver, NodeInfoResolver } from './inventory-resolver.js';
import { FlowBatchResolver, LiveResolver } from '../live/live-resolver.js';
import { MapResolver } from './map-resolver.js';
import { RawResolver } from './raw-resolver.js';
import { AuditCoverageResolver, AuditResolver } from './audit-resolver.js';
import { FirstSeenCoverageResolver, FirstSeenResolver } from './first-seen-resolver.js';
import { PolicyCheckResolver } from './policy-check-resolver.js';
import {
  PolicyRecommendationResolver,
  RecommendationCoverageResolver,
} from './policy-recommendation-resolver.js';
import { PolicyResolver } from './policy-resolver.js';
import { RedGroupResolver, RedResolver, RedSeriesResolver, RedStatsResolver } from './red-resolver.js';
import { TcpHealthCoverageResolver, TcpHealthResolver } from './tcp-health-resolver.js';

/** Every resolver of the schema; stateless, what they need is in the request's context. */
export const RESOLVERS = [
  CoverageResolver,
  DnsCoverageResolver,
  DnsResolver,
  DnsStatsResolver,
  DropCoverageResolver,
  DropGroupResolver,
  DropsResolver,
  EndpointResolver,
  ExplanationResolver,
  FlowBatchResolver,
  FlowConnectionCoverageResolver,
  FlowConnectionResolver,
  FlowResolver,
  FlowsResolver,
  HintsCoverageResolver,
  HintsResolver,
  InventoryResolver,
  LiveResolver,
  MapCoverageResolver,
  MapResolver,
  MatchCountsResolver,
  NodeInfoResolver,
  AuditCoverageResolver,
  AuditResolver,
  FirstSeenCoverageResolver,
  FirstSeenResolver,
  PolicyCheckResolver,
  PolicyRecommendationResolver,
  PolicyResolver,
  RecommendationCoverageResolver,
  RawResolver,
  RedCoverageResolver,
  RedGroupResolver,
  RedResolver,
  RedSeriesResolver,
  RedStatsResolver,
  TcpHealthCoverageResolver,
  TcpHealthResolver,
] as const;
