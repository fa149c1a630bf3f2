import { Packer } from '@flowledger/ingest';
import type { AppendRecord } from '@flowledger/event-log';
import type { MadeFlow } from './made-flows.js';

/** Packs flows into envelopes as the ingestor does, one stream a node. */
export class RecordPacker {
  readonly #packer: Packer;

  constructor(partitions: number) {
    this.#packer = new Packer({
      tenant: 'default',
      cluster: 'prod-1',
      source: 'relay',
      codec: 'hubble.get_flows_response',
      partitions,
      now: () => this.#nowMs,
    });
  }

  /** Envelopes are received when their newest flow was seen. */
  #nowMs = 0;

  /** The envelope that this flow filled, if any. */
  add(flow: MadeFlow): AppendRecord | undefined {
    this.#nowMs = Math.max(this.#nowMs, Number(flow.timeNs / 1_000_000n));
    return this.#packer.add(flow.node, flow.bytes, flow.timeNs)?.record;
  }

  /** The envelopes that are not full. */
  rest(): AppendRecord[] {
    return this.#packer.flush().map((packed) => packed.record);
  }
}

/** All records of some flows, in order. */
export function packRecords(flows: Iterable<MadeFlow>, partitions: number): AppendRecord[] {
  const packer = new RecordPacker(partitions);
  const records: AppendRecord[] = [];
  for (const flow of flows) {
    const record = packer.add(flow);
    if (record !== undefined) records.push(record);
  }
  return [...records, ...packer.rest()];
}
