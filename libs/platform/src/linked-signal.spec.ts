import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { linkSignals, withLinkedSignal } from './linked-signal.js';

describe('a signal linked to others', () => {
  it('aborts with the first of them, also when that was before', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const linked = linkSignals([one.signal, undefined, other.signal]);
    expect(linked.signal.aborted).toBe(false);
    other.abort();
    expect(linked.signal.aborted).toBe(true);
    const late = await withLinkedSignal([one.signal, other.signal], (signal) =>
      Promise.resolve(signal.aborted),
    );
    expect(late).toBe(true);
  });

  it('leaves nothing at a signal that lives on, however its work ends', async () => {
    const long = new AbortController();
    await withLinkedSignal([long.signal], () => Promise.resolve());
    await expect(
      withLinkedSignal([long.signal], () => Promise.reject(new Error('ended badly'))),
    ).rejects.toThrow('ended badly');
    const linked = linkSignals([long.signal, new AbortController().signal]);
    expect(getEventListeners(long.signal, 'abort')).toHaveLength(1);
    linked.release();
    linked.release();
    expect(getEventListeners(long.signal, 'abort')).toHaveLength(0);
  });

  it('may be one of very many that follow the same signal, without a warning of a leak', async () => {
    const warned: unknown[] = [];
    const warn = (warning: unknown): number => warned.push(warning);
    process.on('warning', warn);
    const long = new AbortController();
    const many = Array.from({ length: 50 }, () => linkSignals([long.signal]));
    long.abort();
    expect(many.every(({ signal }) => signal.aborted)).toBe(true);
    // Warnings are told in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(warned).toEqual([]);
  });
});
