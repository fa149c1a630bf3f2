export { runCli } from './main.js';
export { EXPORT_PATH, IMPORT_PATH, REDRIVE_PATH } from './api/paths.js';
export { loadRoutes } from './api/load-routes.js';
export type { ImportRouteOptions } from './api/import-route.js';
export type { GroupEntries } from './group/group.js';
export { readGroupState, isRunning, type GroupState, type ProcessEntry } from './group/run-state.js';
