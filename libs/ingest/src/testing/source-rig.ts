import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  openEmbeddedLog,
  type AppendRecord,
  type EmbeddedLog,
  type StoredRecord,
} from '@flowledger/event-log';
import {
  decodeEnvelope,
  DuplicateRule,
  Projection,
  shallowHubbleProto,
  WireFields,
  type EnvelopeHeader,
} from '@flowledger/model';
import { openMetrics, silentLog, systemClock, type Metrics } from '@flowledger/platform';
import { openFileMetrics } from '../follow/file-metrics.js';
import { FileSource, type FileSourceOptions } from '../follow/file-source.js';
import { openRelayMetrics } from '../relay/relay-metrics.js';
import { PeerSource, type PeerSourceOptions } from '../relay/peer-source.js';
import { RelaySource, type RelaySourceOptions } from '../relay/relay-source.js';

/** A status of a node, or a loss, that is in the log. */
export interface LoggedEvent {
  readonly kind: 'node_status' | 'lost_events';
  /** NodeState or LostEventSource number. */
  readonly type: number;
  readonly nodes: readonly string[];
  readonly text: string;
  readonly lost: bigint;
  readonly timeNs: bigint | undefined;
}

/** What the log holds, as the loader would judge it. */
export interface LogContent {
  /** Distinct UUIDs of flows, sorted. */
  readonly uuids: readonly string[];
  /** Flows that would become rows. */
  readonly flows: number;
  readonly duplicates: number;
  readonly dead: number;
  readonly events: readonly LoggedEvent[];
  readonly headers: readonly EnvelopeHeader[];
}

const KEPT_MS = 20_000 * 86_400_000;

/** An embedded log of its own and relay sources that write to it; `close` removes everything. */
export class SourceRig {
  readonly metrics: Metrics = openMetrics();
  readonly #relayMetrics = openRelayMetrics(this.metrics);
  readonly #fileMetrics = openFileMetrics(this.metrics);
  readonly #running: { readonly stop: AbortController; readonly done: Promise<void> }[] = [];
  /** Replaces appending, for tests of back-pressure and refusal. */
  append: (records: readonly AppendRecord[]) => Promise<unknown>;

  private constructor(
    readonly directory: string,
    readonly log: EmbeddedLog,
  ) {
    this.append = (records) => log.append(records);
  }

  static async open(): Promise<SourceRig> {
    const directory = await mkdtemp(join(tmpdir(), 'flowledger-source-'));
    const log = await openEmbeddedLog({
      directory: join(directory, 'log'),
      mode: 'writer',
      partitions: 2,
      durability: 'process',
      flushMs: 5,
    });
    return new SourceRig(directory, log);
  }

  get stateFile(): string {
    return join(this.directory, 'relay.json');
  }

