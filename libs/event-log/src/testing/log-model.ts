import { isAppError } from '@flowledger/platform';
import { openEmbeddedLog } from '../embedded/embedded-log.js';
import type { EmbeddedLog } from '../embedded/embedded-log.js';
import { decodeSegmentHeader } from '../embedded/record.js';
import type { ProcessTable } from '../embedded/process-table.js';
import { ManualClock } from './manual-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

/** One step of a random life of a log. */
export type LogAction =
  | { readonly kind: 'append'; readonly calls: readonly (readonly AppendItem[])[] }
  | { readonly kind: 'read'; readonly partition: number; readonly back: number; readonly maxBytes: number }
  | { readonly kind: 'trim'; readonly partition: number; readonly share: number }
  | { readonly kind: 'reopen' }
  | CrashAction
  | { readonly kind: 'fullDisk'; readonly room: number; readonly calls: readonly (readonly AppendItem[])[] }
  | {
      readonly kind: 'failedSync';
      readonly power: boolean;
      readonly calls: readonly (readonly AppendItem[])[];
    }
  | { readonly kind: 'flush' };

/** Stops the machine in the middle of appends and a removal, and perhaps once more while the log recovers. */
export interface CrashAction {
  readonly kind: 'crash';
  readonly power: boolean;
  /** Operations until it stops. */
  readonly after: number;
  /** Share of partition 0 that is being trimmed meanwhile; 0 for none. */
  readonly trim: number;
  /** Bytes of rubbish that appear behind the newest segment of partition 0. */
  readonly garbage: number;
  /** Operations until recovery is cut off too; 0 for never. */
  readonly again: number;
}

export interface AppendItem {
  readonly partition: number;
  readonly bytes: number;
}

export interface LogLife {
  readonly durability: 'disk' | 'process';
  readonly segmentBytes: number;
  readonly seed: number;
  /** Operations until the machine stops while the log is being created; 0 for never. */
  readonly creation: number;
  readonly actions: readonly LogAction[];
}

const PARTITIONS = 2;
const DIRECTORY = '/data/log';
const FLUSH_MS = 200;
const READ_ALL = { maxBytes: 700, maxWaitMs: 0 };

interface PartitionModel {
  /** Values by offset: what the log holds or held. */
  values: string[];
  /** Values that a call which did not succeed may have left behind. */
  readonly possible: Set<string>;
  /** Records below this must survive a killed process, and below `safe` a power cut. */
  acknowledged: number;
  safe: number;
  start: number;
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/**
 * Leads a log on a simulated disk through a life, beside a model that is nothing but lists, and throws when the log
 * breaks a promise: an acknowledged record missing, a record that a reader saw taken back, an offset used twice, a
 * value changed, an append accepted after a failed fsync.
 */
export class LogModel {
  private disk = new SimulatedDisk();
  private pid = 1;
  private serial = 0;
  private readonly clock = new ManualClock();
  private readonly chance: (below: number) => number;
  private readonly partitions: PartitionModel[];

  private constructor(
    private readonly life: LogLife,
    private log: EmbeddedLog | undefined,
  ) {
    this.chance = randomFrom(life.seed);
    this.partitions = Array.from({ length: PARTITIONS }, () => ({
      values: [],
      possible: new Set<string>(),
      acknowledged: 0,
      safe: 0,
      start: 0,
    }));
  }

  /** Runs a whole life and checks everything once more at its end. */
  static async run(life: LogLife): Promise<void> {
    const model = new LogModel(life, undefined);
    if (life.creation > 0) await model.openAndStop(life.creation, true);
    await model.open();
    for (const action of life.actions) await model.act(action);
    await model.reopen();
    await model.current.close();
  }

  private get current(): EmbeddedLog {
    if (this.log === undefined) throw new Error('the log is not open');
    return this.log;
  }

  private get processes(): ProcessTable {
    const pid = this.pid;
    const none = { host: 'h', started: 's', boot: 'b', namespace: 'n' };
    return {
      self: () => Promise.resolve({ pid, ...none }),
      liveness: (owner) => Promise.resolve(owner.pid === pid ? 'alive' : 'dead'),
    };
  }

  private async open(): Promise<void> {
    const { durability, segmentBytes } = this.life;
    const { processes, clock, disk: fileSystem } = this;
    this.log = await openEmbeddedLog({
      directory: DIRECTORY,
      mode: 'writer',
      partitions: PARTITIONS,
      segmentBytes,
      durability,
      flushMs: FLUSH_MS,
      processes,
      clock,
      fileSystem,
    });
    await this.adopt();
  }

