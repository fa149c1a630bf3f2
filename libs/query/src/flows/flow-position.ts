import type { ParamBinder } from '../param-binder.js';
import type { LogCursor } from '../live/live-flows.js';
import type { FlowPosition } from './flow-cursor.js';

const POSITION = '(bucket_time, _le, _lp, _lo, _li)';

/** SQL comparison of a row's time and identity with a position. */
export function comparedPosition(at: FlowPosition, sign: '<' | '>' | '=', binder: ParamBinder): string {
  const parts = [
    `fromUnixTimestamp64Nano(${binder.bind('Int64', at.bucketNs)}, 'UTC')`,
    binder.bind('UInt64', at.logEpoch),
    binder.bind('UInt16', at.partition),
    binder.bind('UInt64', at.offset),
    binder.bind('UInt32', at.index),
  ];
  return `${POSITION} ${sign} (${parts.join(', ')})`;
}

/** SQL condition on rows that do not come from the given log at or behind the cursor. */
export function loadedBefore(cursor: LogCursor, binder: ParamBinder): string {
  const behind = cursor.partitions.map(({ offset, event }, partition) => {
    const place = `(${binder.bind('UInt64', offset)}, ${binder.bind('UInt32', event)})`;
    return `(_lp = ${binder.bind('UInt16', partition)} AND (_lo, _li) >= ${place})`;
  });
  return `NOT (_le = ${binder.bind('UInt64', cursor.epoch)} AND (${behind.join(' OR ') || 'false'}))`;
}
