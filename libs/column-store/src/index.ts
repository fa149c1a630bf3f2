export * from './port.js';
export * from './native.js';
export * from './open-column-store.js';
export * from './sql-files.js';
export * from './store-errors.js';
export * from './migrate.js';
export * from './migration.js';
export * from './split-statements.js';
export { decodeNativeBlocks } from './native-reader.js';
