import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import { decodeEnvelope } from '@flowledger/model';
import { sql } from '../sql.js';

/** A dead letter as the table keeps it; numbers of 64 bits as decimal text. */
export interface DeadLetter {
  /** `epoch/partition/offset/index`: where the log holds the original. */
  readonly id: string;
  readonly epoch: string;
  readonly lp: number;
  readonly lo: string;
  readonly li: number;
  readonly tenant: string;
  readonly cluster: string;
  readonly node: string;
  readonly source: string;
  readonly codec: string;
  readonly reason: string;
  readonly received: string;
  /** Bytes of the original; the table keeps the first 64 KiB. */
  readonly size: string;
  /** Base64; empty when not asked for. */
  readonly bytes: string;
  readonly redriven: number;
}

/** Dead letters of one reason and codec. */
export interface ReasonCount {
  readonly reason: string;
  readonly codec: string;
  readonly letters: string;
  /** Those that were not given back to the log. */
  readonly open: string;
  readonly first: string;
  readonly last: string;
  readonly example: string;
}

export interface LetterQuestion {
  readonly reason?: string | undefined;
  readonly id?: string | undefined;
  readonly openOnly: boolean;
  readonly withBytes: boolean;
  readonly limit: number;
  /** Only what was received before, ms since 1970. */
  readonly beforeMs: number;
  /** Continue after this letter. */
  readonly after?: DeadLetter | undefined;
}

/** Letters in the order of the log. */
export async function readLetters(
  store: ColumnStore,
  { reason = '', id = '', openOnly, withBytes, limit, beforeMs, after }: LetterQuestion,
  signal: AbortSignal,
): Promise<readonly DeadLetter[]> {
  const plan = sql.plan('dead_letters', {
    reason,
    id,
    open: openOnly ? 1 : 0,
    withBytes: withBytes ? 1 : 0,
    afterLe: BigInt(after?.epoch ?? 0),
    afterLp: after?.lp ?? 0,
    afterLo: BigInt(after?.lo ?? 0),
    afterLi: after?.li ?? 0,
    limit,
    before: beforeMs,
  });
  return (await store.query<DeadLetter>(plan, signal)).rows;
}

export async function countReasons(store: ColumnStore, signal: AbortSignal): Promise<readonly ReasonCount[]> {
  return (await store.query<ReasonCount>(sql.plan('dead_letter_reasons', {}), signal)).rows;
}

/** Notes letters that are in the log again, so that they are not given back twice. */
export async function markRedriven(
  store: ColumnStore,
  letters: readonly DeadLetter[],
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const params = {
    epochs: letters.map(({ epoch }) => BigInt(epoch)),
    partitions: letters.map(({ lp }) => lp),
    offsets: letters.map(({ lo }) => BigInt(lo)),
    indexes: letters.map(({ li }) => li),
    now: Math.floor(nowMs),
  };
  await store.command(sql.plan('mark_redriven', params), signal);
}

/**
 * The whole original, base64: from the table, or from the log when the table kept only its beginning. Undefined when
 * the log no longer holds it.
 */
export async function originalOf(letter: DeadLetter, log: EventLog): Promise<string | undefined> {
  if (Buffer.from(letter.bytes, 'base64').length === Number(letter.size)) return letter.bytes;
  if (BigInt(letter.epoch) !== log.epoch) return undefined;
  const offset = BigInt(letter.lo);
  const { records } = await log.read(letter.lp, offset, { maxBytes: 1, maxWaitMs: 0 });
  const [record] = records;
  if (record?.offset !== offset) return undefined;
  const envelope = decodeEnvelope(record.value);
  const event = envelope.ok ? envelope.value.events[letter.li] : undefined;
  return event === undefined ? undefined : Buffer.from(event).toString('base64');
}
