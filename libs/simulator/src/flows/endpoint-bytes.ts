import { WireWriter } from '../wire/wire-writer.js';
import type { Party } from '../topology/party.js';

/** Encodes `flow.Endpoint` as one node's agent fills it, each form once. */
export class EndpointBytes {
  private readonly writer = new WireWriter();

  constructor(private readonly cluster: string) {}

  /** The message's bytes: id and workloads only where the endpoint is local to `node` (hubble note 1.2). */
  of(party: Party, node: number): Uint8Array {
    const known = party.encoded[node];
    if (known !== undefined) return known;
    const made = this.encode(party, node);
    party.encoded[node] = made;
    return made;
  }

  private encode(party: Party, node: number): Uint8Array {
    const w = this.writer;
    const local = party.managed && party.node === node;
    w.reset();
    if (local) w.uint(1, party.endpointId);
    w.uint(2, party.identityOn(node));
    w.string(3, party.namespace);
    for (const label of party.labels) w.element(4, label);
    w.string(5, party.pod);
    if (local && party.workloadKind !== '') {
      const mark = w.begin(6);
      w.string(1, party.workload);
      w.string(2, party.workloadKind);
      w.end(mark);
    }
    if (party.kind === 'pod') w.string(7, this.cluster);
    return w.finish();
  }
}