  private async act(action: LogAction): Promise<void> {
    switch (action.kind) {
      case 'append':
        return this.append(action.calls);
      case 'read':
        return this.read(action.partition, action.back, action.maxBytes);
      case 'trim':
        return this.trim(action.partition, action.share);
      case 'reopen':
        return this.reopen();
      case 'crash':
        return this.crash(action);
      case 'fullDisk':
        return this.fillDisk(action.room, action.calls);
      case 'failedSync':
        return this.failSync(action.power, action.calls);
      case 'flush':
        return this.flush();
    }
  }

  private async reopen(): Promise<void> {
    await this.current.close();
    this.pid += 1;
    for (const partition of this.partitions) partition.safe = partition.acknowledged;
    await this.open();
  }

  private async append(calls: readonly (readonly AppendItem[])[]): Promise<void> {
    const refused = await this.attempt(calls);
    expectThat(refused.length === 0, `an append was refused: ${String(refused[0])}`);
  }

  /** Issues calls side by side; resolves with the faults of those that were refused. */
  private async attempt(calls: readonly (readonly AppendItem[])[]): Promise<unknown[]> {
    const attempts = calls.map(async (items) => {
      const records = items.map(({ partition, bytes }) => {
        this.serial += 1;
        const text = `${this.serial}:`.padEnd(bytes, 'x');
        this.partitions[partition]?.possible.add(text);
        return { partition, events: this.serial % 5, value: Buffer.from(text) };
      });
      const positions = await this.current.append(records);
      positions.forEach(({ partition, offset }, at) => {
        const value = records[at]?.value.toString() ?? '';
        this.acknowledge(partition, Number(offset), value);
      });
    });
    const refused: unknown[] = [];
    for (const result of await Promise.allSettled(attempts)) {
      if (result.status === 'rejected') refused.push(result.reason);
    }
    return refused;
  }

  private acknowledge(partition: number, offset: number, value: string): void {
    const model = this.partitions[partition];
    if (model === undefined) return;
    const before = model.values[offset];
    expectThat(before === undefined || before === value, `offset ${offset} was given twice`);
    model.values[offset] = value;
    model.possible.delete(value);
    model.acknowledged = Math.max(model.acknowledged, offset + 1);
    if (this.life.durability === 'disk') model.safe = model.acknowledged;
  }

  private async read(partition: number, back: number, maxBytes: number): Promise<void> {
    const model = this.partitions[partition];
    if (model === undefined) return;
    const reader = await openEmbeddedLog({
      directory: DIRECTORY,
      mode: 'reader',
      clock: this.clock,
      fileSystem: this.disk,
      processes: this.processes,
    });
    try {
      const { start, end } = await reader.bounds(partition);
      expectThat(Number(start) === model.start, `start is ${start}, not ${model.start}`);
      // Whatever another process can see must survive everything from now on.
      model.safe = Math.max(model.safe, Number(end));
      expectThat(
        Number(end) <= model.values.length,
        `a reader sees ${end} records of ${model.values.length}`,
      );
      const from = BigInt(Math.max(model.start, Number(end) - back));
      const { records } = await reader.read(partition, from, { maxBytes, maxWaitMs: 0 });
      expectThat(records.length > 0 === from < end, 'a read came back empty-handed');
      records.forEach((record, at) => {
        expectThat(record.offset === from + BigInt(at), `offset ${record.offset} is out of place`);
        expectThat(
          Buffer.from(record.value).toString() === model.values[Number(record.offset)],
          'a value changed',
        );
      });
    } finally {
      await reader.close();
    }
  }

  private async trim(partition: number, share: number): Promise<void> {
    const model = this.partitions[partition];
    if (model === undefined) return;
    const before = await this.current.bounds(partition);
    const target = Math.floor(Number(before.end) * share);
    await this.current.trim(partition, BigInt(target));
    const start = Number((await this.current.bounds(partition)).start);
    const allowed = start >= Number(before.start) && start <= Math.max(Number(before.start), target);
    expectThat(allowed, `trimming to ${target} moved the start from ${before.start} to ${start}`);
    model.start = start;
  }

