import { describe, expect, it } from 'vitest';
import { Room } from './room.js';

describe('room', () => {
  it('gives places in the order in which they were asked for', async () => {
    const room = new Room(1);
    const { signal } = new AbortController();
    const order: string[] = [];
    const first = await room.take(signal);
    const second = room.take(signal).then((giveBack) => {
      order.push('second');
      return giveBack;
    });
    const third = room.take(signal).then(() => order.push('third'));
    await Promise.resolve();
    expect(order).toEqual([]);
    first();
    (await second)();
    await third;
    expect(order).toEqual(['second', 'third']);
  });

  it('does not multiply a place that is given back twice', async () => {
    const room = new Room(1);
    const { signal } = new AbortController();
    const giveBack = await room.take(signal);
    giveBack();
    giveBack();
    await room.take(signal);
    let taken = false;
    room.take(signal).then(
      () => (taken = true),
      () => undefined,
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
  });

  it('forgets who no longer waits', async () => {
    const room = new Room(1);
    const { signal } = new AbortController();
    const gone = new AbortController();
    const giveBack = await room.take(signal);
    const waiting = room.take(gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    giveBack();
    await expect(room.take(signal)).resolves.toBeTypeOf('function');
  });
});
