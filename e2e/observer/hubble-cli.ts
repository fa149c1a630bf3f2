import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = fileURLToPath(new URL('hubble-cli/', import.meta.url));
const CACHE = join(WORKSPACE, 'node_modules', '.cache', 'hubble-cli');

/** The stock CLI by minor version, and the release that go.mod pins. */
export const HUBBLE_VERSIONS = {
  '1.16': '1.16.6',
  '1.17': '1.17.6',
  '1.18': '1.18.6',
  '1.19': '1.19.4',
} as const;
export type HubbleVersion = keyof typeof HUBBLE_VERSIONS;

/** Versions that are tested here: all in CI, the oldest and the newest elsewhere. */
export const TESTED: readonly HubbleVersion[] =
  process.env['CI'] === 'true' ? ['1.16', '1.17', '1.18', '1.19'] : ['1.16', '1.19'];

/** Whether there is a Go toolchain. */
export function haveGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * The path of the stock `hubble` of a version: built from the pinned module on first use, which takes minutes, and kept
 * in `node_modules/.cache`. Rejects with what the compiler said.
 */
export async function hubbleCli(version: HubbleVersion): Promise<string> {
  const release = HUBBLE_VERSIONS[version];
  const path = join(CACHE, `hubble-${release}`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  process.stderr.write(`building hubble ${release} (once) …\n`);
  const made = `${path}.${process.pid}`;
  const flags = `-s -w -X github.com/cilium/cilium/hubble/pkg.Version=${release}`;
  const words = ['build', '-trimpath', '-ldflags', flags, '-o', made, 'github.com/cilium/cilium/hubble'];
  const env = { ...process.env, GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' };
  const { code, err } = await finished('go', words, { cwd: join(MODULES, version), env });
  if (code !== 0) throw new Error(`hubble ${release} does not build: ${err}`);
  renameSync(made, path);
  return path;
}

/** What a run left behind. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, until `stopMs` have passed, or until it has printed `stopLines`. */
export function finished(
  program: string,
  words: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly stopMs?: number;
    readonly stopLines?: number;
  } = {},
): Promise<Finished> {
  const { stopMs, stopLines = Infinity, ...place } = options;
  const child = spawn(program, words, { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out.split('\n').length > stopLines) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const timer = stopMs === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), stopMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out, err });
    });
  });
}
