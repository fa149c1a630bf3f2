import { readEnvelope } from './envelope.js';
import { TIME_ABSENT, TIME_INVALID } from './hubble/event-time.js';
import { HubbleDecoder } from './hubble/hubble-decoder.js';
import { JsonTranscoder } from './hubble/json-transcoder.js';
import type { StreamKey } from './projected-batches.js';

/** What names an event for deduplication. */
export interface ScannedEvent {
  readonly stream: StreamKey;
  /** The key that `Projection` asks `isDuplicate` about, and the column `event_key` shows. */
  readonly eventKey: bigint;
  /** Event time, ns since 1970; the received time where the event's own cannot be held. */
  readonly timeNs: bigint;
}

/**
 * The keys of a record's events, in order, without making rows: a loader looks up what the store already holds before
 * it projects an import. Events without a time are left out, since their key names their place in the log and so can
 * match nothing; so is whatever `Projection` would not ask about. An unreadable record has no events.
 */
export function* scanEvents(record: Uint8Array): Iterable<ScannedEvent> {
  const layout = readEnvelope(record);
  if (!layout.ok || layout.value.header.codec === 'control') return;
  const { header, spans } = layout.value;
  const decoder = new HubbleDecoder({ epochLo: 0, epochHi: 0, partition: 0 }, 0);
  const json = header.codec === 'hubble.export_json' ? new JsonTranscoder() : undefined;
  decoder.scope.begin(0n, header);
  for (let index = 0; index * 2 < spans.length; index++) {
    const start = spans[index * 2] ?? 0;
    const end = spans[index * 2 + 1] ?? 0;
    if (json !== undefined && json.transcode(record, start, end) !== undefined) continue;
    const decoded =
      json === undefined
        ? decoder.decode(record, start, end, index)
        : decoder.decode(json.wire.buf, 0, json.wire.pos, index);
    if (decoded === 'flow') decoder.batch.rollbackRow();
    else if (decoded !== 'event') continue;
    const scanned = scannedEvent(decoder);
    if (scanned !== undefined) yield scanned;
  }
}

function scannedEvent({ node, time, keyLo, keyHi }: HubbleDecoder): ScannedEvent | undefined {
  if (node === undefined || time.quality === TIME_ABSENT) return undefined;
  const hi = time.quality === TIME_INVALID ? time.bucketHi : time.hi;
  const lo = time.quality === TIME_INVALID ? time.bucketLo : time.lo;
  return {
    stream: node.stream,
    eventKey: (BigInt(keyHi) << 32n) | BigInt(keyLo),
    timeNs: BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo)),
  };
}
