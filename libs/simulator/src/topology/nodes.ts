import { hash32 } from '../random.js';
import { macText } from './names.js';

/** A node of the simulated cluster and how its agent behaves. */
export interface NodePlan {
  readonly index: number;
  /** Name without the cluster. */
  readonly name: string;
  /** `cluster/node`, as `node_name` says it. */
  readonly absoluteName: string;
  readonly ip: string;
  readonly ip6: string;
  readonly mac: string;
  readonly labels: readonly string[];
  /** Version in `emitter`; empty for an agent from before the field (1.18), which still reports Kafka. */
  readonly emitterVersion: string;
  /** Some versions put the client into `source` of a DNS response, with the ports of the request. */
  readonly dnsResponseFromClient: boolean;
  /** Transparent encryption is on between nodes that have it. */
  readonly encrypts: boolean;
}

/** The nodes of a cluster. Node 2 runs an older agent, node 3 a newer one and no encryption. */
export function planNodes(seed: number, cluster: string, count: number): NodePlan[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${cluster}-worker-${index + 1}`;
    return {
      index,
      name,
      absoluteName: `${cluster}/${name}`,
      ip: `192.168.10.${11 + index}`,
      ip6: `fd00:192:168:10::${(11 + index).toString(16)}`,
      mac: macText(hash32(seed, index, 41)),
      labels: [
        'beta.kubernetes.io/arch=amd64',
        'kubernetes.io/arch=amd64',
        `kubernetes.io/hostname=${name}`,
        'kubernetes.io/os=linux',
        `topology.kubernetes.io/zone=zone-${index % 2 === 0 ? 'a' : 'b'}`,
      ],
      emitterVersion: index % 4 === 2 ? '' : index % 4 === 3 ? '1.20.1' : '1.19.4',
      dnsResponseFromClient: index % 4 === 3,
      encrypts: index % 4 !== 3,
    };
  });
}
