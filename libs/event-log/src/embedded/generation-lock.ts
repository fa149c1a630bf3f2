import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '@flowledger/platform';
import { errnoOf, readSmallFile, replaceSmallFile, writeSmallFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { generationName, generationsIn } from './layout.js';
import type { Liveness, ProcessIdentity, ProcessTable } from './process-table.js';

/** A heartbeat every second; an owner we cannot see is given up after ten seconds without one. */
export const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 10_000;
const OWNER_FILE = 'owner';

interface Owner extends ProcessIdentity {
  readonly released: boolean;
}

/** Ownership of a lock: the right to write in `directory` until `isCurrent` says no. */
export interface HeldLock {
  /** Rises by at least one with every acquisition, for ever. */
  readonly generation: number;
  readonly directory: string;
  /** False once anybody acquired a later generation. */
  isCurrent(): Promise<boolean>;
  /** Shows processes that cannot see ours that we live. */
  beat(): Promise<void>;
  /** Lets the next one in at once. Idempotent. */
  release(): Promise<void>;
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  const texts = ['host', 'started', 'boot', 'namespace'].every(
    (name) => typeof fields.get(name) === 'string',
  );
  return texts && typeof fields.get('pid') === 'number' && typeof fields.get('released') === 'boolean';
}

function parseOwner(content: Buffer): Owner | undefined {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Names in a directory; none when the directory is missing. */
export async function listOrNone(fs: FileSystem, directory: string): Promise<readonly string[]> {
  try {
    return await fs.list(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The highest generation ever acquired under `root`, or 0. */
export async function latestGeneration(fs: FileSystem, root: string): Promise<number> {
  return generationsIn(await listOrNone(fs, root)).at(-1) ?? 0;
}

/**
 * A lock between processes on one directory, made of directories that are numbered and never reused: whoever renames
 * a prepared directory to the next number owns the lock, and the highest number is the owner. Nobody ever removes a
 * lock to take it over, so there is no moment at which two waiters can both think that they did, and the number is a
 * fencing token: what an overtaken owner still writes lands in a directory that nobody reads any more.
 */
export class GenerationLock {
  /** Whether the owner met by the last call runs where we cannot see it, so that waiting may still bring an answer. */
  ownerIsUnseen = false;
  private heard: { readonly generation: number; readonly beat: number; readonly since: number } | undefined;

  constructor(
    private readonly fs: FileSystem,
    private readonly root: string,
    private readonly processes: ProcessTable,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes the lock when its last owner released it or is gone; otherwise undefined, and the caller asks again later.
   * An owner that cannot be seen is judged by its heartbeat over several calls. `prepare` fills the new directory
   * from the previous owner's (undefined the first time) before it becomes visible.
   */
  async tryAcquire(
    prepare: (previous: string | undefined, next: string) => Promise<void>,
  ): Promise<HeldLock | undefined> {
    await this.fs.makeDirectory(this.root);
    const previous = await latestGeneration(this.fs, this.root);
    const previousDirectory = join(this.root, generationName(previous));
    if (previous > 0 && !(await this.isFree(previous, previousDirectory))) return undefined;
    const generation = previous + 1;
    const owner: Owner = { ...(await this.processes.self()), released: false };
    const directory = join(this.root, generationName(generation));
    const from = previous > 0 ? previousDirectory : undefined;
    const claimed = await this.stage(generation, owner, (staging) => prepare(from, staging), directory);
    if (!claimed) return undefined;
    const held = this.hold(generation, directory, owner);
    if (!(await held.isCurrent())) {
      // We were overtaken so long ago that our number had been cleaned away: it is not a live generation.
      await this.fs.removeDirectory(directory);
      return undefined;
    }
    await this.removeOlder(generation);
    return held;
  }

  /** Fills a directory out of sight and gives it its number; false when somebody else was faster. */
  private async stage(
    generation: number,
    owner: Owner,
    prepare: (staging: string) => Promise<void>,
    directory: string,
  ): Promise<boolean> {
    const staging = join(this.root, `next-${generation}-${randomBytes(6).toString('hex')}`);
    try {
      await this.fs.makeDirectory(staging);
      await writeSmallFile(this.fs, join(staging, OWNER_FILE), Buffer.from(JSON.stringify(owner)));
      await prepare(staging);
      await this.fs.syncDirectory(staging);
    } catch (error) {
      await this.fs.removeDirectory(staging);
      // Later owners remove what is too late to be of use, from under its maker's hands.
      if (errnoOf(error) === 'ENOENT' && (await latestGeneration(this.fs, this.root)) >= generation)
        return false;
      throw error;
    }
    return this.claim(staging, directory);
  }

  private async claim(staging: string, directory: string): Promise<boolean> {
    try {
      await this.fs.rename(staging, directory);
      await this.fs.syncDirectory(this.root);
      return true;
    } catch (error) {
      await this.fs.removeDirectory(staging);
      const lostRace = ['EEXIST', 'ENOTEMPTY', 'ENOENT', 'EPERM'].includes(errnoOf(error) ?? '');
      if (lostRace) return false;
      throw error;
    }
  }

  private async isFree(generation: number, directory: string): Promise<boolean> {
    const path = join(directory, OWNER_FILE);
    try {
      const owner = parseOwner(await readSmallFile(this.fs, path));
      if (owner?.released === true) return true;
      const liveness: Liveness = owner === undefined ? 'unknown' : await this.processes.liveness(owner);
      this.ownerIsUnseen = liveness === 'unknown';
      if (liveness !== 'unknown') return liveness === 'dead';
      return this.isSilent(generation, await this.fs.modifiedMs(path));
    } catch (error) {
      // Somebody is cleaning the directory up, so there is a later owner to look at next time.
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  private isSilent(generation: number, beat: number): boolean {
    const now = this.clock.monotonic();
    if (this.heard === undefined || this.heard.generation !== generation || this.heard.beat !== beat) {
      this.heard = { generation, beat, since: now };
    }
    return now - this.heard.since >= SILENCE_MS;
  }

  private hold(generation: number, directory: string, owner: Owner): HeldLock {
    const path = join(directory, OWNER_FILE);
    const isCurrent = async (): Promise<boolean> =>
      (await latestGeneration(this.fs, this.root)) === generation;
    return {
      generation,
      directory,
      isCurrent,
      beat: () => this.fs.touch(path),
      release: async () => {
        if (!(await isCurrent())) return;
        try {
          await replaceSmallFile(this.fs, path, Buffer.from(JSON.stringify({ ...owner, released: true })));
        } catch (error) {
          // Overtaken and cleaned away in this very moment: there is nothing left to release.
          if (errnoOf(error) !== 'ENOENT') throw error;
        }
      },
    };
  }

  /** Removes what earlier generations and losers of earlier races left. */
  private async removeOlder(current: number): Promise<void> {
    for (const name of await this.fs.list(this.root)) {
      const staged = /^next-(\d+)-/.exec(name)?.[1];
      const generation = generationsIn([name])[0] ?? (staged === undefined ? current + 1 : Number(staged));
      const stale = staged === undefined ? generation < current : generation <= current;
      if (stale) await this.fs.removeDirectory(join(this.root, name));
    }
  }
}
