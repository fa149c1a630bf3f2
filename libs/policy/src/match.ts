/** Three values: what cannot be judged is MAYBE, with the reasons, and never a guess. */
export interface Match {
  readonly is: 'YES' | 'NO' | 'MAYBE';
  /** Why it cannot be told; empty unless MAYBE. */
  readonly reasons: readonly string[];
}

export const YES: Match = { is: 'YES', reasons: [] };
export const NO: Match = { is: 'NO', reasons: [] };

/** What cannot be judged, and why. */
export function maybe(...reasons: readonly string[]): Match {
  return { is: 'MAYBE', reasons };
}

/** YES or NO. */
export function certain(yes: boolean): Match {
  return yes ? YES : NO;
}

/** All of them: one NO decides, else one MAYBE leaves it open. */
export function all(matches: Iterable<Match>): Match {
  const reasons: string[] = [];
  for (const match of matches) {
    if (match.is === 'NO') return NO;
    if (match.is === 'MAYBE') reasons.push(...match.reasons);
  }
  return reasons.length === 0 ? YES : maybe(...new Set(reasons));
}

/** Any of them: one YES decides, else one MAYBE leaves it open; none is NO. */
export function any(matches: Iterable<Match>): Match {
  const reasons: string[] = [];
  for (const match of matches) {
    if (match.is === 'YES') return YES;
    if (match.is === 'MAYBE') reasons.push(...match.reasons);
  }
  return reasons.length === 0 ? NO : maybe(...new Set(reasons));
}

/** A match that a doubt about its rule keeps from being certain; NO stays NO. */
export function doubted(match: Match, doubts: readonly string[]): Match {
  if (match.is === 'NO' || doubts.length === 0) return match;
  return maybe(...new Set([...match.reasons, ...doubts]));
}
