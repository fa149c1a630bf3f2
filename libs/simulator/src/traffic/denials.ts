import type { Random } from '../random.js';
import type { Denial } from './call.js';
import { EDGES, type Edge } from './edge.js';

/** Edges that are always refused, whatever the time. */
const ALWAYS = new Map<Edge, Denial>([
  [
    EDGES.stagingMyApp,
    { kind: 'packet', reason: 181, side: 'server', policy: 'deny-staging', byPolicy: true },
  ],
  [EDGES.grafanaRedis, { kind: 'packet', reason: 133, side: 'server', byPolicy: true }],
  [EDGES.metadata, { kind: 'packet', reason: 181, side: 'client', policy: 'deny-metadata', byPolicy: true }],
  [EDGES.search, { kind: 'packet', reason: 158, side: 'client', byPolicy: false }],
  [EDGES.spoofed, { kind: 'packet', reason: 132, side: 'client', byPolicy: false }],
  [EDGES.foreignFrame, { kind: 'packet', reason: 139, side: 'client', byPolicy: false }],
]);

/** Share of connections to the internet that find the connection table full. */
const TABLE_FULL_SHARE = 0.02;

/** The denial that an edge meets whatever the time, if any. */
export function staticDenial(edge: Edge, random: Random): Denial | undefined {
  if (edge === EDGES.myAppApi && random.chance(TABLE_FULL_SHARE))
    return { kind: 'packet', reason: 155, side: 'client', byPolicy: false };
  return ALWAYS.get(edge);
}
