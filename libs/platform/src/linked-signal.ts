import { setMaxListeners } from 'node:events';

/** A signal that follows others until it is released. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Takes the listeners away from what is followed. Idempotent. */
  release(): void;
}

/**
 * Aborts when any of the given signals does. Unlike `AbortSignal.any` it leaves nothing behind at a signal that outlives
 * it: on Node 20 each of those costs a process that runs for weeks some hundred bytes.
 */
export function linkSignals(signals: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const linked = new AbortController();
  const abort = (): void => linked.abort();
  for (const signal of signals) {
    if (signal === undefined) continue;
    if (signal.aborted) abort();
    // As many may follow one signal as like to: each goes, so none is the leak that Node warns of from the eleventh on.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort, { once: true });
  }
  const release = (): void => {
    for (const signal of signals) signal?.removeEventListener('abort', abort);
  };
  return { signal: linked.signal, release };
}

/** Runs `work` with one signal that aborts when any of the given ones does, and leaves no listener behind. */
export async function withLinkedSignal<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = linkSignals(signals);
  try {
    return await work(linked.signal);
  } finally {
    linked.release();
  }
}
