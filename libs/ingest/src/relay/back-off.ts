/** Bounds of waiting before something is tried again, ms. */
export interface BackOff {
  /** Most that the first wait takes. */
  readonly baseMs: number;
  /** Most that any wait takes. */
  readonly capMs: number;
  /** Least that any wait takes. Default 0. */
  readonly floorMs?: number;
}

/**
 * The wait before attempt number `attempt` (0 = the first retry): anywhere between the floor and a ceiling that doubles,
 * so that many clients of one restarted server do not come back at once. `random` is between 0 and 1. Pure.
 */
export function fullJitter(attempt: number, { baseMs, capMs, floorMs = 0 }: BackOff, random: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.min(capMs, Math.max(floorMs, random * ceiling));
}
