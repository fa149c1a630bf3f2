/** A plain parsed value, as a YAML or JSON reader returns it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A plain parsed mapping. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a mapping: not null, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The mapping at a key; empty when there is none. */
export function objectAt(value: Json | undefined, key: string): JsonObject {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}

/** The list at a key; undefined when there is none (which often means something else than an empty one). */
export function listAt(value: JsonObject, key: string): readonly Json[] | undefined {
  const found = value[key];
  return Array.isArray(found) ? (found as readonly Json[]) : undefined;
}

/** The text at a key; numbers and booleans as YAML readers make them of unquoted text; '' when there is none. */
export function textAt(value: JsonObject, key: string): string {
  const found = value[key];
  if (typeof found === 'string') return found;
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : '';
}
