import type { Readable } from 'node:stream';
import { shallowHubbleJson } from '@flowledger/model';
import type { AppendRecord, LogPosition } from '@flowledger/event-log';
import type { ImportManifest } from './manifest.js';
import { Packer, type PackedEnvelope } from './packer.js';
import { DamagedGzip, readLines } from './lines.js';
import { OffsetRanges } from './offset-ranges.js';

export interface ImportOptions {
  readonly tenant: string;
  readonly cluster: string;
  /** `import` for the command, `hubble-file` for the start option. */
  readonly source: 'import' | 'hubble-file';
  readonly partitions: number;
  readonly append: (records: readonly AppendRecord[]) => Promise<readonly LogPosition[]>;
  readonly manifest: ImportManifest;
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** Contiguous offsets of one partition, both ends inclusive. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** What became of one file at the log; the loader's verdicts on the appended events come later, by position. */
export interface ImportOutcome {
  /** Non-empty lines. */
  readonly read: number;
  /** Lines appended to the log. */
  readonly appended: number;
  /** Lines in chunks that the log already held. */
  readonly duplicate: number;
  /** Faults of the file itself: `gz_corrupt`. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly ranges: readonly OffsetRange[];
}

/** Appends in flight at once: enough to hide the fsync and to share it, little enough to bound memory (16 × 256 KiB). */
const IN_FLIGHT = 16;

/**
 * Reads a Hubble export file (JSON lines, gzip or plain) into the log. Idempotent: cutting into chunks depends only on
 * the content, and known chunks are not appended again. Awaiting the append is the back-pressure.
 */
export async function importStream(input: Readable, options: ImportOptions): Promise<ImportOutcome> {
  const packer = new Packer({ ...options, codec: 'hubble.export_json', digest: true });
  const writer = new ChunkWriter(options, packer);
  let read = 0;
  const rejected: Record<string, number> = {};
  try {
    for await (const lines of readLines(input)) {
      options.signal?.throwIfAborted();
      for (const line of lines) {
        read++;
        const shallow = shallowHubbleJson(line.bytes);
        const packed = packer.add(shallow.node, line.bytes, shallow.timeNs);
        if (packed !== undefined) await writer.write(packed);
      }
    }
  } catch (error) {
    if (!(error instanceof DamagedGzip)) throw error;
    rejected['gz_corrupt'] = 1;
  }
  for (const packed of packer.flush()) await writer.write(packed);
  await writer.drain();
  return { read, appended: writer.appended, duplicate: writer.duplicate, rejected, ranges: writer.ranges() };
}

class ChunkWriter {
  appended = 0;
  duplicate = 0;
  readonly #options: ImportOptions;
  readonly #packer: Packer;
  readonly #flights: Promise<void>[] = [];
  readonly #ranges = new OffsetRanges();

  constructor(options: ImportOptions, packer: Packer) {
    this.#options = options;
    this.#packer = packer;
  }

  async write(packed: PackedEnvelope): Promise<void> {
    const { manifest, now } = this.#options;
    if (packed.digest !== undefined && manifest.has(packed.digest, packed.index, now())) {
      this.duplicate += packed.record.events;
      this.#packer.reuse(packed);
      return;
    }
    this.appended += packed.record.events;
    const flight = this.#append(packed);
    // A rejection is seen when the flight is awaited; this only keeps it from being reported as unhandled before.
    flight.catch(() => {});
    this.#flights.push(flight);
    if (this.#flights.length >= IN_FLIGHT) await this.#flights.shift();
  }

  async drain(): Promise<void> {
    for (const flight of this.#flights.splice(0)) await flight;
  }

  ranges(): OffsetRange[] {
    return this.#ranges.list();
  }

  async #append(packed: PackedEnvelope): Promise<void> {
    const { append, manifest, now } = this.#options;
    const positions = await append([packed.record]);
    this.#ranges.add(positions);
    if (packed.digest !== undefined)
      await manifest.add([{ digest: packed.digest, index: packed.index }], now());
    this.#packer.reuse(packed);
  }
}
