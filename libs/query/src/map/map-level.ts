import { sideColumn } from '../history/history-join.js';
import type { HistoryLookup, Party } from '../history/history-join.js';
import { serviceColumns } from '../history/was-service.js';
import { unnamed, workloadColumns } from '../history/was-workload.js';

/** What one node of the service map stands for. */
export type MapLevel = 'CLUSTER' | 'NAMESPACE' | 'WORKLOAD' | 'SERVICE' | 'POD';

/** SQL texts of one party of an edge; `rollup` is null when only raw rows know. */
export interface PartyColumns {
  /** Namespace that qualifies the name; empty where the name needs none. */
  readonly party: { readonly raw: string; readonly rollup: string | null };
  readonly name: { readonly raw: string; readonly rollup: string | null };
  /** Where raw rows must be joined with the endpoint history: 1 for rows whose name came from it. */
  readonly inferred?: string;
  readonly history?: HistoryLookup;
  /** With `history` and a rollup: the rows that the rollup cannot answer, as a condition on both. */
  readonly unnamed?: string;
  /** Takes the place of these columns when edges without a name were found. */
  readonly refined?: PartyColumns;
}

function both(text: string): { raw: string; rollup: string } {
  return { raw: text, rollup: text };
}

function rawOnly(text: string): { raw: string; rollup: null } {
  return { raw: text, rollup: null };
}

function workloads(party: Party): PartyColumns {
  const was = workloadColumns(party);
  const [namespace, name] = [`${party}_namespace`, `${party}_workload`];
  return {
    party: both(namespace),
    name: both(name),
    refined: {
      party: { raw: was.namespace, rollup: namespace },
      name: { raw: was.name, rollup: name },
      inferred: was.inferred,
      history: { party, what: 'workload' },
      unnamed: unnamed(party),
    },
  };
}

/** Columns of the client or the server at a level. What has no namespace (`reserved:world`, …) stays a node of its own. */
export function partyColumns(level: MapLevel, party: Party): PartyColumns {
  const namespace = `${party}_namespace`;
  const workload = `${party}_workload`;
  const endpoint = (what: string): string => sideColumn(party, what);
  switch (level) {
    case 'CLUSTER':
      return { party: both("''"), name: both(`if(${namespace} = '', ${workload}, cluster)`) };
    case 'NAMESPACE':
      return { party: both("''"), name: both(`if(${namespace} = '', ${workload}, ${namespace})`) };
    case 'WORKLOAD':
      return workloads(party);
    case 'SERVICE': {
      const service = serviceColumns(party);
      return {
        party: rawOnly(`if(${service.name} = '', ${namespace}, ${service.namespace})`),
        name: rawOnly(`if(${service.name} = '', ${workload}, ${service.name})`),
        inferred: service.inferred,
        history: { party, what: 'service' },
      };
    }
    case 'POD':
      return {
        party: rawOnly(namespace),
        name: rawOnly(`if(${endpoint('pod')} = '', ${workload}, ${endpoint('pod')})`),
      };
  }
}
