export * from './server/observer-server.js';
export type { Credentials } from './server/access.js';
export * from './client/observe-flows.js';
