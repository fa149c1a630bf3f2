import { join } from 'node:path';
import { backUp, filesOfBackup, verifyBackup, type BackupManifest } from '@flowledger/archive';
import { AppError, configOrExit, EXIT, stopSignal, systemClock, VERSION } from '@flowledger/platform';
import { takeSwitch, takeWord } from '../flags.js';
import { openWriter, withRunningStore } from '../group/running-store.js';

/**
 * `flowledger backup FOLDER`: tables, log and the policies that were seen into a folder while everything goes on; `--verify` reads an existing backup
 * and compares every file with its hash. Ends with one JSON line. Exit 1 when a file is damaged.
 */
export async function backup(argv: readonly string[]): Promise<number> {
  const { on: verify, rest } = takeSwitch(argv, '--verify');
  const { word: folder, rest: settings } = takeWord(rest, 'the folder of the backup');
  const config = configOrExit(settings);
  const signal = stopSignal();
  if (verify) return check(folder, signal);
  if (config.store.cluster !== '') {
    const text = 'a ClickHouse cluster is backed up by its own BACKUP … ON CLUSTER';
    throw new AppError('INVALID_ARGUMENT', text, { retry: false });
  }
  const store = openWriter(await withRunningStore(config));
  try {
    let files = 0;
    const manifest = await backUp(
      {
        store,
        database: config.store.database,
        logDirectory: config.log.kind === 'embedded' ? join(config.data.dir, 'log') : undefined,
        policyDirectory: join(config.data.dir, 'policies'),
        folder,
        version: VERSION,
        now: () => systemClock.now(),
        onFile: ({ path }) => process.stderr.write(`${++files} files, ${path}\n`),
      },
      signal,
    );
    process.stdout.write(`${JSON.stringify({ folder, ...summary(manifest) })}\n`);
    return EXIT.ok;
  } finally {
    await store.close();
  }
}

async function check(folder: string, signal: AbortSignal): Promise<number> {
  const { manifest, damaged } = await verifyBackup(folder, signal);
  for (const { path } of damaged) process.stderr.write(`damaged or missing: ${path}\n`);
  process.stdout.write(`${JSON.stringify({ folder, ...summary(manifest), damaged: damaged.length })}\n`);
  return damaged.length === 0 ? EXIT.ok : EXIT.failed;
}

/** What a backup holds, for one line of JSON. */
export function summary(manifest: BackupManifest): object {
  const { version, begun, ended, schema } = manifest;
  const files = filesOfBackup(manifest);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { version, begun, ended, schema, files: files.length, bytes };
}