  /** A source with the shortest waits that make sense. */
  relay(options: Partial<RelaySourceOptions> & Pick<RelaySourceOptions, 'address'>): RelaySource {
    return new RelaySource({ ...this.#common(), stateFile: this.stateFile, ...options });
  }

  #common(): Omit<RelaySourceOptions, 'address' | 'stateFile'> {
    return {
      tenant: 'default',
      cluster: 'demo',
      partitions: this.log.partitions,
      append: (records) => this.append(records),
      clock: systemClock,
      log: silentLog,
      metrics: this.#relayMetrics,
      backOff: { baseMs: 20, capMs: 200 },
    };
  }

  /** A source of agents that a peer service tells of. */
  peers(options: Partial<PeerSourceOptions> & Pick<PeerSourceOptions, 'address'>): PeerSource {
    return new PeerSource({
      ...this.#common(),
      stateDirectory: join(this.directory, 'agents'),
      ...options,
    });
  }

  /** A source of files in the rig's directory. */
  files(options: Partial<FileSourceOptions> & Pick<FileSourceOptions, 'patterns'>): FileSource {
    const { metrics: _relay, ...common } = this.#common();
    const stateFile = join(this.directory, 'files.json');
    return new FileSource({ ...common, stateFile, metrics: this.#fileMetrics, pollMs: 20, ...options });
  }

  /** Starts a source; the result stops it and waits until it has. */
  run(source: { run(signal: AbortSignal): Promise<void> }): () => Promise<void> {
    const stop = new AbortController();
    const done = source.run(stop.signal);
    done.catch(() => undefined);
    this.#running.push({ stop, done });
    return () => {
      stop.abort();
      return done;
    };
  }

  /** Everything in the log, partition by partition, oldest first. */
  async content(): Promise<LogContent> {
    const reading = new LogReading();
    for (let partition = 0; partition < this.log.partitions; partition++) {
      reading.begin(this.log.epoch, partition);
      const { end } = await this.log.bounds(partition);
      for (let next = 0n; next < end;) {
        const { records } = await this.log.read(partition, next, { maxBytes: 2 ** 24, maxWaitMs: 0 });
        for (const record of records) reading.add(record);
        next += BigInt(records.length);
      }
    }
    return reading.content();
  }

  async close(): Promise<void> {
    for (const { stop } of this.#running) stop.abort();
    await Promise.allSettled(this.#running.map(({ done }) => done));
    await this.log.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Judges records as the loader does, without a store: the window alone decides about duplicates. */
class LogReading {
  readonly #uuids = new Set<string>();
  readonly #events: LoggedEvent[] = [];
  readonly #headers: EnvelopeHeader[] = [];
  #rule = new DuplicateRule();
  #projection: Projection | undefined;
  #flows = 0;
  #duplicates = 0;
  #dead = 0;

  begin(logEpoch: bigint, partition: number): void {
    const rule = new DuplicateRule();
    this.#rule = rule;
    this.#projection = new Projection({
      logEpoch,
      partition,
      rawTtlMs: KEPT_MS,
      isDuplicate: (stream, key) => rule.isDuplicate(stream, key),
    });
  }

  add(record: StoredRecord): void {
    this.#rule.beginRecord(record);
    const account = this.#projection?.add(record);
    this.#flows += account?.flows ?? 0;
    this.#duplicates += account?.duplicates ?? 0;
    this.#dead += account?.dead ?? 0;
    const envelope = decodeEnvelope(record.value);
    if (!envelope.ok) return;
    const { header, events } = envelope.value;
    this.#headers.push(header);
    for (const event of events) this.#look(event, header.codec === 'hubble.export_json');
  }

  #look(event: Uint8Array, json: boolean): void {
    if (json) {
      const uuid = /"uuid":"([^"]+)"/.exec(Buffer.from(event).toString())?.[1];
      if (uuid !== undefined) this.#uuids.add(uuid);
      return;
    }
    const response = new WireFields(event);
    const uuid = response.message(1)?.text(34);
    if (uuid !== undefined) this.#uuids.add(uuid);
    const other = response.message(2) ?? response.message(3);
    if (other === undefined) return;
    const status = response.has(2);
    this.#events.push({
      kind: status ? 'node_status' : 'lost_events',
      type: other.int32(1),
      nodes: status ? other.texts(2) : [response.text(1000)],
      text: status ? other.text(3) : '',
      lost: status ? 0n : other.uint64(2),
      timeNs: shallowHubbleProto(event).timeNs,
    });
  }

  content(): LogContent {
    return {
      uuids: [...this.#uuids].sort(),
      flows: this.#flows,
      duplicates: this.#duplicates,
      dead: this.#dead,
      events: this.#events,
      headers: this.#headers,
    };
  }
}

const DEADLINE_MS = 15_000;

/** Asks again and again until the answer is true; rejects after 15 s, saying what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(40);
  }
}

/** UUIDs of simulated flows, sorted. */
export function uuidsOf(events: Iterable<{ readonly kind: string; readonly bytes: Uint8Array }>): string[] {
  const uuids: string[] = [];
  for (const { kind, bytes } of events)
    if (kind === 'flow') uuids.push(new WireFields(bytes).message(1)?.text(34) ?? '');
  return uuids.sort();
}
