/** What one node of the service map stands for. */
export type MapLevel = 'CLUSTER' | 'NAMESPACE' | 'WORKLOAD' | 'SERVICE' | 'POD';

/** SQL texts of one party of an edge; `rollup` is null when only raw rows know. */
export interface PartyColumns {
  /** Namespace that qualifies the name; empty where the name needs none. */
  readonly party: { readonly raw: string; readonly rollup: string | null };
  readonly name: { readonly raw: string; readonly rollup: string | null };
}

function both(text: string): { raw: string; rollup: string } {
  return { raw: text, rollup: text };
}

function rawOnly(text: string): { raw: string; rollup: null } {
  return { raw: text, rollup: null };
}

/** Columns of the client or the server at a level. What has no namespace (`reserved:world`, …) stays a node of its own. */
export function partyColumns(level: MapLevel, party: 'client' | 'server'): PartyColumns {
  const namespace = `${party}_namespace`;
  const workload = `${party}_workload`;
  const endpoint = (what: string): string =>
    party === 'client'
      ? `if(client_side = 2, dst_${what}, src_${what})`
      : `if(client_side = 2, src_${what}, dst_${what})`;
  switch (level) {
    case 'CLUSTER':
      return { party: both("''"), name: both(`if(${namespace} = '', ${workload}, cluster)`) };
    case 'NAMESPACE':
      return { party: both("''"), name: both(`if(${namespace} = '', ${workload}, ${namespace})`) };
    case 'WORKLOAD':
      return { party: both(namespace), name: both(workload) };
    case 'SERVICE': {
      const service = endpoint('service_name');
      const of = endpoint('service_namespace');
      return {
        party: rawOnly(`if(${service} = '', ${namespace}, ${of})`),
        name: rawOnly(`if(${service} = '', ${workload}, ${service})`),
      };
    }
    case 'POD':
      return {
        party: rawOnly(namespace),
        name: rawOnly(`if(${endpoint('pod')} = '', ${workload}, ${endpoint('pod')})`),
      };
  }
}
