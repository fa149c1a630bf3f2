import type { Clock } from '@flowledger/platform';
import type { LabelledFlow, LiveStep } from '@flowledger/query';

/** How long a flow may wait for earlier ones: while the log is caught up with, and once it is. */
const CATCH_UP_MS = 1000;
const LIVE_MS = 100;
/** Flows that wait at most, some two kilobytes each; beyond it the earlier half goes out. */
const MOST_FLOWS = 5000;

/** Flows in order of time, or what was missed. */
export type OrderedStep =
  { readonly kind: 'flows'; readonly flows: readonly LabelledFlow[] } | Extract<LiveStep, { kind: 'missed' }>;

/** What a tail is read with. */
export interface TimeOrderOptions {
  readonly clock: Clock;
  /** Ends the iteration. */
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly flow: LabelledFlow;
  readonly timeNs: bigint;
  readonly arrivedMs: number;
}

/**
 * Merges the partitions of a tail by time, as a relay merges nodes: a flow waits a moment for earlier ones of other
 * partitions, never longer, so what comes later than that comes out of order. Each flow comes once. `open` is asked once;
 * its iteration is ended with this one. Asks for no step while nobody takes one, but for the one that it waits for.
 */
export async function* inTimeOrder(
  open: (signal: AbortSignal) => AsyncIterable<LiveStep>,
  { clock, signal }: TimeOrderOptions,
): AsyncGenerator<OrderedStep, void, undefined> {
  const gone = new AbortController();
  const steps = open(AbortSignal.any([signal, gone.signal]))[Symbol.asyncIterator]();
  const waiting = new WaitingFlows(CATCH_UP_MS);
  let next = steps.next();
  try {
    for (;;) {
      const came = await withinMs(next, waiting.dueInMs(clock.monotonic()), clock);
      if (came?.done === true) break;
      if (came !== undefined) {
        next = steps.next();
        // The consumer may not come back for it; where it does, it is told then.
        next.catch(() => undefined);
        const { value: step } = came;
        if (step.kind === 'missed') yield step;
        else if (step.kind === 'flows') waiting.add(step.flows, clock.monotonic());
        else waiting.windowMs = LIVE_MS;
      }
      const flows = waiting.take(clock.monotonic());
      if (flows.length > 0) yield { kind: 'flows', flows };
    }
    const rest = waiting.take(Infinity);
    if (rest.length > 0) yield { kind: 'flows', flows: rest };
  } finally {
    gone.abort();
    await steps.return?.();
  }
}

/** Flows that wait for earlier ones. */
class WaitingFlows {
  #flows: Waiting[] = [];

  constructor(public windowMs: number) {}

  add(flows: readonly LabelledFlow[], arrivedMs: number): void {
    for (const flow of flows) this.#flows.push({ flow, timeNs: flow.flow.position.bucketNs, arrivedMs });
  }

  /** How long until a flow has waited enough; undefined when none waits. */
  dueInMs(nowMs: number): number | undefined {
    if (this.#flows.length === 0) return undefined;
    const first = this.#flows.reduce((least, { arrivedMs }) => Math.min(least, arrivedMs), Infinity);
    return Math.max(0, first + this.windowMs - nowMs);
  }

  /** Those that have waited enough and all earlier than the last of them, ascending. */
  take(nowMs: number): readonly LabelledFlow[] {
    const due = nowMs - this.windowMs;
    const full = this.#flows.length > MOST_FLOWS;
    if (!full && !this.#flows.some(({ arrivedMs }) => arrivedMs <= due)) return [];
    this.#flows.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
    const last = this.#flows.findLastIndex(({ arrivedMs }) => arrivedMs <= due);
    const half = full ? Math.ceil(this.#flows.length / 2) : 0;
    return this.#flows.splice(0, Math.max(last + 1, half)).map(({ flow }) => flow);
  }
}

/** What a promise gives, or undefined when it has not after so long; without a bound it is waited for. */
async function withinMs<T>(
  promise: Promise<T>,
  ms: number | undefined,
  clock: Clock,
): Promise<T | undefined> {
  if (ms === undefined) return promise;
  const patience = new AbortController();
  const over = clock.sleep(ms, patience.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([promise, over]);
  } finally {
    patience.abort();
  }
}
