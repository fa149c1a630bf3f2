import { describe, expect, it } from 'vitest';
import { Simulation } from '@flowledger/simulator';
import { ResponseHead } from './response-head.js';
import { shallowHubbleProto } from './shallow.js';
import { WireWriter } from './wire/wire-writer.js';

const FROM = 1_790_000_000_000_000_000n;

describe('ResponseHead', () => {
  it('finds kind, node and time of whatever a cluster sends, as the plain look does', () => {
    const faults = { lostEvents: 0.5, nodeOutages: 60 };
    const simulation = new Simulation({
      seed: 3,
      from: FROM,
      to: FROM + 60_000_000_000n,
      callsPerSecond: 5,
      faults,
      scenario: 'test',
    });
    const head = new ResponseHead();
    const kinds = new Set<string>();
    for (const event of simulation.events()) {
      head.read(event.bytes);
      kinds.add(head.kind);
      expect(head.kind).toBe(event.kind === 'agent_event' ? 'other' : event.kind);
      expect({ node: head.node, timeNs: head.timeNs }).toEqual(shallowHubbleProto(event.bytes));
      expect({ node: head.node, timeNs: head.timeNs }).toEqual({ node: event.node, timeNs: event.timeNs });
    }
    expect([...kinds].sort()).toEqual(['flow', 'lost_events', 'node_status', 'other']);
  });

  it('takes node and time from the flow when the response has none', () => {
    const w = new WireWriter();
    const flow = w.open(1);
    const time = w.open(1);
    w.uint32Field(1, 1_790_000_000);
    w.uint32Field(2, 7);
    w.close(time);
    w.stringField(11, 'demo/n1');
    w.close(flow);
    const head = new ResponseHead();
    head.read(w.finish());
    expect({ node: head.node, timeNs: head.timeNs }).toEqual({ node: 'demo/n1', timeNs: FROM + 7n });
  });

  it('never throws on garbage and says that it found nothing', () => {
    const head = new ResponseHead();
    for (const bytes of [[], [255], [10, 200], [0, 0, 0], [10, 0, 194, 62, 250, 1]]) {
      head.read(Uint8Array.from(bytes));
      expect(head.node).toBe('');
      expect(head.timeNs).toBeUndefined();
    }
  });
});
