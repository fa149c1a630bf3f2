import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('../../../../../shared/data/hubble/', import.meta.url));

/** Whether the folder of recorded events lies beside the repository; says so once, loudly, when it does not. */
export function haveRecordedData(): boolean {
  const have = existsSync(DIRECTORY);
  if (!have)
    process.stderr.write(
      '\nRECORDED DATA MISSING: ../shared/data is not there, nothing is compared with it\n',
    );
  return have;
}

/** Lines of a file of recorded events, without empty ones. */
export function recordedLines(file: string): string[] {
  return readFileSync(`${DIRECTORY}${file}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
