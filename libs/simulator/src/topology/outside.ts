import { hash32, hashText } from '../random.js';
import { macText } from './names.js';
import type { NodePlan } from './nodes.js';
import { Party, type PartyKind } from './party.js';

const NODE_LOCAL_SCOPE = 0x01000000;

/** An external host that pods call by name, with the pattern of the policy that allows it. */
export interface ExternalHost {
  readonly name: string;
  readonly pattern: string;
  readonly ips: readonly string[];
}

/** The external hosts of the demo: documentation names and addresses only. */
export const EXTERNAL_HOSTS: readonly ExternalHost[] = [
  { name: 'api.bank.example.com', pattern: '*.example.com', ips: ['203.0.113.21', '203.0.113.22'] },
  { name: 'api.example.com', pattern: '*.example.com', ips: ['203.0.113.40'] },
  { name: 'hooks.example.org', pattern: 'hooks.example.org', ips: ['198.51.100.77'] },
];

interface OutsideFacts {
  readonly kind: PartyKind;
  readonly workload: string;
  readonly node: number;
  readonly ip: string;
  readonly ip6: string;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly names: readonly string[];
}

/** Everything that is no pod: nodes, the health endpoints, the API server, the world. Parties are made once. */
export class Outside {
  /** `reserved:host` of each node, as that node sees itself. */
  readonly hosts: readonly Party[];
  /** `reserved:remote-node` for each node, as the others see it. */
  readonly remoteNodes: readonly Party[];
  /** Health endpoint of each node. */
  readonly healthEndpoints: readonly Party[];
  readonly apiServer: Party;
  /** The end of a frame that has no IP address. */
  readonly nobody: Party;
  /** A range allowed by CIDR. */
  readonly partnerRange: Party;
  /** The cloud's metadata service, which a policy denies. */
  readonly metadata: Party;
  private readonly users = new Map<number, Party>();
  private readonly named = new Map<string, Party[]>();

  constructor(
    private readonly seed: number,
    nodes: readonly NodePlan[],
  ) {
    const of = (node: NodePlan, kind: PartyKind, identity: number, ip = node.ip): Party =>
      this.make({
        kind,
        workload: `reserved:${kind}`,
        node: node.index,
        ip,
        ip6: node.ip6,
        identity,
        labels: [`reserved:${kind}`],
        names: [],
      });
    this.hosts = nodes.map((node) => of(node, 'host', 1));
    this.remoteNodes = nodes.map((node) => of(node, 'remote-node', 6));
    this.healthEndpoints = nodes.map((node) => of(node, 'health', 4, `10.0.${node.index}.250`));
    this.apiServer = this.make({
      kind: 'kube-apiserver',
      workload: 'reserved:kube-apiserver',
      node: -1,
      ip: '192.168.10.5',
      ip6: 'fd00:192:168:10::5',
      identity: 7,
      labels: ['reserved:kube-apiserver', 'reserved:remote-node'],
      names: [],
    });
    this.nobody = this.make({
      kind: 'nobody',
      workload: '',
      node: -1,
      ip: '',
      ip6: '',
      identity: 0,
      labels: [],
      names: [],
    });
    this.partnerRange = this.world('203.0.113.130', ['cidr:203.0.113.128/25', 'reserved:world'], []);
    this.metadata = this.world('169.254.169.254', ['cidr:169.254.169.254/32', 'reserved:world'], []);
    for (const host of EXTERNAL_HOSTS) {
      const labels = [`fqdn:${host.pattern}`, 'reserved:world'];
      this.named.set(
        host.name,
        host.ips.map((ip) => this.world(ip, labels, [host.name])),
      );
    }
  }

  /** Somebody on the internet; `number` picks who. */
  user(number: number): Party {
    const known = this.users.get(number % 200);
    if (known !== undefined) return known;
    const made = this.make({
      kind: 'world',
      workload: 'reserved:world',
      node: -1,
      ip: `198.51.100.${1 + (number % 200)}`,
      ip6: `2001:db8:100::${(1 + (number % 200)).toString(16)}`,
      identity: 2,
      labels: ['reserved:world'],
      names: [],
    });
    this.users.set(number % 200, made);
    return made;
  }

  /** The addresses of an external host. Throws RangeError when the name is not in {@link EXTERNAL_HOSTS}. */
  host(name: string): readonly Party[] {
    const parties = this.named.get(name);
    if (parties === undefined) throw new RangeError(`no external host ${name}`);
    return parties;
  }

  /** A service address as the destination of a packet before translation: no pod, no workload. */
  clusterIp(ip: string): Party {
    return this.make({
      kind: 'cluster-ip',
      workload: 'reserved:world',
      node: -1,
      ip,
      ip6: '',
      identity: 2,
      labels: ['reserved:world'],
      names: [],
    });
  }

  private world(ip: string, labels: readonly string[], names: readonly string[]): Party {
    const identity = NODE_LOCAL_SCOPE + (hashText(labels.join(',')) % 4096);
    const ip6 = `2001:db8:${ip.split('.').slice(2).join(':')}::1`;
    return this.make({
      kind: 'world',
      workload: 'reserved:world',
      node: -1,
      ip,
      ip6,
      identity,
      labels,
      names,
    });
  }

  private make(facts: OutsideFacts): Party {
    const own = hash32(this.seed, hashText(facts.ip), facts.identity);
    return new Party({
      ...facts,
      namespace: '',
      workloadKind: '',
      pod: '',
      mac: macText(own),
      endpointId: facts.kind === 'health' ? 50 + (own % 40) : 0,
      interfaceIndex: 8,
      interfaceName: facts.kind === 'health' ? 'lxc_health' : '',
    });
  }
}
