import { describe, expect, it } from 'vitest';
import type { EndpointView } from '../endpoint-view.js';
import type { FlowView } from '../evaluate/flow-view.js';
import type { Json } from '../json.js';
import { anyPolicies, cilium, flow, pod, policies } from '../testing/views.js';
import { draftChecked } from './draft-policy.js';

const CHECKOUT = pod('shop', 'checkout');
const PAYMENTS = pod('shop', 'payments', 'k8s:pci=true');
const NAMES = { subject: 'payments', peer: 'checkout' };

const app = (name: string): Json => ({ matchLabels: { app: name } });
const onPort = (port: string): Json => [{ ports: [{ port, protocol: 'TCP' }] }];
const into = (peer: EndpointView, port: number | string = 8443): FlowView =>
  flow('INGRESS', PAYMENTS, peer, port);

describe('a checked draft', () => {
  const NAMESPACES = ['shop', 'batch', 'monitoring', 'production', 'staging', 'a', 'b', 'c', 'd', 'e'];
  const APPS = ['checkout', 'payments', 'cart', 'web', 'prometheus', 'p1', 'p2', 'p3', 'p4', 'p5'];
  const OTHER_PORTS = [8443, 8442, 8444, 80, 443, 1, 65_535, 9091, 8080, 'UDP/8443', 'SCTP/8443'];
  const others = NAMESPACES.flatMap((namespace) =>
    APPS.flatMap((name) => OTHER_PORTS.map((port) => ({ view: into(pod(namespace, name), port), flows: 1 }))),
  ).filter(({ view }) => JSON.stringify(view) !== JSON.stringify(into(CHECKOUT)));
  const closed = {
    endpointSelector: app('payments'),
    ingress: [{ fromEndpoints: [app('prometheus')], toPorts: onPort('9090') }],
  };
  const locked = {
    endpointSelector: app('payments'),
    ingress: [{}],
    ingressDeny: [{ fromEntities: ['all'] }],
  };

  it.each([
    ['a default deny', closed, false],
    ['an explicit deny', locked, true],
  ] as const)(
    'of %s lets one flow in while a thousand other denied ones stay denied',
    (_, spec, explicitly) => {
      const thousand = others.slice(0, 1000);
      const checked = draftChecked(
        policies(cilium('shop', 'p', spec)),
        into(CHECKOUT),
        NAMES,
        explicitly,
        thousand,
      );
      if (!checked.ok) throw new Error(checked.reason);
      expect(checked.value.check).toMatchObject({ before: 'DENIED', after: 'ALLOWED' });
      const all = thousand.length;
      expect(all).toBe(1000);
      expect(checked.value.check.others).toEqual({
        kinds: all,
        checked: all,
        stayDenied: all,
        becomeAllowed: 0,
        undetermined: 0,
      });
    },
  );

  it('counts what it cannot judge as undetermined, with the reason', () => {
    const named = cilium('shop', 'named', {
      endpointSelector: app('payments'),
      ingress: [{ fromEndpoints: [app('cart')], toPorts: onPort('https') }],
    });
    const set = anyPolicies(named);
    const cart = [{ view: into(pod('shop', 'cart'), 443), flows: 7 }];
    const checked = draftChecked(set, into(CHECKOUT), NAMES, false, cart);
    if (!checked.ok) throw new Error(checked.reason);
    const { others: counts, reasons } = checked.value.check;
    expect(counts).toEqual({ kinds: 1, checked: 7, stayDenied: 0, becomeAllowed: 0, undetermined: 7 });
    expect(reasons.join()).toContain('https');
  });
});
