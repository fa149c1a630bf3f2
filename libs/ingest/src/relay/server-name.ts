/** Cilium's fixed part of the names in Hubble's certificates. */
const SUFFIX = 'hubble-grpc.cilium.io';

/**
 * The name that an agent's certificate carries for the node `cluster/node` (or a bare name of `defaultCluster`): dots in
 * either become dashes, because each is one DNS label (hubble note 2.3).
 */
export function agentServerName(node: string, defaultCluster: string): string {
  const slash = node.indexOf('/');
  const cluster = slash > 0 ? node.slice(0, slash) : defaultCluster;
  return `${dashed(node.slice(slash + 1))}.${dashed(cluster)}.${SUFFIX}`;
}

/** The name in the certificate of the service that tells the agents of a cluster. */
export function peerServerName(cluster: string): string {
  return `hubble-peer.${dashed(cluster)}.${SUFFIX}`;
}

function dashed(name: string): string {
  return name.replaceAll('.', '-');
}
