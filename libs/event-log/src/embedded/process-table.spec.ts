import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemProcesses } from './process-table.js';

describe('the machine’s processes', () => {
  it('sees itself alive', async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.liveness(self)).toBe(existsSync('/proc/self/stat') ? 'alive' : 'unknown');
  });

  it('sees a process dead that has ended, even when its number is in use again', async () => {
    const self = await systemProcesses.self();
    const child = spawn(process.execPath, ['-e', '']);
    const pid = child.pid ?? 0;
    await once(child, 'close');
    expect(await systemProcesses.liveness({ ...self, pid, started: '1' })).toBe('dead');
    // Our own number with another start time: the owner was somebody before us.
    if (self.started !== '') expect(await systemProcesses.liveness({ ...self, started: '1' })).toBe('dead');
  });

  it('counts every process of an earlier boot as dead', async () => {
    const self = await systemProcesses.self();
    expect(await systemProcesses.liveness({ ...self, boot: 'earlier' })).toBe('dead');
  });

  it('does not judge a process of another machine or another container', async () => {
    const self = await systemProcesses.self();
    expect(await systemProcesses.liveness({ ...self, boot: 'other', host: 'other' })).toBe('unknown');
    expect(await systemProcesses.liveness({ ...self, namespace: 'pid:[1]' })).toBe('unknown');
  });
});
