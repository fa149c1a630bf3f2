import { createHash } from 'node:crypto';
import { encodeEvents, joinEnvelope, type Codec, type EnvelopeHeader } from '@flowledger/model';
import type { AppendRecord } from '@flowledger/event-log';

/** What all envelopes of one packer have in common. */
export interface PackerOptions {
  readonly tenant: string;
  readonly cluster: string;
  /** Who brought the events: `demo`, `import`, `hubble-file`, … */
  readonly source: string;
  readonly codec: Codec;
  readonly partitions: number;
  /** Milliseconds since the epoch; the envelope's received time. */
  readonly now: () => number;
  /** An envelope is closed at this many events. Default 1,000 (design section 3). */
  readonly maxEvents?: number;
  /** An envelope is closed at this many bytes of events. Default 256 KiB. */
  readonly maxBytes?: number;
  /** Adds the digest and index that make an import recognisable. */
  readonly digest?: boolean;
  /** One of so many flows was kept by a sampling policy. Default 1. */
  readonly samplingRate?: number;
}

/** A closed envelope, ready to append. */
export interface PackedEnvelope {
  readonly record: AppendRecord;
  readonly stream: string;
  /** SHA-256 over the events with their lengths; present when `digest` was asked for. */
  readonly digest?: Buffer;
  readonly index: number;
}

interface OpenEnvelope {
  events: Uint8Array[];
  bytes: number;
  firstTimeNs: bigint | undefined;
  lastTimeNs: bigint | undefined;
  openedMs: number;
  index: number;
}

/**
 * Packs raw events into envelopes, one open envelope a stream (tenant, cluster, node). Closing depends only on the
 * events, so the same file is always cut the same way; {@link Packer.flush} closes what is left. It never decodes.
 * Memory is bounded by streams × (maxBytes + one event).
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #open = new Map<string, OpenEnvelope>();
  readonly #maxEvents: number;
  readonly #maxBytes: number;

  constructor(options: PackerOptions) {
    this.#options = options;
    this.#maxEvents = options.maxEvents ?? 1000;
    this.#maxBytes = options.maxBytes ?? 256 * 1024;
  }

  /** Adds one event (the bytes are kept, not copied); returns the envelope that this event filled, if any. */
  add(stream: string, event: Uint8Array, timeNs: bigint | undefined): PackedEnvelope | undefined {
    let open = this.#open.get(stream);
    if (open === undefined) {
      open = {
        events: [],
        bytes: 0,
        firstTimeNs: undefined,
        lastTimeNs: undefined,
        openedMs: this.#options.now(),
        index: 0,
      };
      this.#open.set(stream, open);
    }
    if (open.events.length === 0) open.openedMs = this.#options.now();
    open.events.push(event);
    open.bytes += event.length;
    if (timeNs !== undefined) {
      if (open.firstTimeNs === undefined || timeNs < open.firstTimeNs) open.firstTimeNs = timeNs;
      if (open.lastTimeNs === undefined || timeNs > open.lastTimeNs) open.lastTimeNs = timeNs;
    }
    return open.events.length >= this.#maxEvents || open.bytes >= this.#maxBytes
      ? this.#close(stream, open)
      : undefined;
  }

  /** Closes every envelope opened at or before `openedBeforeMs` (default: all of them). */
  flush(openedBeforeMs = Infinity): PackedEnvelope[] {
    const closed: PackedEnvelope[] = [];
    for (const [stream, open] of this.#open) {
      if (open.events.length > 0 && open.openedMs <= openedBeforeMs) closed.push(this.#close(stream, open));
    }
    return closed;
  }

  #close(stream: string, open: OpenEnvelope): PackedEnvelope {
    const { tenant, cluster, source, codec, partitions, now, samplingRate = 1 } = this.#options;
    const events = encodeEvents(open.events);
    const digest = this.#options.digest === true ? createHash('sha256').update(events).digest() : undefined;
    const header: EnvelopeHeader = {
      version: 1,
      tenant,
      cluster,
      stream,
      source,
      codec,
      count: open.events.length,
      receivedMs: now(),
      ...(open.firstTimeNs === undefined ? {} : { firstTimeNs: open.firstTimeNs }),
      ...(open.lastTimeNs === undefined ? {} : { lastTimeNs: open.lastTimeNs }),
      ...(digest === undefined ? {} : { chunkDigest: digest, chunkIndex: open.index }),
      ...(samplingRate > 1 ? { samplingRate } : {}),
    };
    const value = joinEnvelope(header, events);
    const record = {
      partition: partitionOf(tenant, cluster, stream, partitions),
      events: open.events.length,
      value,
    };
    const packed = { record, stream, index: open.index, ...(digest === undefined ? {} : { digest }) };
    open.events = [];
    open.bytes = 0;
    open.firstTimeNs = undefined;
    open.lastTimeNs = undefined;
    open.index++;
    return packed;
  }
}

/**
 * Partition of a stream: FNV-1a over tenant, cluster and node, so that what one node saw is always in one partition.
 * The formula is part of the log's format: changing it would move streams between partitions.
 */
export function partitionOf(tenant: string, cluster: string, stream: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${tenant}\0${cluster}\0${stream}`, 'utf8')) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % partitions;
}
