import { describe, expect, it } from 'vitest';
import { agentServerName, peerServerName } from './server-name.js';

describe('names in certificates of Hubble', () => {
  it.each([
    ['prod/node-1', 'node-1.prod.hubble-grpc.cilium.io'],
    ['node-1', 'node-1.default.hubble-grpc.cilium.io'],
    ['eu.west/ip-10-0-0-1.ec2.internal', 'ip-10-0-0-1-ec2-internal.eu-west.hubble-grpc.cilium.io'],
    ['/node', 'node.default.hubble-grpc.cilium.io'],
  ])('of the agent on %s is %s', (node, name) => {
    expect(agentServerName(node, 'default')).toBe(name);
  });

  it('of the peer service carries the cluster with dashes for dots', () => {
    expect(peerServerName('eu.west')).toBe('hubble-peer.eu-west.hubble-grpc.cilium.io');
  });
});
