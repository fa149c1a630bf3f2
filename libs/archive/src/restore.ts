import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { ColumnStore } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { filesOfBackup, readManifest, type BackupFile, type BackupManifest } from './backup-manifest.js';
import { fillTables, schemaVersion } from './fill-tables.js';
import { isWhole } from './hashed-files.js';
import type { TablePiece } from './table-pieces.js';

/** Every file of a backup that is missing or is not what was written; empty when the backup is whole. */
export async function verifyBackup(
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly manifest: BackupManifest; readonly damaged: readonly BackupFile[] }> {
  const manifest = await readManifest(folder);
  const damaged: BackupFile[] = [];
  for (const file of filesOfBackup(manifest)) if (!(await isWhole(folder, file, signal))) damaged.push(file);
  return { manifest, damaged };
}

/** Puts the log of a backup into an empty or new folder. Rejects CONFLICT when something lies there. */
export async function restoreLog(folder: string, directory: string): Promise<number> {
  const { log } = await readManifest(folder);
  await copyBack(folder, 'log', log, directory);
  return log.length;
}

/** Puts the policies of a backup into an empty or new folder. Rejects CONFLICT when something lies there. */
export async function restorePolicies(folder: string, directory: string): Promise<number> {
  const { policies = [] } = await readManifest(folder);
  if (policies.length > 0) await copyBack(folder, 'policies', policies, directory);
  return policies.length;
}

async function copyBack(
  folder: string,
  part: string,
  files: readonly BackupFile[],
  directory: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0)
    throw new AppError('CONFLICT', `${directory} is not empty`, { retry: false });
  for (const { path } of files) {
    const target = join(directory, relative(part, path));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(folder, path), target);
  }
}

export interface RestoreOptions {
  readonly folder: string;
  /** A store whose tables exist, by this version's migrations, and are empty. */
  readonly store: ColumnStore;
  readonly database: string;
  readonly onPiece?: (piece: TablePiece) => void;
}

/** Fills the tables from a backup. Rejects CONFLICT when they hold rows or their schema is older than the backup's. */
export async function restoreTables(
  { folder, store, database, onPiece }: RestoreOptions,
  signal: AbortSignal,
): Promise<BackupManifest> {
  const manifest = await readManifest(folder);
  const schema = await schemaVersion(store, signal);
  if (schema < manifest.schema) {
    const text = `the backup is of schema ${manifest.schema}, this version knows ${schema}`;
    throw new AppError('CONFLICT', text, { retry: false });
  }
  const pieces = filesOf(folder, manifest);
  await fillTables(
    { target: store, database, pieces, ...(onPiece === undefined ? {} : { onPiece }) },
    signal,
  );
  return manifest;
}

async function* filesOf(folder: string, manifest: BackupManifest): AsyncGenerator<TablePiece> {
  for (const { path, table, partition } of manifest.pieces) {
    const open = async () => createReadStream(join(folder, path)).pipe(createGunzip());
    yield { table, partition, columns: manifest.columns[table] ?? [], open };
  }
}
