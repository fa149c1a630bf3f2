// What every command needs before it can run on a fresh clone: a fitting Node, installed packages, built sources.
// Plain JavaScript without dependencies, because it runs before there are any. Progress goes to standard error.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the process with one clear line. 78 = configuration (sysexits), 69 = something needed is unavailable. */
export function fail(message, code = 69) {
  process.stderr.write(`flowledger: ${message}\n`);
  process.exit(code);
}

export function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`needs Node.js 20.19 or newer, this is ${process.versions.node}`, 78);
}

/** The embedded engine is a native library for glibc Linux and macOS; everything else can use a ClickHouse server. */
export function ensurePlatform() {
  const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
  const here = `${process.platform}-${process.arch}`;
  if (!supported.includes(here))
    fail(
      `the embedded store runs on ${supported.join(', ')}; this is ${here}. Set FLOWLEDGER_STORE_URL to use a ClickHouse server`,
      78,
    );
  const report = process.platform === 'linux' ? process.report.getReport().header : undefined;
  if (report !== undefined && report.glibcVersionRuntime === undefined) {
    fail(
      'the embedded store needs glibc (this looks like musl/Alpine). Set FLOWLEDGER_STORE_URL to use a ClickHouse server',
      78,
    );
  }
}

/** Installs packages when package-lock.json changed since the last install; says so and shows npm's progress. */
export function ensureInstalled() {
  const stamp = join(root, 'node_modules', '.flowledger-install');
  const digest = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  process.stderr.write('flowledger: installing packages (about 1.2 GB on disk, once) …\n');
  const began = Date.now();
  const run = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) fail('npm install failed, see above');
  mkdirSync(dirname(stamp), { recursive: true });
  const after = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  writeFileSync(stamp, after);
  process.stderr.write(`flowledger: installed in ${Math.round((Date.now() - began) / 1000)} s\n`);
}

function newestSource(directory, newest = 0) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) newest = newestSource(path, newest);
    else if (/\.(ts|json)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** Compiles when a source is newer than the last build. */
export function ensureBuilt() {
  const stamp = join(root, 'node_modules', '.flowledger-build');
  const newest = Math.max(newestSource(join(root, 'libs')), newestSource(join(root, 'apps')));
  const built = existsSync(join(root, 'apps/flowledger/dist/main.js'));
  if (built && existsSync(stamp) && Number(readFileSync(stamp, 'utf8')) >= newest) return;
  process.stderr.write('flowledger: building …\n');
  const run = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) fail('the build failed, see above');
  writeFileSync(stamp, String(newest));
}

export function setUp() {
  ensureNode();
  ensureInstalled();
  ensureBuilt();
}
