import { expect, it } from 'vitest';
import { Room } from './room.js';
import { WritePlace } from './write-place.js';

const { signal } = new AbortController();

function placeIn(room: Room, ended: string[] = [], name = ''): WritePlace {
  return new WritePlace(room, { endTurn: () => ended.push(name) }, signal);
}

it('lets the next batch be made when this one has its place, and not before', async () => {
  const room = new Room(1);
  const ended: string[] = [];
  const [first, second] = [placeIn(room, ended, 'first'), placeIn(room, ended, 'second')];
  await first.enter();
  const entering = second.enter();
  expect(second.free).toBe(false);
  expect(ended).toEqual(['first']);
  first.leave();
  await entering;
  expect(ended).toEqual(['first', 'second']);
});

it('is taken once and left once, however often that is said', async () => {
  const room = new Room(1);
  const place = placeIn(room);
  await place.enter();
  await place.enter();
  place.leave();
  place.leave();
  expect(room.free).toBe(1);
});

it('waits no longer when the lease ends', async () => {
  const room = new Room(1);
  await room.take(signal);
  const lease = new AbortController();
  const ended: string[] = [];
  const place = new WritePlace(room, { endTurn: () => ended.push('turn') }, lease.signal);
  const entering = place.enter();
  lease.abort(new Error('lost'));
  await entering;
  expect(ended).toEqual(['turn']);
});
