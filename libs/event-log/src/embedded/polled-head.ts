import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import type { FileSystem, LogFile } from './file-system.js';
import { decodeHeadFile, HEAD_FILE_BYTES } from './head.js';
import type { Head } from './head.js';
import type { HeadSource } from './partition-reader.js';
import { Wakeup } from './wakeup.js';

/** Polling starts quick, for a busy log, and slows down on an idle one. */
const FIRST_POLL_MS = 2;
const LAST_POLL_MS = 40;
/** Both slots can look torn only while the writer replaces one and a crash had damaged the other. */
const READ_ATTEMPTS = 5;

/** A {@link HeadSource} for processes other than the writer's: reads the head file, holding it open. */
export class PolledHead implements HeadSource {
  private readonly wakeup: Wakeup;
  private closed = false;

  private constructor(
    private readonly file: LogFile,
    private readonly path: string,
    private readonly clock: Clock,
  ) {
    this.wakeup = new Wakeup(clock);
  }

  /** Opens the head file; rejects with the system error when it is absent. The caller closes it. */
  static async open(fs: FileSystem, path: string, clock: Clock): Promise<PolledHead> {
    return new PolledHead(await fs.open(path, 'read'), path, clock);
  }

  /** The newest publication. Rejects LOG_CORRUPT when no slot is sound, LOG_UNAVAILABLE when closed. */
  async current(): Promise<Head> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      if (this.closed) throw new AppError('LOG_UNAVAILABLE', 'event log is closed', { retry: false });
      const head = decodeHeadFile(await this.file.read(0, HEAD_FILE_BYTES));
      if (head !== undefined) return head;
      await this.wakeup.wait(FIRST_POLL_MS);
    }
    throw new AppError('LOG_CORRUPT', `no sound slot in head file ${this.path}`, { retry: false });
  }

  async waitBeyond(offset: bigint, ms: number, signal?: AbortSignal): Promise<void> {
    const deadline = this.clock.monotonic() + ms;
    let pause = FIRST_POLL_MS;
    while (!this.closed && signal?.aborted !== true) {
      if ((await this.current()).end > offset) return;
      const remaining = deadline - this.clock.monotonic();
      if (remaining <= 0) return;
      await this.wakeup.wait(Math.min(pause, remaining), signal);
      pause = Math.min(pause * 2, LAST_POLL_MS);
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.wakeup.wake();
    await this.file.close();
  }
}
