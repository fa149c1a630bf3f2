import type { ColumnStore } from '@flowledger/column-store';
import type { AcceptedKeyRow, AcceptedKeys, AcceptedPlace, SecondRange } from '@flowledger/model';
import { planOf } from '../sql.js';

/** Ranges of one statement: parameters travel in the address of the request. */
const RANGES_AT_ONCE = 200;

/** Reads accepted keys from the tables that the loader wrote. A reading user is enough. */
export function storedKeys(store: ColumnStore): AcceptedKeys {
  return {
    before: async ({ epoch, partition }, next, signal) => {
      const params = { epoch, partition, next };
      const reach = await store.query<{ first: string }>(planOf('dedup_reach', params), signal);
      const first = BigInt(reach.rows[0]?.first ?? 0);
      return (await store.query<AcceptedKeyRow>(planOf('dedup_seed', { ...params, first }), signal)).rows;
    },
    within: async ({ epoch, partition }, from, ranges, signal) => {
      const found: AcceptedKeyRow[] = [];
      for (let at = 0; at < ranges.length; at += RANGES_AT_ONCE) {
        const some = ranges.slice(at, at + RANGES_AT_ONCE);
        const params = {
          epoch,
          partition,
          from,
          first: some[0]?.first ?? 0,
          last: some.at(-1)?.last ?? 0,
          firsts: some.map((range) => range.first),
          lasts: some.map((range) => range.last),
        };
        found.push(...(await store.query<AcceptedKeyRow>(planOf('dedup_import', params), signal)).rows);
      }
      return found;
    },
  };
}

/** How many keys were accepted before offset `before` with a bucket time in these seconds. */
export async function countKeys(
  store: ColumnStore,
  { epoch, partition }: AcceptedPlace,
  before: bigint,
  { first, last }: SecondRange,
  signal: AbortSignal,
): Promise<number> {
  const plan = planOf('dedup_count', { epoch, partition, from: before, first, last });
  const { rows } = await store.query<{ keys: string }>(plan, signal);
  return Number(rows[0]?.keys ?? 0);
}
