import { dirname } from 'node:path';
import type { FileSystem, LogFile } from '../embedded/file-system.js';

type ChangeKind = 'write' | 'truncate';

interface Change {
  readonly kind: ChangeKind;
  readonly position: number;
  readonly bytes: Buffer;
}

/** A file's content as programs see it, and as it is on the disk: the difference is what was not synced. */
class Inode {
  live: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  pending: Change[] = [];
  modifiedMs = 0;
}

interface DirectoryChange {
  readonly name: string;
  /** The inode the name then leads to, or undefined when it was removed. */
  readonly to: Inode | undefined;
}

interface Directory {
  readonly live: Map<string, Inode>;
  readonly durable: Map<string, Inode>;
  pending: DirectoryChange[];
}

/** Which of the calls fails next, and how. */
export type FaultPoint = 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'open';

/** What a power cut does to what was not synced. */
export type Chance = (below: number) => number;

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function applied(content: Buffer, { kind, position, bytes }: Change): Buffer {
  if (kind === 'truncate') return content.length > position ? content.subarray(0, position) : content;
  const length = Math.max(content.length, position + bytes.length);
  const next = Buffer.alloc(length);
  content.copy(next);
  bytes.copy(next, position);
  return next;
}

/**
 * A file system in memory that knows what a power cut may take: content that was not fdatasynced (whole writes, or
 * parts of them, in any order) and directory entries that were not synced (a prefix of the changes of each directory
 * survives; creating, renaming and removing whole directories is taken to be durable). It can also lose power after a number of operations, run out of space and fail a call.
 */
export class SimulatedDisk implements FileSystem {
  private directories = new Map<string, Directory>();
  private readonly faults = new Map<FaultPoint, string>();
  private failing = 0;
  /** Operations until the power goes; everything after that rejects. */
  private operationsLeft = Number.POSITIVE_INFINITY;
  private clockMs = 0;
  /** Bytes all files together may hold. */
  capacity = Number.POSITIVE_INFINITY;

  /** The next `times` calls of that kind reject with this errno (a write after storing half of its bytes). */
  failNext(point: FaultPoint, code: string, times = 1): void {
    this.faults.set(point, code);
    this.failing = times;
  }

  /** The machine stops after this many more operations. */
  stopAfter(operations: number): void {
    this.operationsLeft = operations;
  }

  get stopped(): boolean {
    return this.operationsLeft <= 0;
  }

  /** Every process is killed: nothing is lost, whatever was written stays. Returns the disk for the next processes. */
  killProcesses(): SimulatedDisk {
    this.operationsLeft = 0;
    const next = new SimulatedDisk();
    next.capacity = this.capacity;
    next.directories = this.directories;
    return next;
  }

  /** The power goes: returns the disk as the next boot finds it. */
  cutPower(chance: Chance): SimulatedDisk {
    this.operationsLeft = 0;
    const next = new SimulatedDisk();
    next.capacity = this.capacity;
    for (const [path, directory] of this.directories) {
      const kept = chance(directory.pending.length + 1);
      for (const change of directory.pending.slice(0, kept)) enter(directory.durable, change);
      const files = new Map<string, Inode>();
      for (const [name, inode] of directory.durable) files.set(name, survivor(inode, chance));
      next.directories.set(path, { live: files, durable: new Map(files), pending: [] });
    }
    return next;
  }

  async open(path: string, mode: 'read' | 'update' | 'fresh'): Promise<LogFile> {
    await this.operate('open');
    const directory = this.directory(dirname(path));
    let inode = directory.live.get(path);
    if (mode !== 'fresh') {
      if (inode === undefined) throw systemError('ENOENT');
    } else if (inode === undefined) {
      inode = new Inode();
      this.change(directory, { name: path, to: inode });
    } else {
      this.alter(inode, { kind: 'truncate', position: 0, bytes: Buffer.alloc(0) });
    }
    return this.handle(inode);
  }

  async list(path: string): Promise<readonly string[]> {
    await this.operate();
    const directory = this.directory(path);
    const names = [...directory.live.keys()].map((name) => name.slice(path.length + 1));
    const below = [...this.directories.keys()].filter((name) => dirname(name) === path);
    return [...names, ...below.map((name) => name.slice(path.length + 1))];
  }

  async makeDirectory(path: string): Promise<void> {
    await this.operate();
    for (let at = path; !this.directories.has(at); at = dirname(at)) {
      this.directories.set(at, { live: new Map(), durable: new Map(), pending: [] });
      if (dirname(at) === at) return;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.operate('rename');
    const moved = this.directories.get(from);
    if (moved !== undefined) {
      this.renameDirectory(from, to, moved);
      return;
    }
    const directory = this.directory(dirname(from));
    const inode = directory.live.get(from);
    if (inode === undefined) throw systemError('ENOENT');
    if (dirname(to) !== dirname(from)) throw systemError('EXDEV');
    // One change for both names: a rename is atomic, it cannot survive by half.
    this.change(directory, { name: to, to: inode });
    directory.live.delete(from);
    directory.durable.delete(from);
  }

  async remove(path: string): Promise<void> {
    await this.operate('remove');
    const directory = this.directory(dirname(path));
    if (!directory.live.has(path)) throw systemError('ENOENT');
    this.change(directory, { name: path, to: undefined });
  }

  async removeDirectory(path: string): Promise<void> {
    await this.operate('remove');
    this.directories.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.operate('sync');
    const directory = this.directory(path);
    for (const change of directory.pending) enter(directory.durable, change);
    directory.pending = [];
  }

  async touch(path: string): Promise<void> {
    await this.operate();
    const inode = this.directory(dirname(path)).live.get(path);
    if (inode === undefined) throw systemError('ENOENT');
    this.clockMs += 1;
    inode.modifiedMs = this.clockMs;
  }

  async modifiedMs(path: string): Promise<number> {
    await this.operate();
    return this.directory(dirname(path)).live.get(path)?.modifiedMs ?? 0;
  }

  async freeBytes(): Promise<number> {
    await this.operate();
    return Math.min(Number.MAX_SAFE_INTEGER, this.capacity - this.usedBytes());
  }

  /** A file's bytes as programs see them. */
  content(path: string): Buffer {
    const inode = this.directories.get(dirname(path))?.live.get(path);
    if (inode === undefined) throw systemError('ENOENT');
    return inode.live;
  }

  /** Changes bytes that are on the disk, as decay or a stray program would. */
  damage(path: string, change: (content: Buffer) => Buffer): void {
    const inode = this.directories.get(dirname(path))?.live.get(path);
    if (inode === undefined) throw systemError('ENOENT');
    inode.live = change(Buffer.from(inode.live));
    inode.durable = inode.live;
    inode.pending = [];
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.directories.values()].flatMap((directory) => [...directory.live.keys()]);
  }

