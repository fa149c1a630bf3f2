import { mkdir, open as openFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { ColumnStore } from '@flowledger/column-store';
import { errnoOf, openLogFiles } from '@flowledger/event-log';
import { AppError } from '@flowledger/platform';
import { MANIFEST_FILE, type BackupFile, type BackupManifest, type PieceFile } from './backup-manifest.js';
import { schemaVersion } from './fill-tables.js';
import { writeHashed } from './hashed-files.js';
import { listTables, piecesOf } from './table-pieces.js';

export interface BackUpOptions {
  readonly store: ColumnStore;
  readonly database: string;
  /** Folder of the embedded log; undefined when the log is elsewhere. */
  readonly logDirectory: string | undefined;
  /** Folder of the policies that were seen in Kubernetes; need not exist. */
  readonly policyDirectory: string;
  /** An empty or new folder. */
  readonly folder: string;
  readonly version: string;
  readonly now: () => number;
  readonly onFile?: (file: BackupFile) => void;
}

/**
 * Copies tables and log into a folder while everything goes on. Tables first, in the order of `listTables`, then the log,
 * so the log holds whatever the tables have; what they do not have yet is loaded after a restore. Rejects CONFLICT
 * when the folder is not empty. A backup that was cut has no manifest. Policies come last.
 */
export async function backUp(options: BackUpOptions, signal: AbortSignal): Promise<BackupManifest> {
  const { store, folder, now, version, onFile } = options;
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new AppError('CONFLICT', `${folder} is not empty`, { retry: false });
  const begun = new Date(now()).toISOString();
  const schema = await schemaVersion(store, signal);
  const tables = await listTables(store, signal);
  const pieces: PieceFile[] = [];
  for (const table of tables) {
    for await (const { partition, open } of piecesOf(store, options.database, table, signal)) {
      const path = join('tables', table.name, `${partition}-${pieces.length}.native.gz`);
      const file = await writeHashed(folder, path, await open(signal), [createGzip({ level: 1 })], signal);
      pieces.push({ ...file, table: table.name, partition });
      onFile?.(file);
    }
  }
  const { logDirectory, policyDirectory } = options;
  const log =
    logDirectory === undefined ? [] : await copyFiles('log', openLogFiles(logDirectory), options, signal);
  const policies = await copyFiles('policies', openPolicyFiles(policyDirectory), options, signal);
  const manifest: BackupManifest = {
    format: 1,
    version,
    begun,
    ended: new Date(now()).toISOString(),
    schema,
    columns: Object.fromEntries(tables.map(({ name, columns }) => [name, columns])),
    pieces,
    log,
    policies,
  };
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  return manifest;
}

/** A file to copy: its path below the folder it comes from, and its bytes. */
interface FileCopy {
  readonly path: string;
  readonly content: Readable;
}

/** Copies files below the part of the backup that has their kind. */
async function copyFiles(
  part: string,
  copies: AsyncIterable<FileCopy>,
  { folder, onFile }: BackUpOptions,
  signal: AbortSignal,
): Promise<readonly BackupFile[]> {
  const files: BackupFile[] = [];
  for await (const { path, content } of copies) {
    const file = await writeHashed(folder, join(part, path), content, [], signal);
    files.push(file);
    onFile?.(file);
  }
  return files;
}

/** States are renamed into their places and never changed; one that is forgotten meanwhile is left out. */
async function* openPolicyFiles(directory: string): AsyncGenerator<FileCopy> {
  for (const path of await readdir(directory).catch(unlessMissing([]))) {
    if (!path.endsWith('.json')) continue;
    const handle = await openFile(join(directory, path), 'r').catch(unlessMissing(undefined));
    if (handle !== undefined) yield { path, content: handle.createReadStream() };
  }
}

function unlessMissing<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (errnoOf(error) === 'ENOENT') return otherwise;
    throw error;
  };
}
