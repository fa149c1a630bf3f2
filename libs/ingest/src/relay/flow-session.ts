import { status } from '@grpc/grpc-js';
import { describeError, isAppError, linkSignals, type Clock } from '@flowledger/platform';
import { codeOf, type HubbleClient, type RawStream } from './hubble-client.js';
import type { NodeCount } from './hubble-messages.js';

/** Why a session ended. */
export type SessionEnd =
  | { readonly kind: 'stopped' | 'reopen' | 'silent' | 'ended'; readonly received: number }
  | { readonly kind: 'failed'; readonly received: number; readonly code: number; readonly details: string };

export interface SessionOptions {
  readonly client: HubbleClient;
  readonly sinceNs: bigint;
  readonly clock: Clock;
  /** The stream is opened anew after this long: relay keeps nodes that it lost out of an old one. */
  readonly reopenMs: number;
  /** How often the server's counts are looked at, ms. */
  readonly lookMs: number;
  /** Judges the counts; true ends the session as silent. */
  readonly look: (counts: readonly NodeCount[]) => boolean;
  /** Takes one message. */
  readonly onMessage: (bytes: Buffer) => void;
  /** True when no more may be taken before `room` resolves. */
  readonly full: () => boolean;
  readonly room: () => Promise<void>;
}

/**
 * One GetFlows stream from its opening to its end, whoever ends it. While the queue is full the call is paused: then the
 * HTTP/2 window fills, relay and agents wait, and what their rings overwrite meanwhile they report themselves.
 */
export async function runFlowSession(options: SessionOptions, signal: AbortSignal): Promise<SessionEnd> {
  const stream = options.client.getFlows({ sinceNs: options.sinceNs, follow: true });
  const over = new AbortController();
  let received = 0;
  let paused = false;
  stream.on('data', (bytes: Buffer) => {
    if (over.signal.aborted) return;
    received++;
    options.onMessage(bytes);
    if (paused || !options.full()) return;
    paused = true;
    stream.pause();
    void options.room().then(() => {
      paused = false;
      stream.resume();
    });
  });
  const waits = linkSignals([signal, over.signal]);
  try {
    const end = await Promise.race([
      endOf(stream),
      aborted(signal, over.signal),
      options.clock.sleep(options.reopenMs, waits.signal).then(
        () => ({ kind: 'reopen' }) as const,
        () => ({ kind: 'stopped' }) as const,
      ),
      watchCounts(options, () => paused, waits.signal),
    ]);
    return { ...end, received };
  } finally {
    over.abort();
    waits.release();
    stream.cancel();
  }
}

type End =
  | { readonly kind: 'stopped' | 'reopen' | 'silent' | 'ended' }
  | { readonly kind: 'failed'; readonly code: number; readonly details: string };

function endOf(stream: RawStream): Promise<End> {
  return new Promise((resolve) => {
    stream.on('error', (error: unknown) => {
      resolve({ kind: 'failed', code: codeOf(error) ?? status.UNKNOWN, details: describeError(error) });
    });
    stream.on('end', () => {
      // A failure is told by `error`, in the same turn; without one the server ended the stream in order.
      setImmediate(() => resolve({ kind: 'ended' }));
    });
  });
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<End> {
  return new Promise((resolve) => {
    const stopped = (): void => resolve({ kind: 'stopped' });
    if (signal.aborted) stopped();
    else signal.addEventListener('abort', stopped, { once: true, signal: over });
  });
}

/** Asks for the counts again and again; a server that does not answer is as good as gone. */
async function watchCounts(
  { client, clock, lookMs, look }: SessionOptions,
  isPaused: () => boolean,
  signal: AbortSignal,
): Promise<End> {
  let unanswered = 0;
  while (!signal.aborted) {
    try {
      const counts = await client.counts(Math.max(lookMs, 1000));
      unanswered = 0;
      // While we do not read, that nothing arrives says nothing about the server.
      if (!signal.aborted && !isPaused() && look(counts)) return { kind: 'silent' };
    } catch (error) {
      if (isAppError(error)) throw error;
      if (codeOf(error) !== status.UNIMPLEMENTED && ++unanswered >= 2) return { kind: 'silent' };
    }
    await clock.sleep(lookMs, signal).catch(() => undefined);
  }
  return { kind: 'stopped' };
}
