import { describe, expect, it } from 'vitest';
import { isAppError } from './errors.js';
import { Turnstile } from './turnstile.js';

const never = new AbortController().signal;

function held(): { work: () => Promise<string>; release: () => void } {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => (release = resolve));
  return { work: () => until.then(() => 'done'), release: () => release() };
}

describe('Turnstile', () => {
  it('runs no more than its limit at once, the rest in the order they came', async () => {
    const gate = new Turnstile(1, 10);
    const first = held();
    const order: string[] = [];
    const a = gate.run(first.work, never).then(() => order.push('a'));
    const b = gate.run(async () => order.push('b'), never);
    const c = gate.run(async () => order.push('c'), never);
    expect([gate.running, gate.waiting]).toEqual([1, 2]);
    first.release();
    await Promise.all([a, b, c]);
    expect(order).toEqual(['a', 'b', 'c']);
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });

  it('refuses with OVERLOADED, which a retry helps, when the line is full', async () => {
    const gate = new Turnstile(1, 0);
    const first = held();
    const running = gate.run(first.work, never);
    const refused = await gate.run(async () => 'late', never).catch((error: unknown) => error);
    expect(isAppError(refused, 'OVERLOADED') && refused.retry).toBe(true);
    first.release();
    await running;
  });

  it('gives up its place in the line when the request is aborted', async () => {
    const gate = new Turnstile(1, 10);
    const first = held();
    const running = gate.run(first.work, never);
    const controller = new AbortController();
    const waiting = gate.run(async () => 'never', controller.signal);
    controller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    first.release();
    await running;
    await expect(gate.run(async () => 'next', never)).resolves.toBe('next');
    expect(gate.running).toBe(0);
  });

  it('frees the place of a query that failed', async () => {
    const gate = new Turnstile(1, 0);
    await expect(gate.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
    await expect(gate.run(async () => 'next', never)).resolves.toBe('next');
  });
});
