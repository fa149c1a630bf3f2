export {
  createApiServer,
  type ApiServer,
  type ApiServerOptions,
  type LiveOptions,
} from './server/api-server.js';
export type { ApiStatus, ExtraRoute } from './server/data-routes.js';
export { DEFAULT_LIMITS, type Limits } from './limits/limits.js';
export { schemaText } from './schema-text.js';
export {
  readPreparedQueries,
  type PersistedMode,
  type PersistedOptions,
} from './server/persisted-queries.js';
export type { PolicySource, PolicyState, SourceProblem } from './policies/policy-source.js';
export { openPolicyFiles } from './policies/policy-files.js';
export { joinPolicies } from './policies/joined-policies.js';
export {
  openWatchedPolicies,
  type WatchedPolicies,
  type WatchedPoliciesOptions,
} from './policies/watched-policies.js';
export { readPolicyDocuments } from './policies/policy-documents.js';
