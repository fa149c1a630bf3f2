import { isAppError } from '@flowledger/platform';
import type { AppendRecord } from '../port.js';
import { encodePayload } from './payload-codec.js';
import { recordBytes } from './segment-writer.js';
import type { PreparedRecord } from './segment-writer.js';

/** What one commit needs from the log. */
export interface CommitSteps {
  /** Resolves when `bytes` may be written; rejects LOG_FULL. */
  admit(bytes: number): Promise<void>;
  /** Writes durably; resolves with the first offset. */
  write(records: readonly PreparedRecord[]): Promise<bigint>;
  /** Frees space after LOG_FULL; false when nothing could be freed. */
  relieve(bytes: number): Promise<boolean>;
}

interface Waiting {
  readonly prepared: Promise<readonly PreparedRecord[]>;
  readonly bytes: number;
  readonly resolve: (first: bigint) => void;
  readonly reject: (error: unknown) => void;
}

/** Values written by one write and one fsync at most, unless a single call brings more. */
const MAX_COMMIT_BYTES = 8 * 1024 * 1024;

async function prepare(records: readonly AppendRecord[]): Promise<readonly PreparedRecord[]> {
  return Promise.all(
    records.map(async ({ events, value }) => ({ events, payload: await encodePayload(value) })),
  );
}

/**
 * Collects the appends that arrive while a commit is under way and commits them together, in call order. Compression
 * of waiting records runs on the thread pool meanwhile. The caller bounds the bytes that wait here.
 */
export class GroupCommit {
  private readonly waiting: Waiting[] = [];
  private running = false;

  constructor(private readonly steps: CommitSteps) {}

  /** Resolves with the offset of the first record once all are durable. Rejects LOG_FULL, LOG_UNAVAILABLE. */
  append(records: readonly AppendRecord[]): Promise<bigint> {
    const prepared = prepare(records);
    // The commit awaits it later; without this a failure before that would count as unhandled.
    prepared.catch(() => undefined);
    const bytes = records.reduce((sum, record) => sum + record.value.byteLength, 0);
    return new Promise((resolve, reject) => {
      this.waiting.push({ prepared, bytes, resolve, reject });
      void this.drain();
    });
  }

  private async drain(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.waiting.length > 0) await this.commit(this.takeBatch());
    this.running = false;
  }

  private takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const next of this.waiting) {
      if (count > 0 && bytes + next.bytes > MAX_COMMIT_BYTES) break;
      bytes += next.bytes;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  /** Settles every member of the batch; never rejects. */
  private async commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const groups = await Promise.all(batch.map((member) => member.prepared));
      let offset = await this.writeAll(groups.flat());
      for (const [at, member] of batch.entries()) {
        member.resolve(offset);
        offset += BigInt(groups[at]?.length ?? 0);
      }
    } catch (error) {
      for (const member of batch) member.reject(error);
    }
  }

  private async writeAll(records: readonly PreparedRecord[]): Promise<bigint> {
    const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
    await this.steps.admit(bytes);
    try {
      return await this.steps.write(records);
    } catch (error) {
      if (!isAppError(error, 'LOG_FULL') || !(await this.steps.relieve(bytes))) throw error;
      return this.steps.write(records);
    }
  }
}
