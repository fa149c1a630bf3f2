// The command line. Knows where the compiled entries of the three processes are; everything else is in libs/cli.
import { fileURLToPath } from 'node:url';
import { runCli } from '@flowledger/cli';

const entry = (app: string): string => fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));

process.exitCode = await runCli(process.argv.slice(2), {
  ingestor: entry('ingestor'),
  worker: entry('worker'),
  api: entry('api'),
});
// A command is over when its promise is; a keep-alive socket or timer must not hold the shell.
process.exit();
