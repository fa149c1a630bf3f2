import { Readable } from 'node:stream';
import type { AppendRecord, EventLog } from '@flowledger/event-log';
import type { ImportOutcome } from '@flowledger/ingest';
import { toJsonLine, type SimulatedEvent } from '@flowledger/simulator';

/** What envelopes of a test pipeline belong to; node names say their own cluster. */
export const TENANT = 'default';
const CLUSTER = 'demo';
const APPEND_AT_ONCE = 8;

/** Packs events as a source would and appends them in order; resolves with their number when they are durable. */
export async function feed(events: Iterable<SimulatedEvent>, log: EventLog, nowMs: number): Promise<number> {
  const { Packer } = await import('@flowledger/ingest');
  const packer = new Packer({
    tenant: TENANT,
    cluster: CLUSTER,
    source: 'demo',
    codec: 'hubble.get_flows_response',
    partitions: log.partitions,
    now: () => nowMs,
  });
  const full: AppendRecord[] = [];
  let count = 0;
  for (const event of events) {
    count++;
    const packed = packer.add(event.node, event.bytes, event.timeNs);
    if (packed !== undefined) full.push(packed.record);
    if (full.length >= APPEND_AT_ONCE) await log.append(full.splice(0));
  }
  full.push(...packer.flush().map((packed) => packed.record));
  if (full.length > 0) await log.append(full);
  return count;
}

/** Imports events as an export file of JSON lines, with the manifest at `manifestPath`. */
export async function importJson(
  events: Iterable<SimulatedEvent>,
  log: EventLog,
  manifestPath: string,
  nowMs: number,
): Promise<ImportOutcome> {
  const { ImportManifest, importStream } = await import('@flowledger/ingest');
  const manifest = await ImportManifest.open(manifestPath, Number.MAX_SAFE_INTEGER);
  try {
    return await importStream(Readable.from(jsonLines(events)), {
      tenant: TENANT,
      cluster: CLUSTER,
      source: 'import',
      partitions: log.partitions,
      append: (records) => log.append(records),
      manifest,
      now: () => nowMs,
    });
  } finally {
    await manifest.close();
  }
}

function* jsonLines(events: Iterable<SimulatedEvent>): Generator<Buffer> {
  for (const event of events) yield Buffer.from(`${toJsonLine(event)}\n`);
}
