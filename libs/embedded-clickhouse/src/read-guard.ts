import { ClickHouseError } from './clickhouse-error.js';
import type { Engine } from './engine.js';
import { DENIED_FUNCTIONS, readRefusal } from './read-access.js';
import type { ReadRules } from './read-access.js';
import { sessionSetup } from './request-settings.js';
import type { SessionPlan } from './request-settings.js';
import type { StoreUser } from './users.js';

const CACHE_SIZE = 1_000;

/**
 * Decides whether a read user may run a statement, by asking the engine how it parses it (`EXPLAIN AST` executes
 * nothing). Statements are parameterised, so verdicts of passed ones are remembered by text; least recently used go.
 */
export class ReadGuard {
  readonly #engine: Engine;
  readonly #deniedFunctions: ReadonlySet<string>;
  readonly #passed = new Set<string>();

  private constructor(engine: Engine, deniedFunctions: ReadonlySet<string>) {
    this.#engine = engine;
    this.#deniedFunctions = deniedFunctions;
  }

  /** Learns from the engine which functions belong to the categories nobody may read with. */
  static async open(engine: Engine): Promise<ReadGuard> {
    const names = await engine.names(
      "SELECT name FROM system.functions WHERE categories IN ('AI', 'Introspection', 'Machine Learning')",
    );
    return new ReadGuard(engine, new Set([...names, ...DENIED_FUNCTIONS].map((name) => name.toLowerCase())));
  }

  /** Throws 497 ACCESS_DENIED, or the engine's syntax error. */
  async check(sql: string, user: StoreUser, plan: SessionPlan): Promise<void> {
    // A bound Identifier is part of the tree, so such statements are judged each time.
    const key = /identifier/i.test(sql) ? null : `${user.name}\n${plan.database ?? ''}\n${sql}`;
    if (key !== null && this.#passed.delete(key)) {
      this.#passed.add(key);
      return;
    }
    const refusal = readRefusal(await this.#syntaxTree(sql, plan), await this.#rules(user));
    if (refusal !== null) {
      throw new ClickHouseError(
        497,
        'ACCESS_DENIED',
        `${user.name}: Not enough privileges to use ${refusal}`,
      );
    }
    if (key === null) return;
    this.#passed.add(key);
    for (const oldest of this.#passed) {
      if (this.#passed.size <= CACHE_SIZE) break;
      this.#passed.delete(oldest);
    }
  }

  /** Forgets all verdicts; called when the set of databases and tables may have changed. */
  forget(): void {
    this.#passed.clear();
  }

  async #rules(user: StoreUser): Promise<ReadRules> {
    const databases = new Set(await this.#engine.names('SELECT name FROM system.databases'));
    return { user, deniedFunctions: this.#deniedFunctions, databases };
  }

  /** In a session of its own: the request's limits on results are for its rows, not for the lines of the tree. */
  async #syntaxTree(sql: string, plan: SessionPlan): Promise<string[]> {
    const settings = new Map([...plan.settings].filter(([name]) => !name.startsWith('max_result_')));
    const session = this.#engine.session();
    try {
      await session.run(sessionSetup({ ...plan, settings }, 'read-guard'), 'Null');
      const answer = await session.run(`EXPLAIN AST ${sql}`, 'TSVRaw');
      const text = Buffer.from(answer.bytes).toString('utf8');
      return text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined);
    } finally {
      session.close();
    }
  }
}
