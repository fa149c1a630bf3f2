import { EXPORT_PATH, IMPORT_PATH, loadRoutes, REDRIVE_PATH, type ImportRouteOptions } from '@flowledger/cli';
import type { ExtraRoute } from '@flowledger/graphql';
import { systemClock, type Config } from '@flowledger/platform';
import type { Retention } from '@flowledger/query';

/** Exports that may run at once. */
const EXPORTS = 2;

/** What the api answers beside GraphQL: uploads, which go on to the ingestor, and exports. */
export async function apiRoutes(
  config: Config,
  intake: Omit<ImportRouteOptions, 'intakePath'>,
  retention: Retention,
): Promise<readonly ExtraRoute[]> {
  const { store } = intake;
  const { tenant } = config.source;
  const exported = { store, tenant, retention, concurrent: EXPORTS, clock: systemClock };
  const { exportRoute, importRoute } = await loadRoutes();
  return [
    { method: 'GET', path: EXPORT_PATH, handle: exportRoute(exported) },
    { method: 'POST', path: IMPORT_PATH, handle: importRoute({ ...intake, intakePath: '/intake/import' }) },
    { method: 'POST', path: REDRIVE_PATH, handle: importRoute({ ...intake, intakePath: '/intake/redrive' }) },
  ];
}
