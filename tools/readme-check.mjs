// Runs every command of README.md as written, in order, against a fresh data directory: a README that lies fails CI.
// `npm start` goes to the background until the end; `git clone` and `npm test` are what brought us here.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './setup.mjs';

const READY_MS = 120_000;
const COMMAND_MS = 120_000;
const data = mkdtempSync(join(tmpdir(), 'flowledger-readme-'));
const env = { ...process.env, FLOWLEDGER_DATA_DIR: data };
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => (block[1] ?? '').replaceAll('\\\n', ' ').split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '' && !line.startsWith('#') && !/^(git clone|cd |npm test)/.test(line));
const hasJq = spawnSync('sh', ['-c', 'command -v jq']).status === 0;

function startServer(command) {
  const [program, ...words] = command.replace(/^npm start/, 'npm start --silent').split(/\s+/);
  const child = spawn(program, words, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not ready in time')), READY_MS);
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      // The last line of the start: the demo's history is loaded.
      if (!String(chunk).includes('demo: ')) return;
      clearTimeout(timer);
      resolve(child);
    });
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
  });
}

let server;
let failed = 0;
try {
  for (const command of commands) {
    process.stdout.write(`\n$ ${command}\n`);
    if (command.startsWith('npm start')) {
      server = await startServer(command);
      continue;
    }
    const runnable = hasJq ? command : command.replace(/\s*\|\s*jq\b.*$/, '');
    const run = spawnSync('bash', ['-o', 'pipefail', '-c', runnable], {
      cwd: root,
      env,
      encoding: 'utf8',
      timeout: COMMAND_MS,
    });
    process.stdout.write(`${run.stdout}${run.stderr}`.slice(0, 4000));
    if (run.status === 0) continue;
    failed++;
    process.stdout.write(`FAILED with ${run.status ?? run.signal}\n`);
  }
} finally {
  if (server !== undefined) {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(data, { recursive: true, force: true });
}
process.stdout.write(`\n${commands.length} README commands, ${failed} failed\n`);
process.exit(failed === 0 && commands.length > 0 ? 0 : 1);
