import type { ParamBinder } from '../param-binder.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, HOUR_NS, SECOND_NS } from '../window.js';
import type { Window } from '../window.js';

const WAS = new SqlTemplate('endpoint-was');
/** Tenants of one address and hour that are told apart; with more, nobody is believed. As in `endpoint-history.sql`. */
export const MOST_TENANTS = 64;

/** Whose address is looked up. */
export type Party = 'client' | 'server';

/** What the endpoint history is asked about a party. */
export interface HistoryLookup {
  readonly party: Party;
  readonly what: 'service' | 'workload';
}

/** SQL texts about a party in raw rows that are joined with {@link historyJoin}. */
export interface WasColumns {
  readonly namespace: string;
  readonly name: string;
  /** 1 where the history told the name, 0 where the flow did, or nobody. */
  readonly inferred: string;
}

/** What is collected of an address and hour, and which rows of `endpoints` say it. */
const FACTS: Readonly<Record<HistoryLookup['what'], { readonly facts: string; readonly told: string }>> = {
  service: { facts: 'groupUniqArray(2)((service_namespace, service_name))', told: "service_name != ''" },
  workload: {
    facts: `groupUniqArray(${MOST_TENANTS})((namespace, pod, workload_kind, workload))`,
    told: "workload != ''",
  },
};

/** Column of the client's or server's side in raw rows. */
export function sideColumn(party: Party, what: string): string {
  return party === 'client'
    ? `if(client_side = 2, dst_${what}, src_${what})`
    : `if(client_side = 2, src_${what}, dst_${what})`;
}

/** The array that {@link historyJoin} adds for a lookup: the facts, none where the history knows nothing. */
export function wasColumn({ party, what }: HistoryLookup): string {
  return `${party}_${what}_was`;
}

/** Each lookup once. */
export function distinctLookups(lookups: readonly HistoryLookup[]): readonly HistoryLookup[] {
  return [...new Map(lookups.map((lookup) => [wasColumn(lookup), lookup])).values()];
}

/** Joins `flows` with what the endpoint history knows; goes behind `FROM flows`. '' without lookups. */
export function historyJoin(lookups: readonly HistoryLookup[], window: Window, binder: ParamBinder): string {
  const joins = distinctLookups(lookups).map((lookup) => {
    const first = binder.bind('Int64', floorTo(window.fromNs, HOUR_NS) / SECOND_NS);
    const end = binder.bind('Int64', ceilTo(window.toNs, HOUR_NS) / SECOND_NS);
    const hours = `hour >= toDateTime(${first}, 'UTC') AND hour < toDateTime(${end}, 'UTC')`;
    const address = sideColumn(lookup.party, 'ip');
    return WAS.fill({ as: wasColumn(lookup), hours, address, ...FACTS[lookup.what] });
  });
  return joins.join('\n');
}
