import { RE2JS, RE2JSException } from 're2js';

/** The engine's error code for a regular expression that RE2 refuses; the API answers it with BAD_FILTER. */
export const CANNOT_COMPILE_REGEXP = 427;

/** A regular expression in RE2 syntax, as Go understands it. Its time is linear in the text (hubble note, trap 32). */
export interface Regex {
  readonly pattern: string;
  /** Matches anywhere in the text; bound, so it can be handed on. */
  readonly test: (text: string) => boolean;
}

/** Why RE2 refuses a pattern, without the pattern. */
export interface RegexFault {
  readonly fault: string;
}

/** Steps of a compiled pattern: time is linear in the text, and this is the factor (3,000 steps: 0.3 s for 1,000 characters). */
const MAX_STEPS = 1000;

/** Compiles a pattern with Go's rules, the ones Hubble's own filters have. */
export function parseRegex(pattern: string): Regex | RegexFault {
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() > MAX_STEPS) return { fault: `more than ${MAX_STEPS} steps; repeat less` };
    return { pattern, test: (text) => compiled.test(text) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { fault: error.message.replace(/^error parsing regexp: /, '') };
  }
}

/** Pattern text with Go's rule for `.` (not a line break), which the engine's `match()` reverses. */
export function goRegex(pattern: string): string {
  return `(?-s)${pattern}`;
}
