import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { catchUpCase } from './cases/catch-up.js';
import { decodeCase } from './cases/decode.js';
import { filtersCase } from './cases/filters.js';
import { groupCase } from './cases/group.js';
import { hintsCase } from './cases/hints.js';
import { historyCase } from './cases/history.js';
import { kafkaCase } from './cases/kafka.js';
import { liveCase } from './cases/live.js';
import { loadCase } from './cases/load.js';
import { memoryCase } from './cases/memory.js';
import { observerCase } from './cases/observer.js';
import { relayCase } from './cases/relay.js';
import { REALISTIC } from './flows/made-flows.js';
import { describeMachine } from './machine.js';
import { startStore } from './log-store.js';
import { withPassedOn } from './passed-on.js';
import { table, type BenchCase, type Result } from './result.js';

const HELP = `npm run --silent bench -- [OPTION]…

  --quick          every row of the speed targets, small
  --only NAME      one case or one figure
  --flows N        how many flows history and filters ask (10 M, 1 M when quick)
  --store DIR      keep the store of history and filters in DIR, and use the one that is there
  --minutes N      how long memory is watched
  --json OUT       write the figures to OUT
  --record         write them to bench/results as well, with the machine; --note TEXT says what else was going on
  --help           this text
`;

/**
 *   npm run --silent bench -- [--quick] [--only NAME] [--minutes N] [--flows N] [--store DIR] [--json OUT]
 *                             [--record [--note TEXT]] [--help]
 *
 * Measures, prints a table, writes the figures to OUT as an array, and with --record also to bench/results with the
 * machine they were measured on and TEXT. NAME is a case (`load`) or a figure (`load.rate`). Exit 0 whether or not
 * targets are met: a figure is not a test. Exit 1 when something could not be measured, 64 for wrong words.
 */
const CASES: readonly BenchCase[] = [
  decodeCase,
  loadCase,
  historyCase,
  filtersCase,
  hintsCase,
  groupCase,
  kafkaCase,
  observerCase,
  liveCase,
  relayCase,
  catchUpCase,
  memoryCase,
];
const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const EXIT_FAILED = 1;
const EXIT_USAGE = 64;

interface Words {
  readonly help: boolean;
  readonly quick: boolean;
  readonly record: boolean;
  readonly json: string | undefined;
  readonly only: string | undefined;
  readonly minutes: number | undefined;
  readonly note: string | undefined;
  readonly flows: number | undefined;
  readonly store: string | undefined;
}

function count(text: string | undefined, unit: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`${text} is no number of ${unit}`);
  return value;
}

function readWords(): Words {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      json: { type: 'string' },
      only: { type: 'string' },
      minutes: { type: 'string' },
      note: { type: 'string' },
      flows: { type: 'string' },
      store: { type: 'string' },
    },
  });
  const { help, quick, record, json, only, note, store } = values;
  const [minutes, flows] = [count(values.minutes, 'minutes'), count(values.flows, 'flows')];
  return { help, quick, record, json, only, note, minutes, flows, store };
}

function chosen(only: string | undefined, quick: boolean): readonly BenchCase[] {
  if (only === undefined)
    return CASES.filter(
      ({ onlyWhenNamed, notInQuick }) => onlyWhenNamed !== true && !(quick && notInQuick === true),
    );
  const found = CASES.filter(({ name, figures }) => name === only || figures.includes(only));
  if (found.length > 0) return found;
  const names = CASES.flatMap(({ name, figures }) => [name, ...figures]);
  throw new TypeError(`nothing is called ${only}; there are ${names.join(', ')}`);
}

const say = (line: string): void => {
  process.stderr.write(`bench: ${line}\n`);
};

/** What could be measured; a case that fails is told, and the others still count. */
async function measure(
  cases: readonly BenchCase[],
  words: Words,
  passedOn: string,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const { quick, minutes, flows, store } = words;
  const size = {
    quick,
    say,
    passedOn,
    ...(minutes === undefined ? {} : { minutes }),
    ...(flows === undefined ? {} : { flows }),
    ...(store === undefined ? {} : { store }),
  };
  for (const bench of cases) {
    const began = performance.now();
    try {
      results.push(...(await bench.run(size)));
    } catch (error) {
      say(`${bench.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exitCode = EXIT_FAILED;
    }
    say(`${bench.name} took ${Math.round((performance.now() - began) / 1000)} s`);
  }
  return results.filter(
    ({ name }) => words.only === undefined || !words.only.includes('.') || name === words.only,
  );
}

async function engineVersion(): Promise<string> {
  const server = await startStore();
  try {
    return server.server.version;
  } finally {
    await server.stop();
  }
}

/** One file a run: figures, the data's shape, the machine, the commit. */
async function record(results: readonly Result[], words: Words, machine: object): Promise<void> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const date = new Date().toISOString().slice(0, 10);
  mkdirSync(RESULTS, { recursive: true });
  const size = words.quick ? 'quick' : 'full';
  const recordedAt = new Date().toISOString();
  const content = {
    date,
    recordedAt,
    commit,
    size,
    note: words.note ?? '',
    machine,
    traffic: REALISTIC,
    results,
  };
  const path = join(RESULTS, `${date}-${commit}.json`);
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  say(`recorded as bench/results/${date}-${commit}.json`);
}

async function main(): Promise<void> {
  let words: Words;
  let cases: readonly BenchCase[];
  try {
    words = readWords();
    cases = chosen(words.only, words.quick);
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT_USAGE;
    return;
  }
  if (words.help) {
    process.stdout.write(`${HELP}\nnames: ${CASES.map(({ name }) => name).join(', ')}\n`);
    return;
  }
  const machine = describeMachine(await engineVersion());
  const results = await withPassedOn((passedOn) => measure(cases, words, passedOn));
  process.stdout.write(table(results));
  if (words.json !== undefined) writeFileSync(words.json, `${JSON.stringify(results, null, 2)}\n`);
  if (words.record) await record(results, words, machine);
}

await main();
