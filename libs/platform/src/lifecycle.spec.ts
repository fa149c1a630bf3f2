import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.js';
import { silentLog } from './log.js';

describe('lifecycle', () => {
  it('stops parts in reverse order, one after the other', async () => {
    const order: string[] = [];
    const life = new Lifecycle(silentLog);
    life.own('log', async () => void order.push('log'));
    life.own('source', async () => {
      await Promise.resolve();
      order.push('source');
    });
    expect(await life.stop(1000)).toBe(true);
    expect(order).toEqual(['source', 'log']);
  });

  it('goes on after a part that fails or hangs, and says that it was not clean', async () => {
    const order: string[] = [];
    const life = new Lifecycle(silentLog);
    life.own('last', async () => void order.push('last'));
    life.own('hangs', () => new Promise(() => {}));
    life.own('fails', () => Promise.reject(new Error('no')));
    expect(await life.stop(150)).toBe(false);
    expect(order).toEqual(['last']);
  });

  it('stops once however often it is asked', async () => {
    let stops = 0;
    const life = new Lifecycle(silentLog);
    life.own('part', async () => void stops++);
    await Promise.all([life.stop(1000), life.stop(1000)]);
    expect(stops).toBe(1);
  });
});
