import { readRanked } from '../group/ranked-groups.js';
import type { RankedAnswer, RankedRow } from '../group/ranked-groups.js';
import type { RankedPlan } from '../group/ranked-question.js';
import type { Missing } from '../missing.js';

/** Numbers of a set of connections. */
export interface TcpStats {
  /** Connections whose SYN was seen in the window. */
  readonly opened: bigint;
  /** Of these: a SYN-ACK came back. */
  readonly established: bigint;
  /** Of these: nothing came back. */
  readonly unanswered: bigint;
  /** Of these: the server answered with a RST. */
  readonly refused: bigint;
  /** Of these: a SYN-ACK came back and the client never acknowledged it. */
  readonly halfOpen: bigint;
  /** Of these: not answered, and a packet of it was dropped. */
  readonly dropped: bigint;
  /** Connections that a side reset, whenever they were opened; refused ones not counted. */
  readonly clientResets: bigint;
  readonly serverResets: bigint;
}

/** Answer to a TCP question: total = sum of groups + other. */
export interface TcpAnswer extends RankedAnswer<TcpStats> {
  readonly missing: readonly Missing[];
}

const NOT_MEASURED: readonly Missing[] = ['retransmissions', 'rttMs', 'zeroWindows'].map((name) => ({
  path: `total.${name}`,
  reason: 'NOT_MEASURED_BY_SOURCE',
  hint: 'flags of packets are all that Hubble tells of TCP; an agent with TCP counters is needed',
}));

function statsOf(rows: readonly RankedRow[]): TcpStats {
  const sum = (column: string): bigint =>
    rows.reduce((total, row) => total + BigInt(String(row[column] ?? '0')), 0n);
  return {
    opened: sum('opened'),
    established: sum('established'),
    unanswered: sum('unanswered'),
    refused: sum('refused'),
    halfOpen: sum('half_open'),
    dropped: sum('dropped'),
    clientResets: sum('client_resets'),
    serverResets: sum('server_resets'),
  };
}

/** Turns the rows of a planned TCP question into its answer. */
export function readTcpHealth(rows: readonly RankedRow[], planned: RankedPlan): TcpAnswer {
  return { ...readRanked(rows, planned.keys, statsOf), missing: NOT_MEASURED };
}
