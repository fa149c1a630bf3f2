export { openLiveFlows, type LiveFlowsOptions } from './open-live-flows.js';
export type { ReadRows } from './live-endpoints.js';
export type { TailedLog } from './tail-context.js';
