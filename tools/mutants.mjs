// `npm run mutants [-- NAME …]`: changes our own code in one way at a time, in a copy of the tree, and runs the test
// that must then fail. A mutant that survives, or whose text is no longer in the code, fails the run.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const wanted = process.argv.slice(2);
const mutants = JSON.parse(readFileSync(join(root, 'e2e/mutants.json'), 'utf8')).filter(
  (m) => wanted.length === 0 || wanted.includes(m.name),
);
const place = mkdtempSync(join(tmpdir(), 'flowledger-mutants-'));
const copy = join(place, 'tree');

/** A copy of the sources; installed packages are linked, the workspace's own libraries point into the copy. */
function copyTree() {
  for (const name of [
    'libs',
    'apps',
    'e2e',
    'migrations',
    'proto',
    'tools',
    'tsconfig.base.json',
    'package.json',
    'vitest.config.ts',
  ]) {
    // With their times, or everything that was compiled would look older than its sources.
    cpSync(join(root, name), join(copy, name), {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !path.includes('node_modules'),
    });
  }
  mkdirSync(join(copy, 'node_modules/@flowledger'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@flowledger')
      symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const lib of readdirSync(join(root, 'libs')))
    symlinkSync(join(copy, 'libs', lib), join(copy, 'node_modules/@flowledger', lib));
  // Tests find recorded events beside the tree.
  const shared = join(root, '../shared');
  if (existsSync(shared)) symlinkSync(shared, join(place, 'shared'));
}

/** True when the test fails, which is what a mutant must bring about. */
function killed(mutant) {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(mutant.search).length !== 2) {
    process.stdout.write(
      `${mutant.name}: its text is ${source.includes(mutant.search) ? 'more than once' : 'not'} in ${mutant.file}\n`,
    );
    return false;
  }
  writeFileSync(
    path,
    source.replace(mutant.search, () => mutant.replace),
  );
  const run = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', mutant.test, '--reporter=dot', '--bail=1'],
    { cwd: copy, encoding: 'utf8', timeout: 300_000 },
  );
  writeFileSync(path, source);
  const ran = /Tests\s.*(passed|failed)/.test(run.stdout);
  if (!ran) process.stdout.write(`${run.stdout}${run.stderr}`.slice(-2000));
  return ran && run.status !== 0;
}

copyTree();
let survived = 0;
try {
  const clean = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...new Set(mutants.map((m) => m.test)), '--reporter=dot'],
    { cwd: copy, encoding: 'utf8' },
  );
  if (clean.status !== 0) {
    process.stdout.write(`${clean.stdout}${clean.stderr}`.slice(-4000));
    throw new Error('the tests fail without any mutant');
  }
  for (const mutant of mutants) {
    const began = performance.now();
    const dead = killed(mutant);
    if (!dead) survived++;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${dead ? 'killed  ' : 'SURVIVED'} ${mutant.name} (${seconds} s): ${mutant.what}\n`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
process.stdout.write(`${mutants.length} mutants, ${survived} survived\n`);
process.exit(survived === 0 && mutants.length > 0 ? 0 : 1);
