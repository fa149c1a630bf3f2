import type { GroupKey } from '../group/dimensions.js';
import type { ParamBinder } from '../param-binder.js';

/** Groups by `toUInt32(cityHash64(…))` of the texts of their first keys. */
export interface WantedGroups {
  readonly keys: number;
  readonly hashes: readonly number[];
}

/** The condition that keeps rows of wanted groups, on the texts of one kind of table. */
function wantedSql(texts: readonly (string | null)[], hashes: string): string | null {
  return texts.includes(null) ? null : `toUInt32(cityHash64(${texts.join(', ')})) IN ${hashes}`;
}

/** Filters of a question on single flows, and on a rollup or null. */
interface Conditions {
  readonly raw: string;
  readonly rollup: string | null;
}

/** The filters of the question, narrowed to the wanted groups. */
export function wantedOnly(
  { raw, rollup }: Conditions,
  among: WantedGroups | undefined,
  keys: readonly GroupKey[],
  binder: ParamBinder,
): Conditions {
  if (among === undefined) return { raw, rollup };
  const first = keys.slice(0, among.keys);
  const hashes = binder.bind('Array(UInt32)', among.hashes);
  const wanted = {
    raw: wantedSql(
      first.map((key) => key.raw),
      hashes,
    ),
    rollup: wantedSql(
      first.map((key) => key.rollup),
      hashes,
    ),
  };
  return {
    raw: `(${raw}) AND ${wanted.raw}`,
    rollup: rollup === null || wanted.rollup === null ? rollup : `(${rollup}) AND ${wanted.rollup}`,
  };
}
