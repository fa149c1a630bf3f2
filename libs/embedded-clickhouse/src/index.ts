export * from './embedded-clickhouse.js';
export * from './users.js';
export type { ChildExit } from './child-process.js';
export type { ServerStats } from './messages.js';
