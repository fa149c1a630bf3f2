import { describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { anyPolicies, cilium, flow, network, pod, policies, reserved } from '../testing/views.js';
import { endpointView } from '../endpoint-view.js';
import { evaluate } from './evaluate.js';
import type { FlowView } from './flow-view.js';

const WEB = pod('shop', 'web', 'k8s:tier=front');
const DB = pod('shop', 'db');
const JOB = pod('batch', 'job');
const app = (name: string): Json => ({ matchLabels: { app: name } });
const tcp = (port: string, more: Json = {}): Json => [
  { ports: [{ port, protocol: 'TCP' }], ...(more as object) },
];

/** What one policy that selects `db` says about a connection into it. */
function ingress(rules: Json, view: FlowView, more: Json = {}): string {
  const spec = { endpointSelector: app('db'), ingress: rules, ...(more as object) };
  const answer = evaluate(anyPolicies(cilium('shop', 'p', spec)), view);
  return answer.verdict === 'DENIED' ? `DENIED ${answer.how}` : answer.verdict;
}

/** What one policy that selects `web` says about a connection from it. */
function egress(rules: Json, view: FlowView, more: Json = {}): string {
  const spec = { endpointSelector: app('web'), egress: rules, ...(more as object) };
  const answer = evaluate(anyPolicies(cilium('shop', 'p', spec)), view);
  return answer.verdict === 'DENIED' ? `DENIED ${answer.how}` : answer.verdict;
}

const IN = (peer = WEB, port: number | string = 5432): FlowView => flow('INGRESS', DB, peer, port);
const OUT = (peer = DB, port: number | string = 5432): FlowView => flow('EGRESS', WEB, peer, port);

describe('an endpoint that no policy selects', () => {
  it('is open', () => {
    expect(evaluate([], IN())).toEqual({ verdict: 'ALLOWED', by: [] });
    expect(ingress([{}], flow('INGRESS', WEB, DB, 1))).toBe('ALLOWED');
    expect(ingress([{}], OUT())).toBe('ALLOWED');
    const other = policies(cilium('batch', 'p', { endpointSelector: {}, ingress: [{}] }));
    expect(evaluate(other, IN()).verdict).toBe('ALLOWED');
  });
});

describe('default deny', () => {
  it('begins with a rule of the direction, even one that says nothing, and names who selects', () => {
    expect(ingress([{}], IN())).toBe('DENIED DEFAULT');
    expect(ingress([{ fromEndpoints: [] }], IN())).toBe('DENIED DEFAULT');
    const answer = evaluate(policies(cilium('shop', 'p', { endpointSelector: {}, ingress: [{}] })), IN());
    expect(answer).toMatchObject({
      how: 'DEFAULT',
      by: [{ policy: { namespace: 'shop', name: 'p' }, path: 'spec' }],
    });
  });
  it('does not begin with an empty list, nor where the policy says so', () => {
    expect(ingress([], IN())).toBe('ALLOWED');
    expect(ingress([{}], IN(), { enableDefaultDeny: { ingress: false } })).toBe('ALLOWED');
    expect(ingress([{}], IN(), { enableDefaultDeny: { egress: false } })).toBe('DENIED DEFAULT');
  });
  it('begins with a deny rule alone', () => {
    const spec = { endpointSelector: app('db'), ingressDeny: [{ fromEntities: ['world'] }] };
    expect(evaluate(policies(cilium('shop', 'p', spec)), IN())).toMatchObject({ how: 'DEFAULT' });
  });
});

describe('peers by label', () => {
  it.each<[string, Json, FlowView, string]>([
    ['the same namespace by default', [{ fromEndpoints: [app('web')] }], IN(), 'ALLOWED'],
    ['not another one', [{ fromEndpoints: [app('job')] }], IN(JOB), 'DENIED DEFAULT'],
    [
      'another one when named',
      [{ fromEndpoints: [{ matchLabels: { app: 'job', 'k8s:io.kubernetes.pod.namespace': 'batch' } }] }],
      IN(JOB),
      'ALLOWED',
    ],
    ['every pod of the namespace', [{ fromEndpoints: [{}] }], IN(), 'ALLOWED'],
    ['which is not the world', [{ fromEndpoints: [{}] }], IN(reserved('world')), 'DENIED DEFAULT'],
    ['labels of Kubernetes', [{ fromEndpoints: [{ matchLabels: { 'k8s:app': 'web' } }] }], IN(), 'ALLOWED'],
    [
      'not of another source',
      [{ fromEndpoints: [{ matchLabels: { 'container:app': 'web' } }] }],
      IN(),
      'DENIED DEFAULT',
    ],
    [
      'expressions',
      [{ fromEndpoints: [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['front', 'x'] }] }] }],
      IN(),
      'ALLOWED',
    ],
    [
      'NotIn matches those without the label',
      [{ fromEndpoints: [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }] }],
      IN(),
      'ALLOWED',
    ],
    [
      'reserved labels',
      [{ fromEndpoints: [{ matchLabels: { 'reserved:world': '' } }] }],
      IN(reserved('world')),
      'ALLOWED',
    ],
    [
      'an operator that does not exist',
      [{ fromEndpoints: [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }] }],
      IN(),
      'UNDETERMINED',
    ],
  ])('%s', (_name, rules, view, verdict) => {
    expect(ingress(rules, view)).toBe(verdict);
  });

  it('cannot be judged where the flow shows no labels', () => {
    const unknown = endpointView({ namespace: 'shop', labels: [] });
    expect(ingress([{ fromEndpoints: [app('web')] }], IN(unknown))).toBe('UNDETERMINED');
    expect(ingress([{ fromEndpoints: [{}] }], IN(unknown))).toBe('ALLOWED');
    expect(ingress([{ fromEntities: ['host'] }], IN(endpointView({ namespace: '', labels: [] })))).toBe(
      'UNDETERMINED',
    );
  });

  it('of a cluster-wide policy are of every namespace', () => {
    const spec = { endpointSelector: app('db'), ingress: [{ fromEndpoints: [app('job')] }] };
    expect(evaluate(policies(cilium('', 'p', spec)), IN(JOB)).verdict).toBe('ALLOWED');
    const everyone = { endpointSelector: {}, ingress: [{ fromEndpoints: [{}] }] };
    expect(evaluate(policies(cilium('', 'p', everyone)), IN(reserved('world'))).verdict).toBe('DENIED');
  });
});

