import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { entryOf, sets, views } from '../testing/random-policies.js';
import { anyPolicies, cilium, network } from '../testing/views.js';
import { evaluate } from './evaluate.js';

const KEYS = { INGRESS: ['ingress', 'fromEntities'], EGRESS: ['egress', 'toEntities'] } as const;

describe('whatever the policies', () => {
  it('their order does not matter', () => {
    fc.assert(
      fc.property(sets, views, fc.infiniteStream(fc.nat()), (set, view, order) => {
        const shuffled = set
          .map((policy) => ({ policy, at: order.next().value as number }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ policy }) => policy);
        expect(evaluate(shuffled, view).verdict).toBe(evaluate(set, view).verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('an allow rule for an endpoint in default deny never turns an allowed flow denied', () => {
    fc.assert(
      fc.property(sets, views, entryOf('from', true), entryOf('to', true), (set, view, from, to) => {
        const spec = {
          endpointSelector: {},
          ingress: [from],
          egress: [to],
          enableDefaultDeny: { ingress: false, egress: false },
        };
        const more = [...set, ...anyPolicies(cilium('', 'added', spec))];
        const [was, is] = [evaluate(set, view).verdict, evaluate(more, view).verdict];
        if (was === 'ALLOWED') expect(is).toBe('ALLOWED');
        if (was === 'UNDETERMINED') expect(is).not.toBe('DENIED');
      }),
      { numRuns: 500 },
    );
  });

  it('a deny rule that matches wins, and never lets anything through', () => {
    fc.assert(
      fc.property(sets, views, fc.boolean(), (set, view, everyone) => {
        const [key, member] = KEYS[view.direction];
        const spec = { endpointSelector: {}, [`${key}Deny`]: [{ [member]: [everyone ? 'all' : 'world'] }] };
        const more = [...set, ...anyPolicies(cilium('', 'added', spec as Json))];
        const [was, is] = [evaluate(set, view), evaluate(more, view)];
        const pods = view.subject.namespace !== '';
        if (everyone && pods) expect(is).toMatchObject({ verdict: 'DENIED', how: 'EXPLICIT' });
        if (was.verdict === 'DENIED') expect(is.verdict).toBe('DENIED');
        if (!pods) expect(is.verdict).toBe(was.verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('a policy that selects the endpoint closes it for what no rule allows', () => {
    fc.assert(
      fc.property(views, (view) => {
        const closed = anyPolicies(
          network('x', 'closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
        );
        const selected = view.subject.namespace === 'x';
        const own = view.direction === 'INGRESS' && view.peer.reserved.has('host');
        expect(evaluate(closed, view).verdict).toBe(selected && !own ? 'DENIED' : 'ALLOWED');
      }),
    );
  });

  it('every verdict that is undetermined has a reason', () => {
    fc.assert(
      fc.property(sets, views, (set, view) => {
        const answer = evaluate(set, view);
        if (answer.verdict === 'UNDETERMINED') expect(answer.reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