  private async crash({ power, after, trim, garbage, again }: CrashAction): Promise<void> {
    this.disk.stopAfter(after);
    const items = [{ partition: this.chance(PARTITIONS), bytes: 10 + this.chance(300) }];
    const trimming = trim > 0 ? this.current.trim(0, this.offsetAt(trim)).catch(() => undefined) : undefined;
    await Promise.all([this.attempt([items, [...items, ...items], items]), trimming]);
    this.boot(power);
    if (garbage > 0) this.scribble(garbage);
    if (again > 0) await this.openAndStop(again, power);
    await this.open();
  }

  private offsetAt(share: number): bigint {
    return BigInt(Math.floor((this.partitions[0]?.values.length ?? 0) * share));
  }

  /** Opens the log on a machine that stops after some operations, and boots it again. */
  private async openAndStop(operations: number, power: boolean): Promise<void> {
    this.disk.stopAfter(operations);
    await this.open().catch((error: unknown) => {
      expectThat(!isAppError(error, 'LOG_CORRUPT'), `recovery found damage: ${String(error)}`);
      expectThat(this.disk.stopped, `opening failed: ${String(error)}`);
    });
    this.boot(power);
  }

  private boot(power: boolean): void {
    this.pid += 1;
    this.disk = power ? this.disk.cutPower(this.chance) : this.disk.killProcesses();
    if (power) for (const model of this.partitions) model.acknowledged = model.safe;
  }

  /** Garbage after the last record, as a torn write may leave it. */
  private scribble(bytes: number): void {
    const segments = this.disk.paths().filter((path) => path.endsWith('.seg') && path.includes('p00000'));
    const last = segments.sort().at(-1);
    if (last === undefined) return;
    if (decodeSegmentHeader(this.disk.content(last)) === undefined) return;
    this.disk.damage(last, (content) => Buffer.concat([content, Buffer.alloc(bytes, this.chance(256))]));
  }

  private async fillDisk(room: number, calls: readonly (readonly AppendItem[])[]): Promise<void> {
    const used = this.disk.paths().reduce((sum, path) => sum + this.disk.content(path).length, 0);
    this.disk.capacity = used + room;
    for (const refusal of await this.attempt(calls)) {
      expectThat(isAppError(refusal, 'LOG_FULL') && refusal.retry, `a full disk gave ${String(refusal)}`);
    }
    this.disk.capacity = Number.POSITIVE_INFINITY;
    await this.append([[{ partition: 0, bytes: 5 }], [{ partition: 1, bytes: 5 }]]);
    await this.reopen();
  }

  private async failSync(power: boolean, calls: readonly (readonly AppendItem[])[]): Promise<void> {
    this.disk.failNext('sync', 'EIO');
    const refused = await this.attempt(calls);
    if (refused.length > 0) {
      const later = await this.attempt([[{ partition: 0, bytes: 9 }]]);
      expectThat(isAppError(later[0], 'LOG_UNAVAILABLE'), 'an append was accepted after a failed fsync');
      expectThat(this.current.stopped !== undefined, 'the log does not say that it stopped');
    }
    this.boot(power);
    await this.open();
  }

  private async flush(): Promise<void> {
    this.clock.advance(FLUSH_MS);
    await this.append([[{ partition: 0, bytes: 12 }], [{ partition: 1, bytes: 12 }]]);
    this.clock.advance(FLUSH_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Compares the whole log with the model and takes over records of calls that did not succeed but survived. */
  private async adopt(): Promise<void> {
    for (const [partition, model] of this.partitions.entries()) {
      const { start, end } = await this.current.bounds(partition);
      expectThat(Number(start) >= model.start && start <= end, `start is ${start}, was ${model.start}`);
      model.start = Number(start);
      expectThat(
        Number(end) >= model.acknowledged,
        `${model.acknowledged} records were safe, ${end} are left`,
      );
      const survivors = new Map<number, string>();
      for (let at = start; at < end;) {
        const { records } = await this.current.read(partition, at, READ_ALL);
        expectThat(records.length > 0, `no record at ${at}`);
        for (const record of records)
          survivors.set(Number(record.offset), Buffer.from(record.value).toString());
        at += BigInt(records.length);
      }
      this.compare(model, survivors, Number(end));
    }
  }

  private compare(model: PartitionModel, survivors: ReadonlyMap<number, string>, end: number): void {
    for (const [offset, value] of survivors) {
      const expected = model.values[offset];
      if (value === expected) continue;
      const replaced = offset >= model.acknowledged || expected === undefined;
      expectThat(replaced && model.possible.has(value), `offset ${offset} holds another value`);
      model.values[offset] = value;
    }
    model.values.length = end;
    model.acknowledged = end;
    if (this.life.durability === 'disk') model.safe = end;
  }
}
