import { MOST_TENANTS, sideColumn, wasColumn } from './history-join.js';
import type { Party, WasColumns } from './history-join.js';

/**
 * The workload of a party: the canonical one, else the only one that its address had in the hour of the flow, else ''. As
 * `wasEndpoint` does for single flows: a side that names its pod or namespace believes only what was said of that.
 */
export function workloadColumns(party: Party): WasColumns {
  const facts = wasColumn({ party, what: 'workload' });
  const [pod, namespace] = [sideColumn(party, 'pod'), sideColumn(party, 'namespace')];
  const mine = `arrayFilter(was -> (${pod} = '' OR was.2 = ${pod}) AND (${namespace} = '' OR was.1 = ${namespace}), ${facts})`;
  const owners = `arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), ${mine}))`;
  const known = `${party}_workload = '' AND length(${facts}) < ${MOST_TENANTS} AND length(${owners}) = 1`;
  return {
    namespace: `if(${known}, ${owners}[1].1, ${party}_namespace)`,
    name: `if(${known}, ${owners}[1].3, ${party}_workload)`,
    inferred: `toUInt8(${known})`,
  };
}

/** Condition on raw rows and rollups: nothing in the flow names the party's workload. */
export function unnamed(party: Party): string {
  return `${party}_workload = ''`;
}
