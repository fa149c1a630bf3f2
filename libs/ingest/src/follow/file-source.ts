import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { shallowHubbleJson } from '@flowledger/model';
import { describeError, withLinkedSignal } from '@flowledger/platform';
import { AppendQueue, type AppendTarget } from '../append/append-queue.js';
import { FlowSampler, SampledLanes, type SamplingOptions } from '../policy/flow-sampler.js';
import type { SourceState } from '../relay/relay-source.js';
import { ArchiveReader } from './archive-reader.js';
import { readCheckpoints, writeCheckpoints, type Checkpoint } from './checkpoints.js';
import { findFiles, findRotated, missingFiles, type FoundFile } from './find-files.js';
import type { FileMetrics } from './file-metrics.js';
import { fingerprintOf, HEAD_BYTES } from './file-identity.js';
import { FollowedFile } from './followed-file.js';
import { FolderWatch } from './folder-watch.js';
import { FormerFiles } from './former-files.js';
import type { CutLine } from './line-cutter.js';

export interface FileSourceOptions extends AppendTarget {
  /** Paths with `*` and `?`. */
  readonly patterns: readonly string[];
  /** File that remembers how far each file was read. */
  readonly stateFile: string;
  readonly metrics: FileMetrics;
  /** How often files are looked at, ms; changes of a folder are looked at at once. Default 1 s. */
  readonly pollMs?: number;
  /** Bytes that may be on their way to the log. Default 32 MiB. */
  readonly bufferBytes?: number;
  /** Which flows are taken in. Default: all. */
  readonly sampling?: SamplingOptions;
  /** Between 0 and 1. Default Math.random. */
  readonly random?: () => number;
}

/** `source` of envelopes from followed files: the loader looks up what a relay may have brought before. */
export const FILE_SOURCE = 'hubble-file';

const MIB = 1024 * 1024;
/** A file that is written all the time is not looked at all the time. */
const LEAST_PAUSE_MS = 100;

/**
 * Follows Hubble export files: new lines as they come, through rotation by rename and by copy-truncate, compressed backups,
 * and restarts. A file is known by device, inode and its first bytes. In doubt it is read again: the loader removes copies.
 */
