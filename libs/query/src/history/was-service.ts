import { sideColumn, wasColumn } from './history-join.js';
import type { Party, WasColumns } from './history-join.js';

/** The service of a party: as sent, else the only one that its address had in the hour of the flow, else ''. */
export function serviceColumns(party: Party): WasColumns {
  const sent = sideColumn(party, 'service_name');
  const facts = wasColumn({ party, what: 'service' });
  const was = (part: 1 | 2): string => `if(length(${facts}) = 1, ${facts}[1].${part}, '')`;
  return {
    namespace: `if(${sent} = '', ${was(1)}, ${sideColumn(party, 'service_namespace')})`,
    name: `if(${sent} = '', ${was(2)}, ${sent})`,
    inferred: `toUInt8(${sent} = '' AND length(${facts}) = 1)`,
  };
}
