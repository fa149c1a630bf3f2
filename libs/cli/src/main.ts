import { Command, CommanderError } from 'commander';
import { describeError, EXIT, isAppError } from '@flowledger/platform';
import type { GroupEntries } from './group/group.js';

type Run = (args: readonly string[], entries: GroupEntries) => Promise<number>;

/** Every command: name, one line of help, and the module that does it, loaded only when it is asked for. */
const COMMANDS: readonly (readonly [string, string, () => Promise<Run>])[] = [
  ['start', 'run everything on this machine', async () => (await import('./commands/start.js')).start],
  [
    'status',
    'show the processes and what answers are worth [--json | --pid NAME]',
    async () => (await import('./commands/status.js')).status,
  ],
  [
    'connect',
    'print how to read the Hubble Relay of the cluster that kubectl knows [--context NAME]',
    async () => (await import('./commands/connect.js')).connect,
  ],
  [
    'import',
    'bring in Hubble export files: FILE… or - for standard input [--url URL]',
    async () => (await import('./commands/import.js')).importFiles,
  ],
  [
    'observe',
    'print flows: the flags of hubble observe, and --aggregate-by, --explain, --since 7d, -o csv|parquet',
    async () => (await import('./commands/observe.js')).observe,
  ],
  [
    'explain',
    'say why a flow was dropped: --last-drop | --id ID [--url URL] [--json]',
    async () => (await import('./commands/explain.js')).explain,
  ],
  [
    'policy',
    'policies and flows: list | check FILE… | audit | recommend -n NS [--last 7d] [--json]',
    async () => (await import('./commands/policy.js')).policy,
  ],
  [
    'first-seen',
    'what was never seen before: edges, drop reasons, external destinations [--last 24h]',
    async () => (await import('./commands/first-seen.js')).firstSeen,
  ],
  [
    'replay',
    'rebuild the tables from the log beside the live ones and compare [--swap] [--archive FOLDER]',
    async () => (await import('./commands/replay.js')).replay,
  ],
  [
    'doctor',
    'name every setting that breaks a promise [--audit] [--json]',
    async () => (await import('./commands/doctor.js')).doctor,
  ],
  [
    'dlq',
    'events that could not be decoded or stored: list | show ID | redrive [--reason R]',
    async () => (await import('./commands/dlq.js')).dlq,
  ],
  [
    'backup',
    'copy tables and log into a folder while everything goes on: FOLDER [--verify]',
    async () => (await import('./commands/backup.js')).backup,
  ],
  [
    'restore',
    'put a backup into an empty data directory or an empty server: FOLDER',
    async () => (await import('./commands/restore.js')).restore,
  ],
  [
    'move',
    'from the embedded store to a ClickHouse server, compared table by table: --to FILE',
    async () => (await import('./commands/move.js')).move,
  ],
  [
    'migrate',
    'create or upgrade the tables of the configured ClickHouse server',
    async () => (await import('./commands/migrate.js')).migrate,
  ],
  [
    'config',
    'print the effective configuration, secrets masked',
    async () => (await import('./commands/config.js')).showConfig,
  ],
];

/**
 * `flowledger COMMAND …`. Settings are the same words for every command (docs/reference/configuration.md); a wrong one
 * is one line a problem and exit code 78. Resolves with the exit code.
 */
export async function runCli(argv: readonly string[], entries: GroupEntries): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('flowledger')
    .description("The durable, queryable memory of a cluster's network")
    .exitOverride();
  for (const [name, description, load] of COMMANDS) {
    program
      .command(name)
      .description(description)
      .argument('[words...]')
      .allowUnknownOption()
      .action(async (_words: unknown, _options: unknown, command: Command) => {
        const run = await load();
        code = await run(command.args, entries);
      });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(`flowledger: ${describeError(error)}\n`);
    return exitCode(error);
  }
  return code;
}

function exitCode(error: unknown): number {
  if (!isAppError(error)) return EXIT.failed;
  if (error.code === 'CONFIG_INVALID') return EXIT.config;
  if (error.code === 'INVALID_ARGUMENT') return EXIT.usage;
  return error.retry ? EXIT.unavailable : EXIT.failed;
}
