import type { ColumnStore } from '@flowledger/column-store';
import { openLogReader } from '@flowledger/event-log';
import { isCodec } from '@flowledger/model';
import { AppError, configOrExit, EXIT, stopSignal, systemClock, type Config } from '@flowledger/platform';
import { REDRIVE_PATH } from '../api/paths.js';
import {
  countReasons,
  markRedriven,
  originalOf,
  readLetters,
  type DeadLetter,
  type LetterQuestion,
} from '../dead-letters/dead-letters.js';
import { takeFlag, takeSwitch } from '../flags.js';
import { readGroupState } from '../group/run-state.js';
import { openWriter, withRunningStore } from '../group/running-store.js';
import { addSummaries, NO_LINES, upload } from '../upload.js';

const PAGE = 500;
const MAX_LETTERS = 1_000_000;

interface Asked extends Pick<LetterQuestion, 'reason' | 'id' | 'limit' | 'beforeMs'> {
  readonly json: boolean;
  readonly url: string | undefined;
}

type Work = (store: ColumnStore, config: Config, asked: Asked, signal: AbortSignal) => Promise<number>;

const WORK: Readonly<Record<string, Work>> = { list, show, redrive };

/**
 * `flowledger dlq list [--reason R] [--limit N] [--json]` · `dlq show ID` · `dlq redrive [--reason R | --id ID]
 * [--limit N] [--url URL]`: events that could not be decoded or stored, kept with their bytes, and the way back into
 * the log after the cause is gone. A letter that is given back is decoded again; it stays in the books.
 */
export async function dlq(argv: readonly string[]): Promise<number> {
  const [name = '', ...words] = argv;
  const work = WORK[name];
  if (work === undefined)
    throw new AppError('INVALID_ARGUMENT', 'dlq list, dlq show ID or dlq redrive', { retry: false });
  const own = name === 'show' && words[0]?.startsWith('--') === false ? ['--id', ...words] : words;
  const { value: reason, rest: a } = takeFlag(own, '--reason');
  const { value: id, rest: b } = takeFlag(a, '--id');
  const { value: limit = '', rest: c } = takeFlag(b, '--limit');
  const { value: url, rest: d } = takeFlag(c, '--url');
  const { on: json, rest: settings } = takeSwitch(d, '--json');
  const config = await withRunningStore(configOrExit(settings));
  // What becomes a letter again while others are given back has to wait for the next time.
  const beforeMs = systemClock.now();
  const most = limitOf(limit, name === 'redrive' ? MAX_LETTERS : 50);
  const asked: Asked = { reason, id, limit: most, beforeMs, json, url };
  const store = openWriter(config);
  try {
    return await work(store, config, asked, stopSignal());
  } finally {
    await store.close();
  }
}

function limitOf(text: string, fallback: number): number {
  if (text === '') return fallback;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LETTERS) return limit;
  throw new AppError('INVALID_ARGUMENT', `--limit: from 1 to ${MAX_LETTERS}`, { retry: false });
}

async function list(store: ColumnStore, _: Config, asked: Asked, signal: AbortSignal): Promise<number> {
  const reasons = await countReasons(store, signal);
  const letters = await readLetters(store, { ...asked, openOnly: false, withBytes: false }, signal);
  if (asked.json) {
    process.stdout.write(`${JSON.stringify({ reasons, letters: letters.map(plain) })}\n`);
    return EXIT.ok;
  }
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd([22, 28, 10, 10, 22][i] ?? 0))
      .join('')
      .trimEnd();
  const lines = [
    row(['reason', 'codec', 'letters', 'open', 'first', 'last']),
    ...reasons.map((r) => row([r.reason, r.codec, r.letters, r.open, r.first, r.last])),
    '',
    ...letters.map(
      (l) =>
        `${l.id}  ${l.reason}  ${l.size} bytes  ${l.node}  ${l.received}${l.redriven === 1 ? '  redriven' : ''}`,
    ),
  ];
  process.stdout.write(reasons.length === 0 ? 'no dead letters\n' : `${lines.join('\n')}\n`);
  return EXIT.ok;
}

async function show(store: ColumnStore, _: Config, asked: Asked, signal: AbortSignal): Promise<number> {
  const letter = await oneLetter(store, asked, signal);
  const bytes = Buffer.from(letter.bytes, 'base64');
  const content = letter.codec === 'hubble.export_json' ? bytes.toString('utf8') : bytes.toString('hex');
  process.stdout.write(`${JSON.stringify({ ...plain(letter), content }, null, 2)}\n`);
  return EXIT.ok;
}

async function oneLetter(store: ColumnStore, asked: Asked, signal: AbortSignal): Promise<DeadLetter> {
  if (asked.id === undefined)
    throw new AppError('INVALID_ARGUMENT', 'dlq show ID; `dlq list` shows ids', { retry: false });
  const [letter] = await readLetters(store, { ...asked, openOnly: false, withBytes: true }, signal);
  if (letter === undefined) throw new AppError('NOT_FOUND', `no dead letter ${asked.id}`, { retry: false });
  return letter;
}

/** For people and scripts: without the bytes, which have their own form. */
function plain(letter: DeadLetter): object {
  return { ...letter, bytes: undefined, redriven: letter.redriven === 1 };
}

async function redrive(
  store: ColumnStore,
  config: Config,
  asked: Asked,
  signal: AbortSignal,
): Promise<number> {
  const url = asked.url ?? (await readGroupState(config.data.dir))?.url;
  if (url === undefined)
    throw new AppError('NOT_FOUND', 'nothing runs here; name the api with --url', { retry: false });
  const log = await openLogReader(config);
  let [total, gone, left] = [NO_LINES, 0, asked.limit];
  try {
    for (let after: DeadLetter | undefined; left > 0;) {
      const question = { ...asked, openOnly: true, withBytes: true, limit: Math.min(PAGE, left), after };
      const letters = await readLetters(store, question, signal);
      if (letters.length === 0) break;
      after = letters.at(-1);
      left -= letters.length;
      const whole: (readonly [DeadLetter, string])[] = [];
      for (const letter of letters) {
        const bytes = isCodec(letter.codec) ? await originalOf(letter, log) : undefined;
        if (bytes === undefined) gone++;
        else whole.push([letter, bytes]);
      }
      if (whole.length === 0) continue;
      total = addSummaries(total, await upload(linesOf(whole), `${url}${REDRIVE_PATH}`, config.api.token));
      await markRedriven(
        store,
        whole.map(([letter]) => letter),
        systemClock.now(),
        signal,
      );
    }
  } finally {
    await log.close();
  }
  process.stdout.write(`${JSON.stringify({ ...total, notInLog: gone })}\n`);
  return EXIT.ok;
}

function* linesOf(letters: readonly (readonly [DeadLetter, string])[]): Generator<string> {
  for (const [{ tenant, cluster, node, codec }, bytes] of letters)
    yield `${JSON.stringify({ tenant, cluster, node, codec, bytes })}\n`;
}
