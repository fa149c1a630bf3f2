import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** What the figures were measured on; nothing that names a machine, a person or a place. */
export interface Machine {
  readonly platform: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly engine: string;
  /** Processes waiting or running when the run began, one-minute average: above 0 others were at work too. */
  readonly loadBefore: number;
}

/** Describes this machine; `engine` is the embedded engine's version text. */
export function describeMachine(engine: string): Machine {
  return {
    platform: `${process.platform} ${process.arch}`,
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    engine,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

const TICKS_PER_SECOND = 100;

function statFields(pid: number): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Processor seconds that the processes have used; 0 for one that is gone or where /proc is missing. */
function processorSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = statFields(pid);
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
  }, 0);
}

/** Resident memory of the processes, MiB. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (Number(statFields(pid)[21] ?? 0) * 4096) / 2 ** 20, 0);
}

/** Busy seconds of all cores since boot. */
function machineBusySeconds(): number {
  try {
    const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0] = fields;
    return (user + nice + system + irq + soft) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** What some work cost. Processor and memory figures are of whole processes and 0 where /proc is missing. */
export interface Cost<T> {
  readonly result: T;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The part of `cpuSeconds` that this process used. */
  readonly ownCpuSeconds: number;
  /** Most resident memory of all the processes together, sampled. */
  readonly peakMiB: number;
  /** Cores that other processes of the machine kept busy meanwhile. */
  readonly othersBusyCores: number;
}

const SAMPLE_MS = 100;

/** Does the work and tells what it cost `pids` and this process, or without it where it only looks on (`mine` empty). */
export async function costOf<T>(
  pids: readonly number[],
  work: () => Promise<T> | T,
  mine: readonly number[] = [process.pid],
): Promise<Cost<T>> {
  const all = [...mine, ...pids];
  let peakMiB = residentMiB(all);
  const sampler = setInterval(() => (peakMiB = Math.max(peakMiB, residentMiB(all))), SAMPLE_MS);
  const own = processorSeconds(mine);
  const [cpu, busy, began] = [processorSeconds(all), machineBusySeconds(), performance.now()];
  try {
    const result = await work();
    const seconds = (performance.now() - began) / 1000;
    const cpuSeconds = processorSeconds(all) - cpu;
    const others = Math.max(0, machineBusySeconds() - busy - cpuSeconds) / seconds;
    peakMiB = Math.max(peakMiB, residentMiB(all));
    const ownCpuSeconds = processorSeconds(mine) - own;
    return {
      result,
      seconds,
      cpuSeconds,
      ownCpuSeconds,
      peakMiB: Math.round(peakMiB),
      othersBusyCores: others,
    };
  } finally {
    clearInterval(sampler);
  }
}

/** The cost beside a figure, as it goes into the results. */
export function costDetail(
  cost: Omit<Cost<unknown>, 'result'>,
  prefix = '',
): Readonly<Record<string, number>> {
  const key = (name: string): string =>
    prefix === '' ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`;
  return {
    [key('seconds')]: Number(cost.seconds.toFixed(2)),
    [key('cpuSeconds')]: Number(cost.cpuSeconds.toFixed(2)),
    [key('ownCpuSeconds')]: Number(cost.ownCpuSeconds.toFixed(2)),
    [key('peakMiB')]: cost.peakMiB,
    [key('othersBusyCores')]: Number(cost.othersBusyCores.toFixed(2)),
  };
}