describe('entities', () => {
  it.each<[string, FlowView['peer'], string]>([
    ['all', reserved('world'), 'ALLOWED'],
    ['world', reserved('world'), 'ALLOWED'],
    ['world', reserved('world-ipv4'), 'ALLOWED'],
    ['world', endpointView({ namespace: '', labels: ['cidr:10.0.0.0/8'], ip: '10.1.1.1' }), 'ALLOWED'],
    ['world', WEB, 'DENIED DEFAULT'],
    ['cluster', WEB, 'ALLOWED'],
    ['cluster', reserved('remote-node'), 'ALLOWED'],
    ['cluster', reserved('world'), 'DENIED DEFAULT'],
    ['remote-node', reserved('host'), 'ALLOWED'],
    ['world', reserved('host'), 'ALLOWED'],
    ['host', reserved('remote-node'), 'DENIED DEFAULT'],
    [
      'kube-apiserver',
      endpointView({ namespace: '', labels: ['reserved:kube-apiserver', 'reserved:remote-node'] }),
      'ALLOWED',
    ],
    ['world-ipv6', reserved('world'), 'DENIED DEFAULT'],
    ['world-ipv4', reserved('world'), 'ALLOWED'],
    ['none', WEB, 'DENIED DEFAULT'],
    ['world', endpointView({ namespace: '', labels: [], identity: 2 }), 'ALLOWED'],
    ['world', endpointView({ namespace: '', labels: [], identity: 0x0100_0007 }), 'ALLOWED'],
    ['galaxy', WEB, 'UNDETERMINED'],
  ])('%s about %j', (entity, peer, verdict) => {
    expect(ingress([{ fromEntities: [entity] }], IN(peer))).toBe(verdict);
  });
});