export class FileSource {
  readonly #options: FileSourceOptions;
  readonly #queue: AppendQueue<readonly Checkpoint[]>;
  readonly #lanes: SampledLanes;
  readonly #sampler: FlowSampler | undefined;
  readonly #files = new Map<string, FollowedFile>();
  /** Polls in a row in which a file that is no longer found brought nothing. */
  readonly #quiet = new Map<string, number>();
  readonly #archives: ArchiveReader;
  #former = new FormerFiles([]);
  #newestNs: bigint | undefined;
  #error: string | null = null;
  #told = '';
  #running = false;
  #saved = '';

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#queue = new AppendQueue<readonly Checkpoint[]>({
      ...options,
      maxBytes: options.bufferBytes ?? 32 * MIB,
      mark: () => this.#checkpoints(),
      onDurable: (files) => this.#save(files),
      random: options.random ?? Math.random,
    });
    const codec = 'hubble.export_json';
    this.#lanes = new SampledLanes((samplingRate) =>
      this.#queue.lane({ source: FILE_SOURCE, codec, samplingRate }),
    );
    this.#sampler = options.sampling === undefined ? undefined : new FlowSampler(options.sampling);
    this.#archives = new ArchiveReader(options.metrics, (lines) => this.#take(lines));
  }

  get states(): readonly SourceState[] {
    return [
      {
        source: 'file',
        target: this.#options.patterns.join(', '),
        state: this.#running ? (this.#error === null ? 'reading' : 'waiting') : 'stopped',
        parts: this.#files.size,
        newest:
          this.#newestNs === undefined ? null : new Date(Number(this.#newestNs / 1_000_000n)).toISOString(),
        reconnects: 0,
        pendingBytes: this.#queue.pendingBytes,
        error: this.#error,
      },
    ];
  }

  /** Follows until `signal` aborts; resolves when what was read is in the log. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, stateFile, pollMs = 1000 } = this.#options;
    this.#former = new FormerFiles(await readCheckpoints(stateFile));
    this.#running = true;
    const appending = this.#queue.run(signal);
    const folders = new FolderWatch();
    let first = true;
    try {
      while (!signal.aborted) {
        // From before the look, so that what changes meanwhile is not slept over.
        const changed = folders.changed();
        await this.#poll(first, folders, signal);
        first = false;
        const pauseMs = Math.min(pollMs, LEAST_PAUSE_MS);
        await clock.sleep(pauseMs, signal).catch(() => undefined);
        const rest = (either: AbortSignal): Promise<void> => clock.sleep(pollMs - pauseMs, either);
        await withLinkedSignal([signal, changed], rest).catch(() => undefined);
      }
    } finally {
      this.#running = false;
      folders.close();
      await appending;
      for (const file of this.#files.values()) await file.close();
    }
  }

  async #poll(first: boolean, folders: FolderWatch, signal: AbortSignal): Promise<void> {
    this.#error = null;
    let found = await findFiles(this.#options.patterns);
    if (first) {
      const missing = await missingFiles(this.#former.all, found);
      const rotated = await findRotated(missing);
      found = [...rotated, ...found];
      for (const lost of await missingFiles(missing, rotated)) this.#lost(lost);
    }
    folders.watch(found.map(({ path }) => dirname(path)));
    await this.#noticeReplaced();
    for (const file of found.filter(({ gzip }) => !gzip)) await this.#adopt(file);
    for (const file of found.filter(({ gzip }) => gzip)) {
      if (signal.aborted) return;
      await this.#guard(file.path, () => this.#archives.read(file, this.#former, [...this.#files.values()]));
    }
    const present = new Set(found.map(({ inode }) => inode));
    for (const file of this.#files.values()) {
      if (signal.aborted) return;
      await this.#guard(file.path, () => this.#read(file, present.has(file.inode), signal));
    }
  }

  /** Before new files are looked at, so that a copy of the old content is recognised. */
  async #noticeReplaced(): Promise<void> {
    for (const file of this.#files.values()) {
      const before = file.checkpoint(true);
      await this.#guard(file.path, async () => {
        if (!(await file.wasReplaced())) return;
        this.#former.add(before);
        this.#options.metrics.inc({ event: 'replaced' });
        this.#options.log.warn(
          { path: file.path, readTo: before.offset },
          'file was truncated, reading it anew',
        );
      });
    }
  }

  async #adopt({ path, inode }: FoundFile): Promise<void> {
    const known = this.#files.get(inode);
    if (known !== undefined) {
      known.path = path;
      this.#quiet.delete(inode);
      return;
    }
    await this.#guard(path, async () => {
      const handle = await open(path, 'r');
      try {
        const { dev, ino, size } = await handle.stat();
        // Rotated between looking and opening: the next poll sees what is where.
        if (`${dev}:${ino}` !== inode) return await handle.close();
        const head = await fingerprintOf(handle, HEAD_BYTES);
        const offset = await this.#former.offsetOf(inode, head, size, (bytes) =>
          fingerprintOf(handle, bytes),
        );
        this.#files.set(inode, new FollowedFile(path, inode, handle, head, offset));
        this.#options.metrics.inc({ event: 'opened' });
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** A file that is no longer found is read until it has been quiet for two polls: its writer may still hold it. */
  async #read(file: FollowedFile, present: boolean, signal: AbortSignal): Promise<void> {
    const any = await file.read((lines) => this.#take(lines), signal);
    if (present || any) {
      this.#quiet.delete(file.inode);
      return;
    }
    const quiet = (this.#quiet.get(file.inode) ?? 0) + 1;
    this.#quiet.set(file.inode, quiet);
    if (quiet < 2) return;
    await file.finish((lines) => this.#take(lines));
    this.#quiet.delete(file.inode);
    this.#files.delete(file.inode);
    this.#former.add(file.checkpoint(true));
    this.#options.metrics.inc({ event: 'rotated' });
    await file.close();
  }

  /** Adds all lines before it waits: a mark never lies between them. */
  async #take(lines: readonly CutLine[]): Promise<void> {
    for (const { bytes } of lines) {
      const { node, timeNs } = shallowHubbleJson(bytes);
      if (timeNs !== undefined && (this.#newestNs === undefined || timeNs > this.#newestNs))
        this.#newestNs = timeNs;
      const rate = this.#sampler?.line(bytes) ?? 1;
      if (rate > 0) this.#lanes.at(rate).add(node, bytes, timeNs);
    }
    if (this.#queue.full) await this.#queue.room();
  }

  #lost({ path, offset }: Checkpoint): void {
    this.#options.metrics.inc({ event: 'lost' });
    this.#options.log.warn(
      { path, readTo: offset },
      'file was removed before it was read to its end, perhaps',
    );
  }

  /** A file that cannot be read is tried again at the next poll, and told once. */
  async #guard(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const text = `${path}: ${describeError(error)}`;
      if (this.#told !== text)
        this.#options.log.warn({ path, error: describeError(error) }, 'file cannot be read');
      this.#told = text;
      this.#error = text;
    }
  }

  #checkpoints(): readonly Checkpoint[] {
    const open = [...this.#files.values()].map((file) => file.checkpoint());
    return [...this.#former.all, ...this.#archives.checkpoints, ...open];
  }

  async #save(files: readonly Checkpoint[]): Promise<void> {
    const text = JSON.stringify(files);
    if (text === this.#saved) return;
    try {
      await writeCheckpoints(this.#options.stateFile, files);
      this.#saved = text;
    } catch (error) {
      // Without it the next start reads more than it needs; the loader takes the copies away.
      this.#options.log.warn({ error: describeError(error) }, 'checkpoints were not saved');
    }
  }
}
