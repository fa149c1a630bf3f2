import type { ColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, type EventLog } from '@flowledger/event-log';
import type { LiveOptions } from '@flowledger/graphql';
import { openLiveFlows } from '@flowledger/live';
import type { Config, Log, Metrics } from '@flowledger/platform';
import type { QueryPlan } from '@flowledger/query';
import { storedKeys } from '@flowledger/sink';

/** What the live tail is made from. */
export interface LiveParts {
  readonly eventLog: EventLog;
  /** As the reading user. */
  readonly store: ColumnStore;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The live tail of this process, with the bounds of its subscriptions. */
export function openLive(config: Config, { eventLog, store, log, metrics }: LiveParts): LiveOptions {
  const { recent, buffer, perConnection, subscriptions } = config.live;
  const flows = openLiveFlows({
    log: eventLog,
    group: LOADER_GROUP,
    tenant: config.source.tenant,
    rawTtlDays: config.retention.rawDays,
    keys: storedKeys(store),
    endpoints: async <Row>(plan: QueryPlan, signal: AbortSignal) =>
      (await store.query<Row>(plan, signal)).rows,
    recentBytes: recent,
    logger: log,
    metrics,
  });
  return { flows, perConnection, subscriptions, bufferBytes: buffer };
}
