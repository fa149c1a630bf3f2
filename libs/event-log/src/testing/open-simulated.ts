import { openEmbeddedLog } from '../embedded/embedded-log.js';
import type { EmbeddedLog } from '../embedded/embedded-log.js';
import type { EmbeddedLogEvent, EmbeddedLogOptions } from '../embedded/options.js';
import type { ProcessTable } from '../embedded/process-table.js';
import type { AppendRecord } from '../port.js';
import { ManualClock } from './manual-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

/** Where simulated logs lie. */
export const LOG_DIRECTORY = '/data/log';

/** A process table in which only the process with this number lives. */
export function onlyProcess(pid: number): ProcessTable {
  return {
    self: () => Promise.resolve({ pid, host: 'h', started: 's', boot: 'b', namespace: 'n' }),
    liveness: (owner) => Promise.resolve(owner.pid === pid ? 'alive' : 'dead'),
  };
}

/** A simulated machine on which one test opens logs. */
export class SimulatedMachine {
  disk = new SimulatedDisk();
  readonly clock = new ManualClock();
  readonly events: EmbeddedLogEvent[] = [];
  private pid = 1;

  /** Opens the machine's log: two partitions and segments of about three small records unless told otherwise. */
  open(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
    return openEmbeddedLog({
      directory: LOG_DIRECTORY,
      mode: 'writer',
      partitions: 2,
      segmentBytes: 300,
      clock: this.clock,
      fileSystem: this.disk,
      processes: onlyProcess(this.pid),
      onEvent: (event) => this.events.push(event),
      ...options,
    });
  }

  /** Kills every process; what was written stays. */
  kill(): void {
    this.pid += 1;
    this.disk = this.disk.killProcesses();
  }

  /** Path of a file of partition 0. */
  path(name: string): string {
    return `${LOG_DIRECTORY}/p00000/${name}`;
  }

  /** Path of a segment of partition 0. */
  segment(base: number): string {
    return this.path(`${String(base).padStart(20, '0')}.seg`);
  }
}

/** `count` records of 20 bytes for a partition, each of one event, numbered from `from`. */
export function numbered(count: number, from = 0, partition = 0): AppendRecord[] {
  return Array.from({ length: count }, (_, at) => {
    return { partition, events: 1, value: Buffer.from(`record ${from + at}`.padEnd(20)) };
  });
}

/** Appends records one call at a time, so that segments fill up one record at a time. */
export async function appendEach(log: EmbeddedLog, records: readonly AppendRecord[]): Promise<void> {
  for (const record of records) await log.append([record]);
}

/** The numbers of the records of a partition that can be read from `from` to the end. */
export async function readNumbers(log: EmbeddedLog, partition = 0, from = 0n): Promise<number[]> {
  const numbers: number[] = [];
  let at = from;
  for (;;) {
    const { records, truncated } = await log.read(partition, at, { maxBytes: 100, maxWaitMs: 0 });
    if (records.length === 0) return numbers;
    at = (truncated?.to ?? at) + BigInt(records.length);
    for (const { value } of records) numbers.push(Number(Buffer.from(value).toString().slice(7)));
  }
}

/** The numbers from `from` to before `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** The fault a promise rejects with; fails when it does not reject. */
export async function faultOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}
