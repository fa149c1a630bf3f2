import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { COMPLETE_PARTS, flowColumns, selectList } from './flow-columns.js';
import type { FlowPosition } from './flow-cursor.js';

const PAGE = new SqlTemplate('flow-page');

/**
 * Plans reading known flows again, with every part there is, so that `encodeFlow` can give them back whole. The rows
 * come in order of time; replayed or expired flows are absent.
 */
export function planWholeFlows(positions: readonly FlowPosition[], context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('limit', positions.length);
  const times = binder.bind('Array(Int64)', [...new Set(positions.map(({ bucketNs }) => bucketNs))]);
  const keys = binder.bind('Array(String)', positions.map(keyOf));
  const time = (each: string): string => `fromUnixTimestamp64Nano(${each}, 'UTC')`;
  const sql = PAGE.fill({
    columns: selectList(flowColumns(COMPLETE_PARTS)),
    cluster: 'true',
    range: [
      `toStartOfFiveMinutes(bucket_time) IN arrayMap(ns -> toStartOfFiveMinutes(${time('ns')}), ${times})`,
      `bucket_time IN arrayMap(ns -> ${time('ns')}, ${times})`,
    ].join(' AND '),
    position: `concat(toString(_le), ':', toString(_lp), ':', toString(_lo), ':', toString(_li)) IN ${keys}`,
    filter: 'true',
    order: 'ASC',
  });
  const settings = settingsFor(context, positions.length);
  return { name: 'whole-flows', sql, params: binder.usedBy(sql), settings };
}

function keyOf({ logEpoch, partition, offset, index }: FlowPosition): string {
  return [logEpoch, partition, offset, index].join(':');
}
