import { parseRegex } from './regex.js';
import type { Regex } from './regex.js';

/** A compiled name pattern: an exact name, or an expression anchored at both ends. */
export type NameGlob = { readonly exact: string } | { readonly regex: Regex };

/**
 * Hubble's name pattern (fqdn and node filters): spaces trimmed, one trailing dot removed, lower case; `*` stands for
 * `[-.0-9a-z]*`, so it spans labels but not underscores. Undefined when nothing is left or another character occurs.
 */
export function parseNameGlob(value: string): NameGlob | undefined {
  const pattern = value.trim().replace(/\.$/, '').toLowerCase();
  if (!/^[-a-z0-9_.*]+$/.test(pattern)) return undefined;
  if (!pattern.includes('*')) return { exact: pattern };
  const body = pattern.replaceAll('.', '\\.').replace(/\*+/g, '[-.0-9a-z]*');
  const regex = parseRegex(`^${body}$`);
  return 'fault' in regex ? undefined : { regex };
}
