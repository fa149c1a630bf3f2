export { runCli } from './main.js';
export { importRoute, IMPORT_PATH, REDRIVE_PATH, type ImportRouteOptions } from './api/import-route.js';
export { exportRoute, EXPORT_PATH } from './api/export-route.js';
export type { GroupEntries } from './group/group.js';
export { readGroupState, isRunning, type GroupState, type ProcessEntry } from './group/run-state.js';
