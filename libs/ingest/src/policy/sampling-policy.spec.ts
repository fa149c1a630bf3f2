import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowLook, ResponseHead, WireFields } from '@flowledger/model';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import { FlowSampler } from './flow-sampler.js';
import { parsePolicy } from './parse-policy.js';
import { decide, type SamplingPolicy } from './sampling-policy.js';

const FROM = 1_790_000_000_000_000_000n;
const simulation = new Simulation({
  seed: 2,
  from: FROM,
  to: FROM + 120_000_000_000n,
  callsPerSecond: 20,
  scenario: 'test',
});
const flows = [...simulation.events()].filter((event) => event.kind === 'flow');

function policyOf(text: string): SamplingPolicy {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.policy;
}

const TENTH = policyOf('version: 1\nsample: [{ keep: 1/10 }]');

/** Decisions about all simulated flows. */
function decisions(
  policy: SamplingPolicy,
): readonly (readonly [flow: WireFields, decision: number | string])[] {
  const [head, look] = [new ResponseHead(), new FlowLook()];
  return flows.map(({ bytes }) => {
    head.read(bytes);
    look.read(bytes, head.start, head.end);
    return [new WireFields(bytes, head.start, head.end), decide(policy, look)] as const;
  });
}

const isProtected = (flow: WireFields): boolean =>
  [2, 3, 4].includes(flow.int32(2)) ||
  [1, 5, 129].includes(flow.message(19)?.int32(1) ?? -1) ||
  flow.has(15) ||
  flow.message(6)?.message(1)?.message(3)?.uint64(2) === 1n;

describe('FlowLook', () => {
  it('sees of every flow what decoding sees', () => {
    const [head, look] = [new ResponseHead(), new FlowLook()];
    for (const { bytes } of flows) {
      head.read(bytes);
      look.read(bytes, head.start, head.end);
      const flow = new WireFields(bytes, head.start, head.end);
      expect({
        verdict: look.verdict,
        type: look.eventType,
        l7: look.l7,
        syn: look.syn,
        from: look.sourceNamespace,
        to: look.destinationNamespace,
      }).toEqual({
        verdict: flow.int32(2),
        type: flow.message(19)?.int32(1) ?? -1,
        l7: flow.has(15),
        syn: flow.message(6)?.message(1)?.message(3)?.uint64(2) === 1n,
        from: flow.message(8)?.text(3) ?? '',
        to: flow.message(9)?.text(3) ?? '',
      });
    }
  });

  it('survives whatever bytes there are', () => {
    const look = new FlowLook();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => look.read(bytes, 0, bytes.length)));
  });
});

describe('a sampling policy', () => {
  it('never leaves out drops, policy verdicts, SYN and L7 unless it says so', () => {
    let kept = 0;
    for (const [flow, decision] of decisions(TENTH)) {
      if (isProtected(flow)) expect(decision).toBe(1);
      else expect([10, 'sampled']).toContain(decision);
      if (isProtected(flow)) kept++;
    }
    expect(kept).toBeGreaterThan(100);
    const all = decisions(policyOf('version: 1\nprotect: []\nsample: [{ keep: 1/10 }]'));
    expect(all.some(([flow, decision]) => isProtected(flow) && decision === 'sampled')).toBe(true);
  });

  it('keeps about as many as it says', () => {
    const open = decisions(TENTH).filter(([flow]) => !isProtected(flow));
    const kept = open.filter(([, decision]) => decision === 10).length;
    const deviation = Math.sqrt(open.length * 0.1 * 0.9);
    expect(open.length).toBeGreaterThan(2000);
    expect(Math.abs(kept - open.length / 10)).toBeLessThan(4 * deviation);
  });

  it('decides the same about the JSON and the protobuf form of a flow', () => {
    const sampler = new FlowSampler({ policy: TENTH, leftOut: { inc: () => undefined } });
    const head = new ResponseHead();
    for (const event of flows.slice(0, 1000)) {
      head.read(event.bytes);
      expect(sampler.line(Buffer.from(toJsonLine(event)))).toBe(
        sampler.flow(event.bytes, head.start, head.end),
      );
    }
  });

  it('takes in only the namespaces it lists, on either side, drops included', () => {
    for (const [flow, decision] of decisions(policyOf('version: 1\nnamespaces: [shop]'))) {
      const inside = [flow.message(8), flow.message(9)].some((side) => side?.text(3) === 'shop');
      expect(decision).toBe(inside ? 1 : 'namespace');
    }
  });

  it('lets the first rule that fits decide', () => {
    const policy = policyOf(`version: 1
sample:
  - { keep: 1/1, namespace: [shop] }
  - { keep: 1/4, verdict: [FORWARDED], kind: [trace] }`);
    const seen = new Set<number | string>();
    for (const [flow, decision] of decisions(policy)) {
      if (isProtected(flow)) continue;
      seen.add(decision);
      const shop = [flow.message(8), flow.message(9)].some((side) => side?.text(3) === 'shop');
      if (shop || flow.message(19)?.int32(1) !== 4) expect(decision).toBe(1);
      else expect([4, 'sampled']).toContain(decision);
    }
    expect(seen).toEqual(new Set([1, 4, 'sampled']));
  });

  it('keeps lines that cannot be read, for the dead letters', () => {
    const sampler = new FlowSampler({ policy: TENTH, leftOut: { inc: () => undefined } });
    for (const line of ['', '{', '{"flow":', '[]', '{"lost_events":{"num_events_lost":"3"}}'])
      expect(sampler.line(Buffer.from(line))).toBe(1);
  });
});

describe('a policy file', () => {
  it.each([
    ['', 'policy: must be a mapping'],
    ['version: 2', 'version: must be 1'],
    ['version: 1\nsamples: []', 'policy: unknown key samples'],
    ['version: 1\nsample: [{ keep: 0.1 }]', 'sample[0].keep: must be 1/N with N from 1 to 1000000'],
    ['version: 1\nsample: [{ keep: 1/0 }]', 'sample[0].keep: must be 1/N with N from 1 to 1000000'],
    ['version: 1\nsample: [{ keep: 1/2, verdict: [forwarded] }]', 'sample[0].verdict: forwarded is none of'],
    ['version: 1\nsample: [{ keep: 1/2, kind: [packet] }]', 'sample[0].kind: packet is none of'],
    ['version: 1\nprotect: [everything]', 'protect: everything is none of drops, verdicts, syn, l7'],
    ['version: 1\nnamespaces: shop', 'namespaces: must be a list of at most 1000'],
    ['version: 1\nversion: 1', 'Map keys must be unique'],
    ['a: &a [x]\nb: *c', 'an alias without an anchor'],
    ['\tversion: 1', 'Tabs are not allowed'],
  ])('%j is refused', (text, problem) => {
    const parsed = parsePolicy(text);
    expect(parsed.ok ? [] : parsed.problems.join('\n')).toContain(problem);
  });
});
