import { describe, expect, it } from 'vitest';
import { clientSide, serverPort, type CallEvidence } from './client-side.js';

const NOTHING: CallEvidence = {
  eventType: -1,
  verdict: 0,
  isReply: 0,
  trafficDirection: 0,
  l4Protocol: 0,
  srcPort: 0,
  dstPort: 0,
  tcpFlags: 0,
  icmpType: 0,
  l7Kind: 0,
  l7Type: 0,
  srcLocal: false,
  dstLocal: false,
  srcService: false,
  dstService: false,
};

/** Client side and server port by the evidence given. */
function decide(evidence: Partial<CallEvidence>): [number, number] {
  const call = { ...NOTHING, ...evidence };
  const side = clientSide(call);
  return [side, serverPort(call, side)];
}

const tcp = (srcPort: number, dstPort: number) => ({ l4Protocol: 1, srcPort, dstPort });
const SYN = 2;
const ACK = 16;

describe('client and server', () => {
  it('are told by is_reply', () => {
    expect(decide({ ...tcp(40_000, 80), isReply: 1 })).toEqual([1, 80]);
    expect(decide({ ...tcp(80, 40_000), isReply: 2 })).toEqual([2, 80]);
  });

  it('of DNS are told by port 53, whatever else is said: a proxy names the client as source of the answer', () => {
    expect(decide({ l4Protocol: 2, srcPort: 42_270, dstPort: 53, l7Kind: 1, l7Type: 2, isReply: 2 })).toEqual(
      [1, 53],
    );
    expect(decide({ l4Protocol: 2, srcPort: 53, dstPort: 42_270, l7Kind: 1, l7Type: 2, isReply: 2 })).toEqual(
      [2, 53],
    );
  });

  it('of old records without is_reply are told by the L7 type', () => {
    expect(decide({ ...tcp(40_000, 8080), l7Kind: 2, l7Type: 1 })).toEqual([1, 8080]);
    expect(decide({ ...tcp(8080, 40_000), l7Kind: 2, l7Type: 2 })).toEqual([2, 8080]);
  });

  it('are told by the direction of a trace and the one local side', () => {
    const trace = { ...tcp(9000, 9001), eventType: 4 };
    expect(decide({ ...trace, trafficDirection: 1, dstLocal: true })).toEqual([1, 9001]);
    expect(decide({ ...trace, trafficDirection: 1, srcLocal: true })).toEqual([2, 9000]);
    expect(decide({ ...trace, trafficDirection: 2, srcLocal: true })).toEqual([1, 9001]);
    expect(decide({ ...trace, trafficDirection: 2, dstLocal: true })).toEqual([2, 9000]);
    expect(decide({ ...trace, trafficDirection: 1, srcLocal: true, dstLocal: true })).toEqual([0, 0]);
  });

  it('of a policy verdict are told by its being about the first packet', () => {
    expect(decide({ ...tcp(9000, 9001), eventType: 5, verdict: 2 })).toEqual([1, 9001]);
  });

  it('are told by the handshake', () => {
    expect(decide({ ...tcp(9000, 9001), tcpFlags: 512 | SYN })).toEqual([1, 9001]);
    expect(decide({ ...tcp(9000, 9001), tcpFlags: 512 | SYN | ACK })).toEqual([2, 9000]);
  });

  it('are told by the one side known as a service, and by ICMP echo', () => {
    expect(decide({ ...tcp(9000, 9001), dstService: true })).toEqual([1, 9001]);
    expect(decide({ ...tcp(9000, 9001), srcService: true })).toEqual([2, 9000]);
    expect([8, 0, 3].map((icmpType) => decide({ l4Protocol: 3, icmpType })[0])).toEqual([1, 2, 0]);
    expect([128, 129, 0].map((icmpType) => decide({ l4Protocol: 4, icmpType })[0])).toEqual([1, 2, 0]);
  });

  it('are told by ports when one side looks like a server and the other does not', () => {
    expect(decide(tcp(0, 8080))).toEqual([1, 8080]);
    expect(decide(tcp(40_000, 443))).toEqual([1, 443]);
    expect(decide(tcp(8080, 40_000))).toEqual([2, 8080]);
    expect(decide(tcp(9000, 9001))).toEqual([0, 0]);
  });

  it('of a drop with nothing to the contrary are source and destination', () => {
    expect(decide({ ...tcp(9000, 9001), eventType: 1 })).toEqual([1, 9001]);
    expect(decide({ ...tcp(443, 40_000), eventType: 1 })).toEqual([2, 443]);
    expect(decide({ eventType: 1, verdict: 2 })).toEqual([1, 0]);
  });

  it('never make an ephemeral port a server on a guess', () => {
    expect(decide({ ...tcp(40_000, 50_000), verdict: 2 })).toEqual([1, 0]);
    expect(decide({ ...tcp(40_000, 50_051), tcpFlags: 512 | SYN })).toEqual([1, 50_051]);
    expect(decide({ ...tcp(443, 40_000), isReply: 1 })).toEqual([1, 0]);
  });

  it('are unknown without evidence', () => {
    expect(decide({})).toEqual([0, 0]);
  });
});
