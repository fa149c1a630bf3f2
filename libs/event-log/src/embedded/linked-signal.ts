/** Runs `work` with one signal that aborts when any of the given ones does, and leaves no listener behind. */
export async function withLinkedSignal<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = new AbortController();
  const abort = (): void => linked.abort();
  for (const signal of signals) {
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
  }
  try {
    return await work(linked.signal);
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', abort);
  }
}
