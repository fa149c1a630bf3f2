import { encodeEvents } from '@flowledger/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBuffer, EventBuffers } from './event-buffers.js';

const bytes = fc.uint8Array({ maxLength: 3000 });

describe('event buffers', () => {
  it('hold events as an envelope does, behind a header of any length', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 20 }), bytes, fc.nat(10_000), (events, header, expected) => {
        const buffer = new EventBuffer(expected);
        for (const event of events) buffer.add(event);
        const packed = encodeEvents(events);
        expect(Buffer.compare(buffer.events, packed)).toBe(0);
        expect(Buffer.compare(buffer.record(header), Buffer.concat([header, packed]))).toBe(0);
      }),
    );
  });

  it('come back empty when they are used again', () => {
    const buffers = new EventBuffers();
    const first = buffers.take(0);
    first.add(Buffer.from('of the envelope before'));
    buffers.give(first);
    const second = buffers.take(0);
    expect(second).toBe(first);
    expect(second.events.length).toBe(0);
  });

  it('keep no more than 16 MiB for later', () => {
    const buffers = new EventBuffers();
    const all = Array.from({ length: 5 }, () => buffers.take(6 << 20));
    for (const buffer of all) buffers.give(buffer);
    const again = all.map(() => buffers.take(6 << 20));
    expect(again.filter((buffer) => all.includes(buffer)).length).toBe(2);
  });
});
