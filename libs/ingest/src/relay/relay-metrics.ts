import type { ResponseKind } from '@flowledger/model';
import type { Metrics } from '@flowledger/platform';

/** Figures of all relay sources of a process. */
export interface RelayMetrics {
  readonly received: { inc(labels: { kind: string }, value: number): void };
  readonly reconnects: { inc(labels: { cause: string }): void };
  readonly interruptions: { inc(): void };
  readonly lost: { inc(value: number): void };
  readonly unexplained: { inc(value: number): void };
  readonly pending: { inc(value: number): void };
}

/** Registers the metrics; once a process. */
export function openRelayMetrics(metrics: Metrics): RelayMetrics {
  return {
    received: metrics.counter('flowledger_ingest_relay_messages_total', 'Messages received from Hubble', [
      'kind',
    ]),
    reconnects: metrics.counter(
      'flowledger_ingest_reconnects_total',
      'Flow streams opened again, by what ended them',
      ['cause'],
    ),
    interruptions: metrics.counter(
      'flowledger_ingest_interruptions_total',
      'Interruptions of a node in which its ring was overwritten',
    ),
    lost: metrics.counter('flowledger_ingest_lost_events_total', 'Events that Hubble said it lost'),
    unexplained: metrics.gauge(
      'flowledger_ingest_unexplained_events',
      'Flows that nodes saw, less those received and those reported as lost',
    ),
    pending: metrics.gauge(
      'flowledger_ingest_pending_bytes',
      'Bytes received and not yet durable in the log',
    ),
  };
}

/** The largest count that a metric holds exactly. */
const MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** Counts of one source between two flushes: a labelled counter is too dear to be touched once a flow. */
export class RelayCounters {
  readonly #received: Record<ResponseKind, number> = { flow: 0, node_status: 0, lost_events: 0, other: 0 };
  #pending = 0;
  #unexplained = 0n;

  constructor(private readonly metrics: RelayMetrics) {}

  received(kind: ResponseKind): void {
    this.#received[kind]++;
  }

  lost(count: bigint): void {
    this.metrics.lost.inc(Number(count > MOST ? MOST : count));
  }

  reconnected(cause: string): void {
    this.metrics.reconnects.inc({ cause });
  }

  interrupted(): void {
    this.metrics.interruptions.inc();
  }

  /** Gauges are sums over the sources, so each adds what changed. */
  unexplained(now: bigint): void {
    this.metrics.unexplained.inc(Number(now - this.#unexplained));
    this.#unexplained = now;
  }

  flush(pendingBytes: number): void {
    for (const [kind, count] of Object.entries(this.#received)) {
      if (count > 0) this.metrics.received.inc({ kind }, count);
    }
    this.#received.flow = this.#received.node_status = 0;
    this.#received.lost_events = this.#received.other = 0;
    this.metrics.pending.inc(pendingBytes - this.#pending);
    this.#pending = pendingBytes;
  }
}
