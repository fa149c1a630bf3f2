import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DATA = fileURLToPath(new URL('../../../../../shared/data/', import.meta.url));

/** Text of a recorded file, or undefined where the data folder is missing; then one loud line says so. */
export function recordedText(path: string): string | undefined {
  if (existsSync(`${DATA}${path}`)) return readFileSync(`${DATA}${path}`, 'utf8');
  process.stderr.write(`NOT TESTED: ../shared/data/${path} is missing\n`);
  return undefined;
}
