import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from './embedded-log.js';

const ROOT = new URL('../../../../', import.meta.url).pathname;
const CHILD = new URL('../testing/child.mjs', import.meta.url).pathname;
const DEADLINE_MS = 20_000;

/** A real process and what it has printed so far, whole lines only. */
class Child {
  private text = '';
  private readonly process: ChildProcess;

  constructor(task: string, directory: string, seed = 0) {
    this.process = spawn(process.execPath, [CHILD, task, directory, String(seed)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process.stdout?.on('data', (bytes: Buffer) => {
      this.text += bytes.toString();
    });
  }

  facts(kind: string): string[][] {
    const lines = this.text.slice(0, this.text.lastIndexOf('\n') + 1).split('\n');
    return lines.map((line) => line.split(' ')).filter(([word]) => word === kind);
  }

  async until(kind: string, count: number): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (this.facts(kind).length < count) {
      if (performance.now() > deadline) throw new Error(`the child did not say ${kind} ${count} times`);
      await pause(2);
    }
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const closed = once(this.process, 'close');
    this.process.kill('SIGKILL');
    await closed;
  }
}

beforeAll(async () => {
  // Children run the compiled library, as every process of the product does.
  await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', 'libs/event-log'],
    {
      cwd: ROOT,
    },
  );
}, 120_000);

let directory: string;
let children: Child[];
const start = (task: string, seed?: number): Child => {
  const child = new Child(task, directory, seed);
  children.push(child);
  return child;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowledger-kill-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) await child.kill();
  await rm(directory, { recursive: true, force: true });
});

async function readValues(partition: number): Promise<string[]> {
  const log = await openEmbeddedLog({ directory, mode: 'reader' });
  const values: string[] = [];
  for (;;) {
    const { records } = await log.read(partition, BigInt(values.length), { maxBytes: 1 << 20, maxWaitMs: 0 });
    if (records.length === 0) break;
    for (const { value } of records) values.push(Buffer.from(value).toString().replace(/\.+$/, ''));
  }
  await log.close();
  return values;
}

describe('kill -9', () => {
  it('loses no acknowledged record over many kills of the writer', async () => {
    const acknowledged: (readonly [number, number, string])[] = [];
    let kills = 0;
    for (let round = 0; round < 12; round += 1) {
      const writer = start('append', round);
      await writer.until('ack', 1 + round * 12);
      await writer.kill();
      kills += 1;
      for (const [, partition, offset, text] of writer.facts('ack')) {
        acknowledged.push([Number(partition), Number(offset), text ?? '']);
      }
    }
    const reopened = performance.now();
    const log = await openEmbeddedLog({ directory, mode: 'writer' });
    const reopenMs = performance.now() - reopened;
    await log.close();
    const values = [await readValues(0), await readValues(1)];
    for (const [partition, offset, text] of acknowledged) expect(values[partition]?.[offset]).toBe(text);
    const stored = values.flat();
    expect(new Set(stored).size).toBe(stored.length);
    expect(acknowledged.length).toBeGreaterThan(500);
    process.stdout.write(
      `${kills} kills, ${acknowledged.length} acknowledged, ${stored.length} stored, reopened in ${reopenMs.toFixed(0)} ms\n`,
    );
  }, 120_000);

  it('lets a reader in another process follow the writer across its death, without ever taking a record back', async () => {
    const writer = start('append', 1);
    await writer.until('ready', 1);
    const follower = start('follow');
    await follower.until('saw', 50);
    await writer.kill();
    const second = start('append', 2);
    await second.until('ack', 100);
    await second.kill();
    const stored = await readValues(0);
    await follower.until('saw', stored.length);
    expect(follower.facts('saw').map(([, offset, text]) => [Number(offset), text])).toEqual(
      stored.map((text, offset) => [offset, text]),
    );
  }, 60_000);

  it('hands the group to a waiting process within 5 s, which goes on after the last commit', async () => {
    const writer = start('append', 1);
    await writer.until('ready', 1);
    const first = start('consume');
    await first.until('committed', 20);
    const second = start('consume');
    await first.until('committed', first.facts('committed').length + 40);
    expect(second.facts('lease')).toEqual([]);
    await first.kill();
    const killed = performance.now();
    await second.until('lease', 2);
    expect(performance.now() - killed).toBeLessThan(5_000);
    const generations = [...first.facts('lease'), ...second.facts('lease')].map(([, , generation]) =>
      Number(generation),
    );
    expect(Math.min(...generations.slice(2))).toBeGreaterThan(Math.max(...generations.slice(0, 2)));
    for (const [, partition, , from] of second.facts('lease')) {
      const commits = first.facts('committed').filter(([, of]) => of === partition);
      const last = Number(commits.at(-1)?.[2] ?? 0);
      // The last commit may have been durable before its line was printed.
      expect(Number(from)).toBeGreaterThanOrEqual(last);
    }
    process.stdout.write(`taken over ${(performance.now() - killed).toFixed(0)} ms after the kill\n`);
  }, 60_000);
});
