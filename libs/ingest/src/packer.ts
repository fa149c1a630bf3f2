import { createHash } from 'node:crypto';
import { joinEnvelope, type Codec, type EnvelopeHeader } from '@flowledger/model';
import type { AppendRecord } from '@flowledger/event-log';
import { EventBuffers, type EventBuffer } from './event-buffers.js';

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
  /** Memory of `record.value`, for {@link Packer.reuse}. */
  readonly buffer: EventBuffer;
}

interface OpenEnvelope {
  /** Undefined while the stream has no open envelope. */
  events: EventBuffer | undefined;
  count: number;
  /** Without the lengths before the events. */
  bytes: number;
  firstTimeNs: bigint | undefined;
  lastTimeNs: bigint | undefined;
  openedMs: number;
  index: number;
  /** Bytes of the envelope before: the next one will be about as long. */
  lastBytes: number;
}

const NO_EVENTS = new Uint8Array(0);

/**
 * Packs raw events into envelopes, one open envelope a stream (tenant, cluster, node). Closing depends only on the
 * events, so the same file is always cut the same way; {@link Packer.flush} closes what is left. It never decodes.
 * Memory is bounded by open envelopes × twice (maxBytes + one event), and 16 MiB for envelopes to come.
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #open = new Map<string, OpenEnvelope>();
  readonly #buffers = new EventBuffers();
  readonly #maxEvents: number;
  readonly #maxBytes: number;

  constructor(options: PackerOptions) {
    this.#options = options;
    this.#maxEvents = options.maxEvents ?? 1000;
    this.#maxBytes = options.maxBytes ?? 256 * 1024;
  }

  /** Adds one event (its bytes are copied); returns the envelope that this event filled, if any. */
  add(stream: string, event: Uint8Array, timeNs: bigint | undefined): PackedEnvelope | undefined {
    const open = this.#open.get(stream) ?? this.#newStream(stream);
    if (open.events === undefined) {
      open.events = this.#buffers.take(open.lastBytes + open.lastBytes / 8);
      open.openedMs = this.#options.now();
    }
    open.events.add(event);
    open.count++;
    open.bytes += event.length;
    if (timeNs !== undefined) {
      if (open.firstTimeNs === undefined || timeNs < open.firstTimeNs) open.firstTimeNs = timeNs;
      if (open.lastTimeNs === undefined || timeNs > open.lastTimeNs) open.lastTimeNs = timeNs;
    }
    return open.count >= this.#maxEvents || open.bytes >= this.#maxBytes
      ? this.#close(stream, open, open.events)
      : undefined;
  }

  /** Closes every envelope opened at or before `openedBeforeMs` (default: all of them). */
  flush(openedBeforeMs = Infinity): PackedEnvelope[] {
    const closed: PackedEnvelope[] = [];
    for (const [stream, open] of this.#open) {
      if (open.events !== undefined && open.openedMs <= openedBeforeMs)
        closed.push(this.#close(stream, open, open.events));
    }
    return closed;
  }

  /** Takes back the memory of an envelope whose record nobody reads any more; its value is no longer valid. */
  reuse(packed: PackedEnvelope): void {
    this.#buffers.give(packed.buffer);
  }

  #newStream(stream: string): OpenEnvelope {
    const open: OpenEnvelope = {
      events: undefined,
      count: 0,
      bytes: 0,
      firstTimeNs: undefined,
      lastTimeNs: undefined,
      openedMs: 0,
      index: 0,
      lastBytes: 0,
    };
    this.#open.set(stream, open);
    return open;
  }

  #close(stream: string, open: OpenEnvelope, buffer: EventBuffer): PackedEnvelope {
    const { tenant, cluster, partitions } = this.#options;
    const digest =
      this.#options.digest === true ? createHash('sha256').update(buffer.events).digest() : undefined;
    const value = buffer.record(joinEnvelope(this.#header(stream, open, digest), NO_EVENTS));
    const { count, index } = open;
    open.events = undefined;
    open.count = 0;
    open.lastBytes = value.length;
    open.bytes = 0;
    open.firstTimeNs = undefined;
    open.lastTimeNs = undefined;
    open.index++;
    const record = { partition: partitionOf(tenant, cluster, stream, partitions), events: count, value };
    return { record, stream, index, buffer, ...(digest === undefined ? {} : { digest }) };
  }

  #header(stream: string, open: OpenEnvelope, digest: Buffer | undefined): EnvelopeHeader {
    const { tenant, cluster, source, codec, now, samplingRate = 1 } = this.#options;
    return {
      version: 1,
      tenant,
      cluster,
      stream,
      source,
      codec,
      count: open.count,
      receivedMs: now(),
      ...(open.firstTimeNs === undefined ? {} : { firstTimeNs: open.firstTimeNs }),
      ...(open.lastTimeNs === undefined ? {} : { lastTimeNs: open.lastTimeNs }),
      ...(digest === undefined ? {} : { chunkDigest: digest, chunkIndex: open.index }),
      ...(samplingRate > 1 ? { samplingRate } : {}),
    };
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
