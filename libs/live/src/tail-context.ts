import type { EventLog } from '@flowledger/event-log';
import type { AcceptedKeys } from '@flowledger/model';
import type { Clock, Log } from '@flowledger/platform';
import type { LiveEndpoints } from './live-endpoints.js';

/** The parts of the log that a live tail needs. */
export type TailedLog = Pick<EventLog, 'epoch' | 'partitions' | 'bounds' | 'read' | 'committed'>;

/** What all partitions of one live tail share. */
export interface TailContext {
  readonly log: TailedLog;
  /** The loader's consumer group: its committed offsets say where the tables end. */
  readonly group: string;
  readonly tenant: string;
  /** The loader's retention of `flows`: decides bucket times, and so ids. */
  readonly rawTtlMs: number;
  /** What the tables accepted before the tail begins. */
  readonly keys: AcceptedKeys;
  /** How long a tail goes on without a reader, ms. */
  readonly lingerMs: number;
  /** Bytes of decoded records that each partition keeps for readers who come a moment late. */
  readonly recentBytes: number;
  /** Kept up to date for predicates that match inferred names. */
  readonly endpoints: LiveEndpoints | undefined;
  readonly clock: Clock;
  readonly logger: Log;
  readonly events: TailEvents;
}

/** Told what happens; for metrics. */
export interface TailEvents {
  decoded(flows: number): void;
  missed(count: number, reason: string): void;
  readers(now: number): void;
}
