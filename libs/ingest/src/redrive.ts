import type { Readable } from 'node:stream';
import type { AppendRecord, LogPosition } from '@flowledger/event-log';
import { isCodec, shallowHubbleJson, shallowHubbleProto, type Codec } from '@flowledger/model';
import { AppError } from '@flowledger/platform';
import type { ImportOutcome } from './import.js';
import { readLines } from './lines.js';
import { OffsetRanges } from './offset-ranges.js';
import { Packer } from './packer.js';

/** A record of the log is at most 256 KiB and one event more; base64 adds a third. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** A dead letter on its way back to the log, one JSON line each. */
export interface RedrivenLetter {
  readonly tenant: string;
  readonly cluster: string;
  /** The stream that it came in. */
  readonly node: string;
  readonly codec: string;
  /** The original event, base64. */
  readonly bytes: string;
}

export interface RedriveOptions {
  readonly partitions: number;
  readonly append: (records: readonly AppendRecord[]) => Promise<readonly LogPosition[]>;
  readonly now: () => number;
}

/**
 * Appends dead letters to the log again, as they were, under the source `redrive`: the loader looks for them in the
 * tables before it stores them, so giving one back twice stores it once. Rejects INVALID_ARGUMENT for a line that is
 * no letter, before anything of it is appended; lines before it may be in the log.
 */
export async function redrive(input: Readable, options: RedriveOptions): Promise<ImportOutcome> {
  const packers = new Map<string, Packer>();
  const ranges = new OffsetRanges();
  let read = 0;
  const append = async (records: readonly AppendRecord[]): Promise<void> => {
    if (records.length > 0) ranges.add(await options.append(records));
  };
  for await (const lines of readLines(input, { maxLineBytes: MAX_LINE_BYTES })) {
    for (const line of lines) {
      const letter = letterOf(Buffer.from(line.bytes).toString('utf8'), read + 1);
      const event = Buffer.from(letter.bytes, 'base64');
      const packed = packerOf(packers, letter, options).add(letter.node, event, timeOf(letter.codec, event));
      if (packed !== undefined) await append([packed.record]);
      read++;
    }
  }
  for (const packer of packers.values()) await append(packer.flush().map(({ record }) => record));
  return { read, appended: read, duplicate: 0, rejected: {}, ranges: ranges.list() };
}

function packerOf(
  packers: Map<string, Packer>,
  { tenant, cluster, codec }: RedrivenLetter & { readonly codec: Codec },
  { partitions, now }: RedriveOptions,
): Packer {
  const key = `${tenant}\0${cluster}\0${codec}`;
  const packer =
    packers.get(key) ?? new Packer({ tenant, cluster, codec, partitions, now, source: 'redrive' });
  packers.set(key, packer);
  return packer;
}

function timeOf(codec: Codec, event: Uint8Array): bigint | undefined {
  return (codec === 'hubble.export_json' ? shallowHubbleJson(event) : shallowHubbleProto(event)).timeNs;
}

function letterOf(text: string, line: number): RedrivenLetter & { readonly codec: Codec } {
  const refuse = (cause?: unknown) =>
    new AppError('INVALID_ARGUMENT', `line ${line} is not a dead letter`, { retry: false, cause });
  let letter: Partial<Record<keyof RedrivenLetter, unknown>>;
  try {
    letter = JSON.parse(text) as Partial<Record<keyof RedrivenLetter, unknown>>;
  } catch (cause) {
    throw refuse(cause);
  }
  const { tenant, cluster, node, codec, bytes } = letter;
  const texts = [tenant, cluster, node, bytes].every((value) => typeof value === 'string');
  if (!texts || typeof codec !== 'string' || !isCodec(codec)) throw refuse();
  return { ...(letter as RedrivenLetter), codec };
}
