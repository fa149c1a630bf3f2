export { runLoader } from './loader.js';
export type { Loader, LoaderOptions } from './loader.js';
export type { BatchAccount } from './load/load-batch.js';
export type { BatchLimits, LoaderEvents } from './load/loader-context.js';
export type { PartitionStatus } from './load/loader-status.js';
export type { Failpoint, FailpointName } from './load/failpoint.js';