  private handle(inode: Inode): LogFile {
    return {
      read: async (position, length) => {
        await this.operate();
        return Buffer.from(inode.live.subarray(position, position + length));
      },
      write: async (chunks, position) => {
        const bytes = Buffer.concat(chunks);
        const failure = this.failure('write');
        await this.operate();
        const growth = Math.max(0, position + bytes.length - inode.live.length);
        const missing = growth === 0 ? 0 : Math.max(0, this.usedBytes() + growth - this.capacity);
        const full = missing > 0;
        const fits = failure === undefined ? bytes.length - missing : bytes.length >> 1;
        const stored = bytes.subarray(0, Math.max(0, fits));
        this.alter(inode, { kind: 'write', position, bytes: Buffer.from(stored) });
        if (failure !== undefined || full) throw systemError(failure ?? 'ENOSPC');
      },
      sync: async () => {
        const failure = this.failure('sync');
        await this.operate();
        if (failure === undefined)
          for (const change of inode.pending) inode.durable = applied(inode.durable, change);
        // After a failed sync the kernel counts the pages as clean: no later sync will write them.
        inode.pending = [];
        if (failure !== undefined) throw systemError(failure);
      },
      truncate: async (length) => {
        await this.operate('truncate');
        this.alter(inode, { kind: 'truncate', position: length, bytes: Buffer.alloc(0) });
      },
      size: async () => {
        await this.operate();
        return inode.live.length;
      },
      close: () => Promise.resolve(),
    };
  }

  private renameDirectory(from: string, to: string, moved: Directory): void {
    const target = this.directories.get(to);
    if (target !== undefined && target.live.size > 0) throw systemError('ENOTEMPTY');
    const rebase = (entries: Map<string, Inode>): Map<string, Inode> =>
      new Map([...entries].map(([name, inode]) => [to + name.slice(from.length), inode]));
    this.directories.delete(from);
    this.directories.set(to, { live: rebase(moved.live), durable: rebase(moved.durable), pending: [] });
  }

  private usedBytes(): number {
    let used = 0;
    for (const directory of this.directories.values()) {
      for (const inode of directory.live.values()) used += inode.live.length;
    }
    return used;
  }

  private alter(inode: Inode, change: Change): void {
    inode.live = applied(inode.live, change);
    inode.pending.push(change);
  }

  private change(directory: Directory, change: DirectoryChange): void {
    enter(directory.live, change);
    directory.pending.push(change);
  }

  private directory(path: string): Directory {
    const directory = this.directories.get(path);
    if (directory === undefined) throw systemError('ENOENT');
    return directory;
  }

  private failure(point: FaultPoint): string | undefined {
    const code = this.faults.get(point);
    if (code === undefined) return undefined;
    this.failing -= 1;
    if (this.failing <= 0) this.faults.delete(point);
    return code;
  }

  private async operate(point?: FaultPoint): Promise<void> {
    // A turn of the event loop's microtasks, so that operations of different callers interleave.
    await Promise.resolve();
    if (this.operationsLeft <= 0) throw systemError('EPOWER');
    this.operationsLeft -= 1;
    const code = point === undefined ? undefined : this.failure(point);
    if (code !== undefined) throw systemError(code);
  }
}

/** A file as the next boot finds it: what was synced, and any part of what was not. */
function survivor(inode: Inode, chance: Chance): Inode {
  let content = inode.durable;
  for (const change of inode.pending) {
    const fate = chance(4);
    if (fate === 0) continue;
    const torn = fate === 1 && change.kind === 'write' && change.bytes.length > 0;
    content = applied(content, torn ? tear(change, inode.durable.length, chance) : change);
  }
  const next = new Inode();
  next.live = content;
  next.durable = content;
  return next;
}

function enter(entries: Map<string, Inode>, { name, to }: DirectoryChange): void {
  if (to === undefined) entries.delete(name);
  else entries.set(name, to);
}

/**
 * Part of a write: a prefix, a suffix behind a hole, or a prefix with rubbish behind it where the file was being made
 * longer. Bytes that were on the disk before are old or new, never rubbish (what drives call power-safe overwrite).
 */
function tear(change: Change, durableLength: number, chance: Chance): Change {
  const cut = chance(change.bytes.length);
  const kind = chance(3);
  if (kind === 0) return { ...change, bytes: change.bytes.subarray(0, cut) };
  if (kind === 1) return { ...change, position: change.position + cut, bytes: change.bytes.subarray(cut) };
  const bytes = Buffer.from(change.bytes);
  bytes.fill(chance(256), Math.min(bytes.length, Math.max(cut, durableLength - change.position)));
  return { ...change, bytes };
}
