/**
 * A compiled condition: SQL text with placeholders; a refusal with a hint for the client; or `elsewhere`, when the
 * table at hand lacks the columns and a finer one must answer.
 */
export type Condition =
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'refused'; readonly hint: string }
  | { readonly kind: 'elsewhere' };

/** A condition in SQL; parentheses are added where conditions are combined. */
export function sql(text: string): Condition {
  return { kind: 'sql', sql: text };
}

/** A condition that a bad value makes impossible. */
export function refused(hint: string): Condition {
  return { kind: 'refused', hint };
}

/** The table at hand cannot decide this condition. */
export const ELSEWHERE: Condition = { kind: 'elsewhere' };

/** Matches every row. */
export const ALWAYS = sql('true');

function combine(parts: readonly Condition[], word: 'AND' | 'OR', none: Condition): Condition {
  const refusal = parts.find((part) => part.kind === 'refused');
  if (refusal !== undefined) return refusal;
  if (parts.some((part) => part.kind === 'elsewhere')) return ELSEWHERE;
  const texts = parts.flatMap((part) => (part.kind === 'sql' ? [part.sql] : []));
  const [first] = texts;
  if (first === undefined) return none;
  return texts.length === 1 ? sql(first) : sql(texts.map((text) => `(${text})`).join(` ${word} `));
}

/** All must hold; true when there is none. A refusal wins over everything, then `elsewhere`. */
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
