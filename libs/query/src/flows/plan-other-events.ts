import { WireFields } from '@flowledger/model';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { rawRange } from '../window.js';
import type { Window } from '../window.js';
import type { FlowPosition } from './flow-cursor.js';
import { comparedPosition } from './flow-position.js';

const EVENTS = new SqlTemplate('other-events');

/** Where `observer.ExportEvent`, which the store keeps, holds each kind (hubble note 2.1). */
const MEMBERS = { node_status: 2, lost_events: 3, agent_event: 4 } as const;

/** Values of `events.kind` that streams carry. */
export type OtherEventKind = 'lost_events' | 'node_status' | 'agent_event';

/** Which events; `after` goes on behind the last one of a page. */
export interface OtherEventsRequest {
  readonly kinds: readonly OtherEventKind[];
  readonly window: Window;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  readonly after?: FlowPosition;
}

/** A row of {@link planOtherEvents}. */
export interface OtherEventRow {
  readonly bucket_ns: string;
  readonly time_shift: string;
  readonly cluster: string;
  readonly node: string;
  readonly kind: OtherEventKind;
  readonly bytes_base64: string;
  readonly _le: string;
  readonly _lp: number;
  readonly _lo: string;
  readonly _li: number;
}

/** An event as it was sent. */
export interface OtherEvent {
  readonly kind: OtherEventKind;
  readonly cluster: string;
  readonly node: string;
  /** Time as sent and time that orders, ns since 1970. */
  readonly timeNs: bigint;
  readonly position: FlowPosition;
  /** `flow.LostEvent`, `relay.NodeStatusEvent` or `flow.AgentEvent`, as `kind` says. */
  readonly bytes: Uint8Array;
}

/** Plans a page of events that are no flows. */
export function planOtherEvents(request: OtherEventsRequest, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('kinds', request.kinds);
  binder.name('limit', request.limit);
  const { after, order } = request;
  const sql = EVENTS.fill({
    range: rawRange(request.window, binder),
    position: after === undefined ? 'true' : comparedPosition(after, order === 'ASC' ? '>' : '<', binder),
    order,
  });
  const settings = settingsFor(context, request.limit);
  return { name: EVENTS.name, sql, params: binder.usedBy(sql), settings };
}

/** Reads the rows of {@link planOtherEvents}. */
export function readOtherEvents(rows: readonly OtherEventRow[]): readonly OtherEvent[] {
  return rows.map((row) => ({
    kind: row.kind,
    cluster: row.cluster,
    node: row.node,
    timeNs: BigInt(row.bucket_ns) + BigInt(row.time_shift),
    position: {
      bucketNs: BigInt(row.bucket_ns),
      logEpoch: BigInt(row._le),
      partition: row._lp,
      offset: BigInt(row._lo),
      index: row._li,
    },
    bytes: new WireFields(Buffer.from(row.bytes_base64, 'base64')).bytes(MEMBERS[row.kind]),
  }));
}
