import { configOrExit, EXIT, maskedConfig } from '@flowledger/platform';

/** `flowledger config`: what is in force after file, environment and flags, as JSON, secrets as `***`. */
export async function showConfig(argv: readonly string[]): Promise<number> {
  process.stdout.write(`${JSON.stringify(maskedConfig(configOrExit(argv)), null, 2)}\n`);
  return EXIT.ok;
}
