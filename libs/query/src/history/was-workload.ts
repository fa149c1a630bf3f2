import { MOST_TENANTS, sideColumn, wasColumn } from './history-join.js';
import type { Party, WasColumns } from './history-join.js';

/** SQL texts about a party's workload in raw rows that are joined with `historyJoin`. */
export interface WasWorkload extends WasColumns {
  /** `namespace/name`, or the name alone where it has no namespace; '' when nobody knows. */
  readonly qualified: string;
}

/** `namespace/name` of two columns, the name alone where it has no namespace. */
export function qualifiedName(namespace: string, name: string): string {
  return `multiIf(${name} = '', '', ${namespace} = '', ${name}, concat(${namespace}, '/', ${name}))`;
}

/**
 * The workload of a party: the canonical one, else the only one that its address had in the hour of the flow, else ''. As
 * `wasEndpoint` does for single flows: a side that names its pod or namespace believes only what was said of that.
 */
export function workloadColumns(party: Party): WasWorkload {
  const facts = wasColumn({ party, what: 'workload' });
  const [pod, namespace] = [sideColumn(party, 'pod'), sideColumn(party, 'namespace')];
  const mine = `arrayFilter(was -> (${pod} = '' OR was.2 = ${pod}) AND (${namespace} = '' OR was.1 = ${namespace}), ${facts})`;
  // Each text defines the alias where it first needs it; the same alias of the same expression may be defined again.
  const owners = `arrayDistinct(arrayMap(was -> (was.1, was.3, was.4), ${mine})) AS ${party}_owners`;
  const known = `${unnamed(party)} AND length(${facts}) < ${MOST_TENANTS} AND length((${owners})) = 1`;
  const [ownNamespace, ownName] = [`${party}_owners[1].1`, `${party}_owners[1].3`];
  return {
    namespace: `if(${known}, ${ownNamespace}, ${party}_namespace)`,
    name: `if(${known}, ${ownName}, ${party}_workload)`,
    qualified: `if(${known}, ${qualifiedName(ownNamespace, ownName)}, ${qualifiedName(`${party}_namespace`, `${party}_workload`)})`,
    inferred: `toUInt8(${known})`,
  };
}

/** Condition on raw rows and rollups: nothing in the flow names the party's workload. */
export function unnamed(party: Party): string {
  return `${party}_workload = ''`;
}
