import type { FlowPosition, LogCursor } from '@flowledger/query';

/** Where a subscription goes on: in the tables up to `log` first, when it had not finished with them, then in the log. */
export interface StreamPlace {
  readonly log: LogCursor;
  /** The last flow sent of the history, and where that history began; absent once the history is done. */
  readonly history?: { readonly sinceNs: bigint; readonly after: FlowPosition | null };
}

const VERSION = 's1';
const NUMBER = /^\d{1,20}$/;

/** An opaque cursor: the place and the filters it belongs to. */
export function encodeStreamCursor({ log, history }: StreamPlace, filterHash: string): string {
  const places = log.partitions.map(({ offset, event }) => `${offset}.${event}`).join(',');
  const parts = [VERSION, filterHash, log.epoch, places];
  if (history !== undefined) {
    const { sinceNs, after } = history;
    const at =
      after === null ? [] : [after.bucketNs, after.logEpoch, after.partition, after.offset, after.index];
    parts.push([sinceNs, ...at].join(','));
  }
  return Buffer.from(parts.join(':')).toString('base64url');
}

/** The place behind a cursor; undefined when it is damaged, of another version, or made with other filters. */
export function decodeStreamCursor(cursor: string, filterHash: string): StreamPlace | undefined {
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split(':');
  const [version, hash, epoch = '', places = '', history] = parts;
  if (version !== VERSION || hash !== filterHash || !NUMBER.test(epoch)) return undefined;
  if (!/^(\d{1,20}\.\d{1,10})(,\d{1,20}\.\d{1,10})*$/.test(places)) return undefined;
  const partitions = places.split(',').map((place) => {
    const [offset = '', event = ''] = place.split('.');
    return { offset: BigInt(offset), event: Number(event) };
  });
  const log = { epoch: BigInt(epoch), partitions };
  if (history === undefined) return { log };
  const numbers = history.split(',');
  if (!numbers.every((part) => NUMBER.test(part)) || (numbers.length !== 1 && numbers.length !== 6))
    return undefined;
  const [sinceNs = 0n, bucketNs, logEpoch = 0n, partition = 0n, offset = 0n, index = 0n] =
    numbers.map(BigInt);
  const after =
    bucketNs === undefined
      ? null
      : { bucketNs, logEpoch, partition: Number(partition), offset, index: Number(index) };
  return { log, history: { sinceNs, after } };
}
