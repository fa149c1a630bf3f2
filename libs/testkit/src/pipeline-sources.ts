import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppendRecord, EventLog, LogPosition } from '@flowledger/event-log';
import type { ImportOutcome } from '@flowledger/ingest';
import { toJsonLine, type SimulatedEvent } from '@flowledger/simulator';

/** What envelopes of a test pipeline belong to; node names say their own cluster. */
export const TENANT = 'default';
const CLUSTER = 'demo';
const APPEND_AT_ONCE = 8;

/** Resolves when readers see the records: at durability `process` that is a moment after they were appended. */
async function untilSeen(log: EventLog, positions: readonly LogPosition[]): Promise<void> {
  for (const { partition, offset } of positions)
    while ((await log.bounds(partition)).end <= offset) await delay(5);
}

/** Packs events as a source would and appends them in order; resolves with their number when readers see them. */
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
  const appended: LogPosition[] = [];
  let count = 0;
  for (const event of events) {
    count++;
    const packed = packer.add(event.node, event.bytes, event.timeNs);
    if (packed !== undefined) full.push(packed.record);
    if (full.length >= APPEND_AT_ONCE) appended.push(...(await log.append(full.splice(0))));
  }
  full.push(...packer.flush().map((packed) => packed.record));
  if (full.length > 0) appended.push(...(await log.append(full)));
  await untilSeen(log, appended);
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
  const appended: LogPosition[] = [];
  try {
    const outcome = await importStream(Readable.from(jsonLines(events)), {
      tenant: TENANT,
      cluster: CLUSTER,
      source: 'import',
      partitions: log.partitions,
      append: async (records) => {
        const positions = await log.append(records);
        appended.push(...positions);
        return positions;
      },
      manifest,
      now: () => nowMs,
    });
    await untilSeen(log, appended);
    return outcome;
  } finally {
    await manifest.close();
  }
}

function* jsonLines(events: Iterable<SimulatedEvent>): Generator<Buffer> {
  for (const event of events) yield Buffer.from(`${toJsonLine(event)}\n`);
}
