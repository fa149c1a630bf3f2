import { Command, CommanderError } from 'commander';
import { describeError, EXIT, isAppError } from '@flowledger/platform';
import { explain } from './commands/explain.js';
import { importFiles } from './commands/import.js';
import { migrate } from './commands/migrate.js';
import { replay } from './commands/replay.js';
import { start } from './commands/start.js';
import { status } from './commands/status.js';
import { showConfig } from './commands/config.js';
import { takeFlag } from './flags.js';
import type { GroupEntries } from './group/group.js';

/**
 * `flowledger COMMAND …`. Settings are the same words for every command (docs/reference/configuration.md); a wrong one
 * is one line a problem and exit code 78. Resolves with the exit code.
 */
export async function runCli(argv: readonly string[], entries: GroupEntries): Promise<number> {
  let code: number = EXIT.ok;
  const run =
    (work: (args: readonly string[]) => Promise<number>) => async (_options: unknown, command: Command) => {
      code = await work(command.args);
    };
  const program = new Command('flowledger')
    .description("The durable, queryable memory of a cluster's network")
    .exitOverride()
    .helpCommand(true);
  const add = (
    name: string,
    description: string,
    work: (args: readonly string[]) => Promise<number>,
  ): Command =>
    program
      .command(name)
      .description(description)
      .allowUnknownOption()
      .allowExcessArguments()
      .argument('[settings...]')
      .action((_words: unknown, options: unknown, command: Command) => run(work)(options, command));
  add('start', 'run everything on this machine', (args) => start(args, entries));
  add('status', 'show the processes and what answers are worth [--json]', status);
  add('migrate', 'create or upgrade the tables of the configured store', migrate);
  add('replay', 'rebuild the tables from the log and compare [--swap]', replay);
  add('config', 'print the effective configuration, secrets masked', showConfig);
  add('explain', 'say why a flow was dropped [--last-drop | --id ID] [--url URL]', explain);
  add('import', 'bring in Hubble export files: FILE… or - for standard input [--url URL]', (args) =>
    importFiles(splitImport(args), entries),
  );
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    process.stderr.write(`flowledger: ${describeError(error)}\n`);
    return isAppError(error, 'CONFIG_INVALID')
      ? EXIT.config
      : isAppError(error) && error.retry
        ? EXIT.unavailable
        : EXIT.failed;
  }
  return code;
}

/** Files are the words that are neither flags nor values of flags. */
function splitImport(args: readonly string[]): Parameters<typeof importFiles>[0] {
  const url = takeFlag(args, '--url');
  const files: string[] = [];
  const argv: string[] = [];
  for (let i = 0; i < url.rest.length; i++) {
    const word = url.rest[i] ?? '';
    if (!word.startsWith('--')) files.push(word);
    else {
      argv.push(word);
      const next = url.rest[i + 1];
      if (!word.includes('=') && next !== undefined && takesValue(word)) argv.push(url.rest[++i] ?? '');
    }
  }
  return { files, url: url.value, token: undefined, argv };
}

function takesValue(flag: string): boolean {
  return flag !== '--no-demo' && flag !== '--insecure';
}
