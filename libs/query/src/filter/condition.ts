/** A compiled condition: SQL text with placeholders; or `elsewhere`, when the table at hand lacks the columns. */
export type Condition =
  | { readonly kind: 'sql'; readonly sql: string }
  /** A finer table must answer. */
  | { readonly kind: 'elsewhere' };

/** A condition in SQL; parentheses are added where conditions are combined. */
export function sql(text: string): Condition {
  return { kind: 'sql', sql: text };
}

/** The table at hand cannot decide this condition. */
export const ELSEWHERE: Condition = { kind: 'elsewhere' };

/** Matches every row. */
export const ALWAYS = sql('true');

function combine(parts: readonly Condition[], word: 'AND' | 'OR', none: Condition): Condition {
  if (parts.some((part) => part.kind === 'elsewhere')) return ELSEWHERE;
  const texts = parts.flatMap((part) => (part.kind === 'sql' ? [part.sql] : []));
  const [first] = texts;
  if (first === undefined) return none;
  return texts.length === 1 ? sql(first) : sql(texts.map((text) => `(${text})`).join(` ${word} `));
}

/** All must hold; true when there is none. `elsewhere` wins. */
export function allOf(parts: readonly Condition[]): Condition {
  return combine(
    parts.filter((part) => part.kind !== 'sql' || part.sql !== 'true'),
    'AND',
    ALWAYS,
  );
}

/** One must hold; false when there is none. */
export function anyOf(parts: readonly Condition[]): Condition {
  if (
    parts.every((part) => part.kind === 'sql') &&
    parts.some((part) => part.kind === 'sql' && part.sql === 'true')
  )
    return ALWAYS;
  return combine(parts, 'OR', sql('false'));
}

/** The opposite. */
export function not(part: Condition): Condition {
  return part.kind === 'sql' ? sql(`NOT (${part.sql})`) : part;
}
