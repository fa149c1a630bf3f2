import type { ParamBinder } from '../param-binder.js';
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