describe('addresses', () => {
  const world = reserved('world', '203.0.113.9');
  it.each<[string, Json, FlowView, string]>([
    ['within a range', [{ toCIDR: ['203.0.113.0/24'] }], OUT(world), 'ALLOWED'],
    ['outside of it', [{ toCIDR: ['203.0.112.0/24'] }], OUT(world), 'DENIED DEFAULT'],
    [
      'excepted',
      [{ toCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.8/29'] }] }],
      OUT(world),
      'DENIED DEFAULT',
    ],
    [
      'not excepted',
      [{ toCIDRSet: [{ cidr: '203.0.113.0/24', except: ['203.0.113.64/29'] }] }],
      OUT(world),
      'ALLOWED',
    ],
    ['IPv6', [{ toCIDR: ['2001:db8::/32'] }], OUT(reserved('world', '2001:db8::1')), 'ALLOWED'],
    ['of another family', [{ toCIDR: ['::/0'] }], OUT(world), 'DENIED DEFAULT'],
    ['of a pod are not meant', [{ toCIDR: ['10.0.0.0/8'] }], OUT(DB), 'DENIED DEFAULT'],
    [
      'of a node are a setting',
      [{ toCIDR: ['198.51.100.0/24'] }],
      OUT(reserved('remote-node')),
      'UNDETERMINED',
    ],
    ['of a group are not stored', [{ toCIDRSet: [{ cidrGroupRef: 'g' }] }], OUT(world), 'UNDETERMINED'],
  ])('%s', (_name, rules, view, verdict) => {
    expect(egress(rules, view)).toBe(verdict);
  });
});

describe('names', () => {
  const named = reserved('world', '203.0.113.9', 'api.example.com');
  it.each<[Json, FlowView['peer'], string]>([
    [{ matchName: 'api.example.com' }, named, 'ALLOWED'],
    [{ matchName: 'API.example.com.' }, named, 'ALLOWED'],
    [{ matchPattern: '*.example.com' }, named, 'ALLOWED'],
    [{ matchPattern: '*.com' }, named, 'DENIED DEFAULT'],
    [{ matchPattern: '**.com' }, named, 'ALLOWED'],
    [{ matchPattern: '*' }, named, 'ALLOWED'],
    [{ matchPattern: 'api?example.com' }, named, 'DENIED DEFAULT'],
    [{ matchName: 'api.example.com' }, reserved('world', '203.0.113.9'), 'UNDETERMINED'],
    [
      { matchPattern: '*.example.com' },
      endpointView({ namespace: '', labels: ['fqdn:*.example.com', 'reserved:world'] }),
      'ALLOWED',
    ],
    [{ matchPattern: '*' }, DB, 'DENIED DEFAULT'],
  ])('%j', (rule, peer, verdict) => {
    expect(egress([{ toFQDNs: [rule] }], OUT(peer))).toBe(verdict);
  });
});

describe('ports', () => {
  it.each<[string, Json, FlowView, string]>([
    ['the port', tcp('5432'), IN(), 'ALLOWED'],
    ['another port', tcp('5433'), IN(), 'DENIED DEFAULT'],
    ['another protocol', [{ ports: [{ port: '5432', protocol: 'UDP' }] }], IN(), 'DENIED DEFAULT'],
    ['any protocol', [{ ports: [{ port: '5432' }] }], IN(WEB, 'UDP/5432'), 'ALLOWED'],
    ['a range', [{ ports: [{ port: '5000', endPort: 6000, protocol: 'TCP' }] }], IN(), 'ALLOWED'],
    ['port 0 is every port', [{ ports: [{ port: '0', protocol: 'TCP' }] }], IN(), 'ALLOWED'],
    ['a named port', tcp('postgres'), IN(), 'UNDETERMINED'],
    ['a named port of another protocol', tcp('postgres'), IN(WEB, 'UDP/5432'), 'DENIED DEFAULT'],
    ['L7 rules let packets pass', tcp('5432', { rules: { http: [{ method: 'GET' }] } }), IN(), 'ALLOWED'],
    [
      'L7 rules judge calls',
      tcp('5432', { rules: { http: [{ method: 'GET' }] } }),
      { ...IN(), l7: true },
      'UNDETERMINED',
    ],
    ['server names decide as well', tcp('5432', { serverNames: ['a'] }), IN(), 'UNDETERMINED'],
    ['ICMP is no port', tcp('5432'), IN(WEB, 'ICMPv4/'), 'DENIED DEFAULT'],
    ['a port that the flow does not show', tcp('5432'), IN(WEB, 'TCP/'), 'UNDETERMINED'],
  ])('%s', (_name, toPorts, view, verdict) => {
    expect(ingress([{ fromEndpoints: [{}], toPorts }], view)).toBe(verdict);
  });

  it('without peers are open to everybody', () => {
    expect(ingress([{ toPorts: tcp('5432') }], IN(reserved('world')))).toBe('ALLOWED');
  });

  it('are not asked for by a rule of ICMP messages', () => {
    const icmps = [{ fields: [{ type: 'EchoRequest', family: 'IPv4' }] }];
    const ping = (type: number | null) => ({ ...IN(WEB, 'ICMPv4/'), icmpType: type });
    expect(ingress([{ icmps }], ping(8))).toBe('ALLOWED');
    expect(ingress([{ icmps }], ping(0))).toBe('DENIED DEFAULT');
    expect(ingress([{ icmps }], ping(null))).toBe('UNDETERMINED');
    expect(ingress([{ icmps }], IN())).toBe('DENIED DEFAULT');
  });
});

describe('deny rules', () => {
  it('beat every allow and name their place', () => {
    const spec: Record<string, Json> = {
      endpointSelector: app('db'),
      ingress: [{ fromEntities: ['all'] }],
      ingressDeny: [{ fromEndpoints: [app('other')] }, { fromEndpoints: [app('web')], toPorts: tcp('5432') }],
    };
    const set = policies(cilium('shop', 'p', spec));
    expect(evaluate(set, IN())).toMatchObject({ how: 'EXPLICIT', by: [{ path: 'spec.ingressDeny[1]' }] });
    expect(evaluate(set, IN(WEB, 80)).verdict).toBe('ALLOWED');
  });
  it('that cannot be judged leave it open, but not what is closed anyway', () => {
    const deny = { ingressDeny: [{ fromEndpoints: [{}], toPorts: tcp('named') }] };
    expect(ingress([{ fromEndpoints: [{}] }], IN(), deny)).toBe('UNDETERMINED');
    expect(ingress([{}], IN(), deny)).toBe('DENIED DEFAULT');
  });
});

describe('what is not understood', () => {
  it.each<[string, Json]>([
    ['fromRequires', [{ fromRequires: [app('web')], fromEndpoints: [{}] }]],
    ['a member of a later version', [{ fromEndpoints: [{}], fromMoon: [] }]],
    ['mutual authentication', [{ fromEndpoints: [{}], authentication: { mode: 'required' } }]],
    ['two kinds of peers in one rule', [{ fromEndpoints: [{}], fromEntities: ['all'] }]],
  ])('leaves it open: %s', (_name, rules) => {
    expect(ingress(rules, IN())).toBe('UNDETERMINED');
  });
  it('does not matter where another rule decides', () => {
    expect(ingress([{ fromMoon: [] }, { fromEndpoints: [{}] }], IN())).toBe('ALLOWED');
  });
  it('of a whole spec leaves everything about it open', () => {
    expect(ingress([{ fromEndpoints: [{}] }], IN(), { endpointMood: 'good' })).toBe('UNDETERMINED');
  });
  it('includes policies of nodes', () => {
    const spec = { nodeSelector: {}, ingress: [{}] };
    const host = flow('INGRESS', reserved('host'), WEB, 22);
    expect(evaluate(policies(cilium('', 'p', spec)), host).verdict).toBe('UNDETERMINED');
    expect(evaluate(policies(cilium('', 'p', spec)), IN()).verdict).toBe('ALLOWED');
  });
  it('makes a policy in doubt decide nothing', () => {
    const [policy] = policies(cilium('shop', 'p', { endpointSelector: {}, ingress: [{}] }));
    expect(evaluate([{ ...policy!, doubt: 'changed since' }], IN())).toEqual({
      verdict: 'UNDETERMINED',
      reasons: ['changed since'],
    });
  });
});

describe('Kubernetes NetworkPolicy', () => {
  const np = (spec: object): ReturnType<typeof policies> =>
    policies(network('shop', 'np', { podSelector: app('db'), ...spec } as Json));
  it.each<[string, object, FlowView, string]>([
    ['denies ingress by default', {}, IN(), 'DENIED'],
    ['but not egress', {}, flow('EGRESS', DB, WEB, 1), 'ALLOWED'],
    ['egress too when it has such rules', { egress: [] }, flow('EGRESS', DB, WEB, 1), 'DENIED'],
    ['only what it says', { policyTypes: ['Egress'] }, IN(), 'ALLOWED'],
    ['an empty rule allows all', { ingress: [{}] }, IN(reserved('world')), 'ALLOWED'],
    ['pods of its namespace', { ingress: [{ from: [{ podSelector: app('web') }] }] }, IN(), 'ALLOWED'],
    ['not of others', { ingress: [{ from: [{ podSelector: app('job') }] }] }, IN(JOB), 'DENIED'],
    [
      'every namespace',
      { ingress: [{ from: [{ namespaceSelector: {}, podSelector: app('job') }] }] },
      IN(JOB),
      'ALLOWED',
    ],
    [
      'a namespace by its name',
      {
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'batch' } } }] },
        ],
      },
      IN(JOB),
      'ALLOWED',
    ],
    [
      'TCP unless it says otherwise',
      { ingress: [{ ports: [{ port: 5432 }] }] },
      IN(WEB, 'UDP/5432'),
      'DENIED',
    ],
    [
      'ranges of addresses',
      { ingress: [{ from: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }] },
      IN(reserved('world')),
      'ALLOWED',
    ],
  ])('%s', (_name, spec, view, verdict) => {
    expect(evaluate(np(spec), view).verdict).toBe(verdict);
  });
  it('cannot judge labels of namespaces that the flow does not show', () => {
    const bare = endpointView({ namespace: 'batch', labels: ['k8s:app=job'] });
    const spec = { ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }] };
    expect(evaluate(np(spec), IN(bare)).verdict).toBe('UNDETERMINED');
    expect(evaluate(np(spec), IN(JOB)).verdict).toBe('DENIED');
  });
});

describe('a node and its own pods', () => {
  it('are connected whatever policies allow, but not against a deny', () => {
    expect(ingress([{}], IN(reserved('host')))).toBe('ALLOWED');
    expect(ingress([{}], IN(reserved('remote-node')))).toBe('DENIED DEFAULT');
    expect(ingress([{}], IN(reserved('host')), { ingressDeny: [{ fromEntities: ['host'] }] })).toBe(
      'DENIED EXPLICIT',
    );
    expect(egress([{}], OUT(reserved('host')))).toBe('DENIED DEFAULT');
  });
});
