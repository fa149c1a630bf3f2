// `npm test [-- --quick] [-- FILTER …]`: sets up what is missing and runs the tests.
// --quick: unit tests only, no engine, no network, at most two minutes.
// The last line is `N passed, N failed`, alone; skipped tests are listed loudly above it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const words = process.argv.slice(2);
const quick = words.includes('--quick');
const filters = words.filter((w) => w !== '--quick');
const unknown = filters.find((w) => w.startsWith('-'));
if (unknown !== undefined) {
  process.stderr.write(`flowledger: unknown option ${unknown}; use --quick or file name parts\n`);
  process.exit(78);
}
if (!existsSync(join(root, '../shared/data/hubble'))) {
  process.stderr.write(
    '\n!!! recorded events (../shared/data) are not here: tests that read them are reduced to what needs none !!!\n\n',
  );
}
const out = mkdtempSync(join(tmpdir(), 'flowledger-test-'));
const report = join(out, 'report.json');
const exclude = quick
  ? ['**/*.int.spec.ts', '**/*.long.spec.ts', 'e2e/**'].flatMap((g) => ['--exclude', g])
  : [];
const run = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...filters,
    ...exclude,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
  { cwd: root, stdio: 'inherit' },
);
let passed = 0;
let failed = 1;
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed = result.numPassedTests;
  failed =
    result.numFailedTests +
    result.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length;
  for (const file of result.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo')
        process.stdout.write(`SKIPPED: ${test.fullName}\n`);
    }
  }
}
rmSync(out, { recursive: true, force: true });
if (run.status !== 0 && failed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
