import { DuplicateRule, Projection, type AcceptedKeyRow, type StreamKey } from '@flowledger/model';
import { flowsOfBatch, type FlowRecord } from '@flowledger/query';

export const RAW_DAYS = 20_000;

/** What a loader of one partition would have stored, in memory. */
export class ModelLoader {
  /** The next offset to load. */
  next = 0n;
  readonly flows: FlowRecord[] = [];
  readonly keys: AcceptedKeyRow[] = [];
  readonly #rule = new DuplicateRule();
  readonly #projection: Projection;
  #offset = 0n;
  #event = 0;

  constructor(logEpoch: bigint, partition: number) {
    this.#projection = new Projection({
      logEpoch,
      partition,
      rawTtlMs: RAW_DAYS * 86_400_000,
      isDuplicate: (stream, key, timeKept) => this.#isDuplicate(stream, key, timeKept),
    });
  }

  load(record: { readonly offset: bigint; readonly value: Uint8Array }): void {
    this.#offset = record.offset;
    this.#event = 0;
    this.#rule.beginRecord(record);
    this.#projection.add(record);
    for (const { flows } of flowsOfBatch(this.#projection.take(), 'default'))
      this.flows.push(...flows.map(({ flow }) => flow));
    this.next = record.offset + 1n;
  }

  #isDuplicate(stream: StreamKey, key: bigint, timeKept: boolean): boolean {
    const index = this.#event++;
    if (this.#rule.isDuplicate(stream, key, timeKept)) return true;
    const [tenant = '', cluster = '', node = ''] = stream.id.split('\0');
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(key);
    const row = { lo: String(this.#offset), tenant, cluster, node, indexes: [index] };
    this.keys.push({ ...row, keys: bytes.toString('base64') });
    return false;
  }
}
