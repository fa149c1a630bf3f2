import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, describeError } from '@flowledger/platform';

/** One file of a backup, by its path below the backup's folder. */
export interface BackupFile {
  readonly path: string;
  readonly bytes: number;
  /** Of the file as it lies there, hexadecimal. */
  readonly sha256: string;
}

/** Native blocks of a piece of a table, gzip. */
export interface PieceFile extends BackupFile {
  readonly table: string;
  readonly partition: string;
}

/** What a backup holds. Written last: a folder without it is no backup. */
export interface BackupManifest {
  readonly format: 1;
  /** Version of Flowledger that wrote it. */
  readonly version: string;
  /** RFC 3339. */
  readonly begun: string;
  readonly ended: string;
  /** Newest migration of the tables; they are restored into this version or a newer one. */
  readonly schema: number;
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly pieces: readonly PieceFile[];
  /** Files of the embedded event log; empty when the log is Kafka, which is backed up as Kafka is. */
  readonly log: readonly BackupFile[];
  /** States of the policies that were seen in Kubernetes, a file each; undefined in backups of earlier versions. */
  readonly policies?: readonly BackupFile[];
}

export const MANIFEST_FILE = 'backup.json';

/** Every file of a backup but its manifest. */
export function filesOfBackup({ pieces, log, policies = [] }: BackupManifest): readonly BackupFile[] {
  return [...pieces, ...log, ...policies];
}

/** Reads what a folder says it holds. Rejects NOT_FOUND without a manifest, CONFLICT for another format. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST_FILE), 'utf8');
  } catch (cause) {
    const hint = `no complete backup in ${folder}: ${MANIFEST_FILE} is missing`;
    throw new AppError('NOT_FOUND', hint, { retry: false, cause });
  }
  try {
    const manifest = JSON.parse(text) as Partial<BackupManifest>;
    if (manifest.format === 1 && Array.isArray(manifest.pieces) && Array.isArray(manifest.log))
      return manifest as BackupManifest;
  } catch (error) {
    throw new AppError('CONFLICT', `${MANIFEST_FILE}: ${describeError(error)}`, { retry: false });
  }
  throw new AppError('CONFLICT', `${MANIFEST_FILE} is of a format this version does not know`, {
    retry: false,
  });
}
