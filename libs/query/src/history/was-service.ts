import type { ParamBinder } from '../param-binder.js';
import { SqlTemplate } from '../sql-template.js';
import { ceilTo, floorTo, HOUR_NS, SECOND_NS } from '../window.js';
import type { Window } from '../window.js';

const WAS = new SqlTemplate('endpoint-was');

/** Whose service. */
export type Party = 'client' | 'server';

/** SQL texts about a party's service in raw rows that are joined with {@link historyJoin}. */
export interface ServiceColumns {
  readonly namespace: string;
  readonly name: string;
  /** 1 where the history told the name, 0 where the flow did. */
  readonly inferred: string;
}

/** Column of the client's or server's side in raw rows. */
export function sideColumn(party: Party, what: string): string {
  return party === 'client'
    ? `if(client_side = 2, dst_${what}, src_${what})`
    : `if(client_side = 2, src_${what}, dst_${what})`;
}

/** The service of a party: as sent, else the only one that its address had in the hour of the flow, else ''. */
export function serviceColumns(party: Party): ServiceColumns {
  const sent = sideColumn(party, 'service_name');
  const was = (part: 1 | 2): string => `if(length(${party}_was) = 1, ${party}_was[1].${part}, '')`;
  return {
    namespace: `if(${sent} = '', ${was(1)}, ${sideColumn(party, 'service_namespace')})`,
    name: `if(${sent} = '', ${was(2)}, ${sent})`,
    inferred: `toUInt8(${sent} = '' AND length(${party}_was) = 1)`,
  };
}

/** Joins `flows` with what the endpoint history knows about the parties; goes behind `FROM flows`. '' without parties. */
export function historyJoin(parties: readonly Party[], window: Window, binder: ParamBinder): string {
  const joins = [...new Set(parties)].map((party) => {
    const first = binder.bind('Int64', floorTo(window.fromNs, HOUR_NS) / SECOND_NS);
    const end = binder.bind('Int64', ceilTo(window.toNs, HOUR_NS) / SECOND_NS);
    const hours = `hour >= toDateTime(${first}, 'UTC') AND hour < toDateTime(${end}, 'UTC')`;
    return WAS.fill({ party, hours, address: sideColumn(party, 'ip') });
  });
  return joins.join('\n');
}
