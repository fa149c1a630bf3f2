import type { exportRoute } from './export-route.js';
import type { importRoute } from './import-route.js';

/** Handlers of the paths that the api answers beside GraphQL. */
export interface Routes {
  readonly exportRoute: typeof exportRoute;
  readonly importRoute: typeof importRoute;
}

/** Loads the handlers. Only the api needs them: each command would spend 0.1 s on the queries that they bring along. */
export async function loadRoutes(): Promise<Routes> {
  const [exported, imported] = await Promise.all([import('./export-route.js'), import('./import-route.js')]);
  return { exportRoute: exported.exportRoute, importRoute: imported.importRoute };
}
