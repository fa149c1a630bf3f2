/** The engine's error code for a regular expression that RE2 refuses; the API answers it with BAD_FILTER. */
export const CANNOT_COMPILE_REGEXP = 427;

const MAX_REPEAT = 1000;

interface Scan {
  readonly pattern: string;
  depth: number;
  /** Something stands before that a repetition can apply to. */
  repeatable: boolean;
}

function endOfClass(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === '^') at++;
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\') at++;
    else if (pattern.startsWith('[:', at)) at = Math.max(at, pattern.indexOf(':]', at) + 1);
    at++;
  }
  return at;
}

function openGroup(scan: Scan, at: number): number | string {
  scan.depth++;
  scan.repeatable = false;
  if (scan.pattern[at + 1] !== '?') return at + 1;
  const head = /^\(\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?[:)])/.exec(scan.pattern.slice(at));
  if (head === null) return 'look-around and unknown groups are not part of RE2';
  if (head[0].endsWith(')')) scan.depth--;
  return at + head[0].length;
}

function repetition(scan: Scan, at: number): number | string {
  const found = /^(?:[*+?]|\{(\d+)(?:,(\d*))?\})\??/.exec(scan.pattern.slice(at));
  if (found === null) {
    scan.repeatable = true;
    return at + 1;
  }
  if (!scan.repeatable) return 'a repetition has nothing to repeat';
  const [low, high] = [Number(found[1] ?? 0), Number(found[2] ?? 0)];
  if (low > MAX_REPEAT || high > MAX_REPEAT) return `more than ${MAX_REPEAT} repetitions`;
  scan.repeatable = false;
  return at + found[0].length;
}

function escape(scan: Scan, at: number): number | string {
  const next = scan.pattern[at + 1];
  if (next === undefined) return 'a backslash at the end';
  if (/[1-9]/.test(next)) return 'back-references are not part of RE2';
  scan.repeatable = true;
  return at + 2;
}

function step(scan: Scan, at: number): number | string {
  switch (scan.pattern[at]) {
    case '\\':
      return escape(scan, at);
    case '[': {
      const end = endOfClass(scan.pattern, at);
      scan.repeatable = true;
      return end < scan.pattern.length ? end + 1 : 'a character class is not closed';
    }
    case '(':
      return openGroup(scan, at);
    case ')':
      scan.repeatable = true;
      return --scan.depth < 0 ? 'a parenthesis is closed but not opened' : at + 1;
    case '|':
      scan.repeatable = false;
      return at + 1;
    case '*':
    case '+':
    case '?':
    case '{':
      return repetition(scan, at);
    default:
      scan.repeatable = true;
      return at + 1;
  }
}

/**
 * Why RE2 would refuse a pattern; undefined when nothing was found. The common faults are named before the store is
 * asked; what this scan does not know, the engine refuses itself ({@link CANNOT_COMPILE_REGEXP}). The pattern is never
 * run here, so it cannot hang this process (hubble note, trap 32).
 */
export function regexFault(pattern: string): string | undefined {
  const scan: Scan = { pattern, depth: 0, repeatable: false };
  let at = 0;
  while (at < pattern.length) {
    const next = step(scan, at);
    if (typeof next === 'string') return next;
    at = next;
  }
  return scan.depth > 0 ? 'a parenthesis is not closed' : undefined;
}

/** Pattern text with Go's rule for `.` (not a line break), which `match()` reverses. */
export function goRegex(pattern: string): string {
  return `(?-s)${pattern}`;
}
