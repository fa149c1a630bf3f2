import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readGroupState } from '@flowledger/cli';

const ENTRY = fileURLToPath(new URL('../../apps/flowledger/dist/main.js', import.meta.url));

/** A running `flowledger start`. */
export interface Running {
  readonly url: string;
  /** From the command to its ready line, ms. */
  readonly readyMs: number;
  /** Process ids of the supervisor, the store and the three processes. */
  pids(): Promise<readonly number[]>;
  stop(): Promise<void>;
}

function launch(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [ENTRY, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function collect(child: ChildProcess): { out: string; err: string } {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  return said;
}

/** Starts everything on a data directory, on a free port and without the demo; `words`: further flags. */
export async function startFlowledger(directory: string, words: readonly string[] = []): Promise<Running> {
  const began = performance.now();
  const child = launch(['start', '--data-dir', directory, '--port', '0', '--no-demo', ...words]);
  const said = collect(child);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const ready = /^ready (http:\S+)$/m.exec(said.out)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    child.once('exit', (code) => reject(new Error(`start ended with ${code ?? 'a signal'}: ${said.err}`)));
  });
  return {
    url,
    readyMs: performance.now() - began,
    pids: async () => {
      const state = await readGroupState(directory);
      return [child.pid ?? 0, ...(state?.processes ?? []).map((entry) => entry.pid)];
    },
    stop: async () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

/** What `flowledger import` says at its end. */
export interface Imported {
  readonly read: number;
  readonly accepted: number;
  readonly linesPerSecond: number;
}

/** Brings a file in by the command; resolves when every line is in the store. */
export async function importFile(path: string, url: string): Promise<Imported> {
  const child = launch(['import', path, '--url', url]);
  const said = collect(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`import ended with ${code ?? 'a signal'}: ${said.err}`);
  return JSON.parse(said.out.trimEnd().split('\n').at(-1) ?? '') as Imported;
}
