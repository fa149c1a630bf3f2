import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError, configOrExit, EXIT, openLog, type Config } from '@flowledger/platform';
import { IMPORT_PATH } from '../api/paths.js';
import type { ImportSummary } from '../api/import-outcome.js';
import type { GroupEntries } from '../group/group.js';
import { isRunning, readGroupState } from '../group/run-state.js';
import { takeFlag, takesValue } from '../flags.js';
import { openProgress } from '../progress.js';
import { addSummaries, NO_LINES, upload } from '../upload.js';

interface ImportArguments {
  /** Paths, or `-` for standard input. */
  readonly files: readonly string[];
  /** A running Flowledger; without it, the one on the data directory, else one is started for the import. */
  readonly url: string | undefined;
  /** Settings as for `start`. */
  readonly argv: readonly string[];
}

/** Files are the words that are neither flags nor values of flags. */
function readArguments(words: readonly string[]): ImportArguments {
  const { value: url, rest } = takeFlag(words, '--url');
  const files: string[] = [];
  const argv: string[] = [];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] ?? '';
    if (!word.startsWith('--')) files.push(word);
    else {
      argv.push(word);
      const value = rest[i + 1];
      if (!word.includes('=') && value !== undefined && takesValue(word)) argv.push(rest[++i] ?? '');
    }
  }
  return { files, url, argv };
}

type Totals = ImportSummary & {
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly linesPerSecond: number;
};

/** `flowledger import FILE… | -`: brings Hubble export files in, prints progress, ends with one JSON line. */
export async function importFiles(words: readonly string[], entries: GroupEntries): Promise<number> {
  const args = readArguments(words);
  if (args.files.length === 0)
    throw new AppError('INVALID_ARGUMENT', 'name at least one file, or - for standard input', {
      retry: false,
    });
  for (const file of args.files) await readable(file);
  const config = configOrExit(args.argv);
  const target = await findTarget(args, config, entries);
  try {
    const totals = await importAll(args, target.url, config.api.token);
    process.stdout.write(`${JSON.stringify(totals)}\n`);
    return EXIT.ok;
  } finally {
    await target.stop();
  }
}

async function readable(file: string): Promise<void> {
  if (file === '-') return;
  const info = await stat(file).catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `cannot read ${file}`, { retry: false, cause });
  });
  if (!info.isFile()) throw new AppError('INVALID_ARGUMENT', `${file} is not a file`, { retry: false });
}

interface Target {
  readonly url: string;
  stop(): Promise<void>;
}

async function findTarget(args: ImportArguments, config: Config, entries: GroupEntries): Promise<Target> {
  if (args.url !== undefined) return { url: args.url.replace(/\/+$/, ''), stop: async () => {} };
  const running = await readGroupState(config.data.dir);
  if (running !== undefined && isRunning(running.supervisor))
    return { url: running.url, stop: async () => {} };
  process.stderr.write(`flowledger: nothing runs on ${config.data.dir}, starting it for this import\n`);
  const quiet: Config = {
    ...config,
    demo: { ...config.demo, enabled: 'false' },
    api: { ...config.api, port: 0 },
  };
  // Not needed beside what runs already, and it brings the engine's client along.
  const { startGroup } = await import('../group/group.js');
  const group = await startGroup(quiet, entries, openLog('import', config.diagnostics.level));
  return {
    url: group.url,
    stop: async () => {
      await group.stop(24_000);
    },
  };
}

async function importAll(args: ImportArguments, url: string, token: string): Promise<Totals> {
  const began = performance.now();
  let total = NO_LINES;
  let bytes = 0;
  for (const file of args.files) {
    const size = file === '-' ? undefined : (await stat(file)).size;
    const input: Readable =
      file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 });
    const progress = openProgress(file === '-' ? 'standard input' : basename(file), size);
    input.on('data', (chunk: Buffer | string) => {
      bytes += chunk.length;
      progress.add(chunk.length);
    });
    try {
      total = addSummaries(total, await upload(input, `${url}${IMPORT_PATH}`, token));
    } finally {
      progress.end();
    }
  }
  const seconds = Math.round(performance.now() - began) / 1000;
  return {
    files: args.files.length,
    ...total,
    bytes,
    seconds,
    linesPerSecond: Math.round(total.read / Math.max(seconds, 0.001)),
  };
}
