export { backUp } from './back-up.js';
export type { BackUpOptions } from './back-up.js';
export { readManifest } from './backup-manifest.js';
export type { BackupFile, BackupManifest, PieceFile } from './backup-manifest.js';
export { moveTables } from './move-tables.js';
export type { StorePlace } from './move-tables.js';
export { restoreLog, restoreTables, verifyBackup } from './restore.js';
export type { RestoreOptions } from './restore.js';
export type { TablePiece } from './table-pieces.js';
