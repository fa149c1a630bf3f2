import { AppError } from '@flowledger/platform';
import type { Clock } from '@flowledger/platform';
import type { ColumnStore, ParamValue } from './port.js';

const PREFIX = 'schema_lock_';
const TABLE_ALREADY_EXISTS = 57;
const POLL_MS = 200;

interface LockRow {
  readonly name: string;
  /** `<owner> <expiry, s since the epoch>`, or `released`. */
  readonly comment: string;
  /** Server time, s since the epoch. */
  readonly now: string;
}

export interface LockOptions {
  /** Unique for each runner. */
  readonly owner: string;
  /** Seconds after which a lock that nobody renewed may be taken over. */
  readonly ttlSeconds: number;
  /** How long to wait for somebody else's lock. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A lock made of the one thing ClickHouse does atomically: creating a table under a given name. Locks are numbered; the
 * highest number is the lock, and is never removed before a higher one exists, only marked as released. So a runner that
 * slept through all of this may create a low number, but finds the higher one when it looks again. Expiry is judged by
 * the server's clock. It guards one server: on a cluster all runners must use the same one.
 */
export class MigrationLock {
  readonly #store: ColumnStore;
  readonly #options: LockOptions;
  #number = 0;

  private constructor(store: ColumnStore, options: LockOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Waits for the lock. Rejects CONFLICT after `waitMs`, CANCELLED by the signal. */
  static async acquire(store: ColumnStore, options: LockOptions): Promise<MigrationLock> {
    const lock = new MigrationLock(store, options);
    const deadline = options.clock.monotonic() + options.waitMs;
    for (;;) {
      const holder = await lock.#try();
      if (holder === null) return lock;
      if (options.clock.monotonic() >= deadline) {
        throw new AppError('CONFLICT', `another migration is running: ${holder}`, { retry: true });
      }
      await options.clock.sleep(POLL_MS, options.signal);
    }
  }

  /** Extends the lock; call it before every step. Rejects LEASE_LOST when another runner has taken over. */
  async renew(): Promise<void> {
    const rows = await this.#locks();
    const top = rows[0];
    if (top === undefined || numberOf(top) !== this.#number || !top.comment.startsWith(this.#options.owner)) {
      throw new AppError('LEASE_LOST', 'another migration has taken over', { retry: true });
    }
    await this.#comment(`${this.#options.owner} ${Number(top.now) + this.#options.ttlSeconds}`);
  }

  async release(): Promise<void> {
    await this.#comment('released');
  }

  /** Returns null with the lock in hand, or who has it. */
  async #try(): Promise<string | null> {
    const rows = await this.#locks();
    const top = rows[0];
    if (top !== undefined && !isFree(top)) return top.comment;
    const number = top === undefined ? 1 : numberOf(top) + 1;
    const now = top === undefined ? await this.#now() : Number(top.now);
    const comment = `${this.#options.owner} ${now + this.#options.ttlSeconds}`;
    if (!(await this.#create(number, comment))) return 'a runner that was faster';
    const after = await this.#locks();
    if (after[0] === undefined || numberOf(after[0]) !== number) {
      await this.#run('drop_lock', `DROP TABLE IF EXISTS ${PREFIX}${number}`);
      return 'a runner that was faster';
    }
    this.#number = number;
    for (const old of after.slice(1)) await this.#run('drop_lock', `DROP TABLE IF EXISTS ${old.name}`);
    return null;
  }

  async #create(number: number, comment: string): Promise<boolean> {
    try {
      await this.#run(
        'create_lock',
        `CREATE TABLE ${PREFIX}${number} (nothing UInt8) ENGINE = Null COMMENT '${comment}'`,
      );
      return true;
    } catch (error) {
      if (error instanceof AppError && error.details['code'] === TABLE_ALREADY_EXISTS) return false;
      throw error;
    }
  }

  /** Lock tables, highest number first. */
  async #locks(): Promise<readonly LockRow[]> {
    const sql = `SELECT name, comment, toString(toUnixTimestamp(now())) AS now FROM system.tables
      WHERE database = currentDatabase() AND startsWith(name, {prefix:String})
      ORDER BY toUInt64OrZero(substring(name, length({prefix:String}) + 1)) DESC`;
    return (await this.#query<LockRow>('read_locks', sql, { prefix: PREFIX })).rows;
  }

  async #now(): Promise<number> {
    const answer = await this.#query<{ now: string }>(
      'read_clock',
      'SELECT toString(toUnixTimestamp(now())) AS now',
      {},
    );
    return Number(answer.rows[0]?.now ?? 0);
  }

  #comment(text: string): Promise<void> {
    return this.#run('write_lock', `ALTER TABLE ${PREFIX}${this.#number} MODIFY COMMENT '${text}'`);
  }

  #query<Row>(name: string, sql: string, params: Record<string, ParamValue>) {
    return this.#store.query<Row>({ name, sql, params, settings: {} }, this.#options.signal);
  }

  #run(name: string, sql: string): Promise<void> {
    return this.#store.command({ name, sql, params: {}, settings: {} });
  }
}

function numberOf(row: LockRow): number {
  return Number(row.name.slice(PREFIX.length));
}

function isFree(row: LockRow): boolean {
  const expiry = Number(row.comment.split(' ')[1] ?? 0);
  return row.comment === 'released' || !(expiry > Number(row.now));
}
