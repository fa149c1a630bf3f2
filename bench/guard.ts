import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeCase } from './cases/decode.js';
import { historyCase } from './cases/history.js';
import { loadCase } from './cases/load.js';
import { fallen, guarded, type Guarded } from './guarded.js';
import type { BenchCase, Result } from './result.js';
import { withPassedOn } from './passed-on.js';

/**
 *   npm run --silent bench:guard [-- --only NAME]
 *
 * Measures rows 1, 3 and 9 at the quick size and compares their ratios with the committed ones in bench/results, figure
 * by figure with the newest record that has it. Exit 1 when a ratio fell below its floor three times in a row, 0 else.
 */
const CASES: readonly BenchCase[] = [decodeCase, loadCase, historyCase];
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
/** A case whose ratios fell is measured again: other load on the machine falls on one side of a ratio by chance. */
const TRIES = 3;
const EXIT_FELL = 1;

const say = (line: string): void => {
  process.stderr.write(`guard: ${line}\n`);
};

/** Records by date and then by the commits' order of recording: the newest last. */
function committed(): readonly Result[] {
  const records = readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Committed)
    .toSorted((a, b) => (a.recordedAt ?? a.date).localeCompare(b.recordedAt ?? b.date));
  const newest = new Map<string, Result>();
  for (const { results } of records) for (const result of results) newest.set(result.name, result);
  return [...newest.values()];
}

interface Committed {
  readonly date: string;
  /** Absent in the first records. */
  readonly recordedAt?: string;
  readonly results: readonly Result[];
}

/** The best that was seen of every figure in as many runs as it takes to meet its floor. */
async function measure(bench: BenchCase, floors: readonly Guarded[]): Promise<readonly string[]> {
  const mine = floors.filter(({ name }) => bench.figures.includes(name));
  const best = new Map<string, number>();
  let missing: readonly string[] = [];
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const results = await withPassedOn((passedOn) => bench.run({ quick: true, passedOn, say }));
    for (const { name, ratio } of guarded(results)) best.set(name, Math.max(best.get(name) ?? 0, ratio));
    missing = fallen(mine, best);
    if (missing.length === 0) break;
    say(`try ${attempt} of ${TRIES}: ${missing.join('; ')}`);
  }
  for (const { name, ratio, floor } of mine)
    say(
      `${name}: ${(best.get(name) ?? 0).toFixed(2)}, committed ${ratio.toFixed(2)}, floor ${floor.toFixed(2)}`,
    );
  return missing;
}

async function main(): Promise<void> {
  const { only } = parseArgs({ args: process.argv.slice(2), options: { only: { type: 'string' } } }).values;
  const floors = guarded(committed());
  const missing: string[] = [];
  for (const bench of CASES)
    if (only === undefined || only === bench.name) missing.push(...(await measure(bench, floors)));
  for (const line of missing) process.stdout.write(`fell: ${line}\n`);
  if (missing.length === 0) process.stdout.write('no guarded ratio fell\n');
  else process.exitCode = EXIT_FELL;
}

await main();
