import type { GroupKey } from './dimensions.js';

/**
 * Select-list fragment that names the keys of rows `key_1`, `key_2`, …, and what says whether a value was inferred
 * `inferred_1`, …; each with a trailing comma.
 */
export function aliasedKeys(keys: readonly GroupKey[], rows: 'raw' | 'rollup'): string {
  return keys
    .map((key, index) => {
      const text = rows === 'raw' ? key.raw : (key.rollup ?? "''");
      const told = rows === 'raw' ? key.inferred : 'toUInt8(0)';
      const inferred = key.inferred === undefined ? '' : ` ${told} AS inferred_${index + 1},`;
      return `${text} AS key_${index + 1},${inferred}`;
    })
    .join(' ');
}

function unnamedFragment(keys: readonly GroupKey[]): string {
  return keys
    .map(({ refined }, index) =>
      refined?.unnamed === undefined ? '' : ` max(key_${index + 1} = '') AS shown_unnamed_${index + 1},`,
    )
    .join('');
}

/** Fragments for the keys that may be inferred, by their positions. */
function inferredFragment(keys: readonly GroupKey[], from: string, to: string): string {
  return keys
    .map((key, index) =>
      key.inferred === undefined ? '' : ` max(${from}_${index + 1}) AS ${to}_${index + 1},`,
    )
    .join('');
}

/** Fragments that the ranking templates share: rank 0 (all other groups) has empty keys. */
export function keyFragments(
  keys: readonly GroupKey[],
): Readonly<
  Record<'keys' | 'group_keys' | 'shown_keys' | 'shown_names' | 'order_keys' | 'partition', string>
> {
  const names = keys.map((_, index) => `key_${index + 1}`);
  const list = names.map((name) => `${name},`).join(' ');
  return {
    keys: list + inferredFragment(keys, 'inferred', 'was'),
    group_keys: list,
    shown_keys:
      names.map((name) => `if(group_rank = 0, '', ${name}) AS shown_${name},`).join(' ') +
      inferredFragment(keys, 'was', 'shown_inferred') +
      unnamedFragment(keys),
    shown_names: names.map((name) => `shown_${name},`).join(' '),
    order_keys: names.map((name) => `, ${name}`).join(''),
    partition: names.length === 0 ? '' : `PARTITION BY ${names.join(', ')}`,
  };
}
