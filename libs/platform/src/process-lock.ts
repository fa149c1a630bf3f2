import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from './errors.js';

/**
 * Start time of a process in kernel ticks, where the platform tells (Linux); distinguishes a reused pid. Undefined when
 * the process is gone or the platform does not say.
 */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isAlive(pid: number, ticks: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return ticks === undefined || ticks === '' || startTicks(pid) === ticks;
}

/**
 * Takes `<directory>/<name>.lock` for this process. A lock whose owner is dead is taken over. Rejects CONFLICT naming
 * the owner's pid when a live process holds it. The returned function releases it.
 */
export async function takeProcessLock(directory: string, name: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${name}.lock`);
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${process.pid} ${startTicks(process.pid) ?? ''}\n`);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const [pid, ticks] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
    if (pid !== undefined && pid !== '' && isAlive(Number(pid), ticks)) {
      throw new AppError('CONFLICT', `${directory} is in use by process ${pid}`, {
        retry: true,
        details: { pid: Number(pid) },
      });
    }
    await rm(path, { force: true });
  }
  throw new AppError('CONFLICT', `${directory} is in use`, { retry: true });
}
