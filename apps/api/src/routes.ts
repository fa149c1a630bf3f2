import {
  EXPORT_PATH,
  exportRoute,
  IMPORT_PATH,
  importRoute,
  REDRIVE_PATH,
  type ImportRouteOptions,
} from '@flowledger/cli';
import type { ExtraRoute } from '@flowledger/graphql';
import { systemClock, type Config } from '@flowledger/platform';
import type { Retention } from '@flowledger/query';

/** Exports that may run at once. */
const EXPORTS = 2;

/** What the api answers beside GraphQL: uploads, which go on to the ingestor, and exports. */
export function apiRoutes(
  config: Config,
  intake: Omit<ImportRouteOptions, 'intakePath'>,
  retention: Retention,
): readonly ExtraRoute[] {
  const { store } = intake;
  const { tenant } = config.source;
  const exported = { store, tenant, retention, concurrent: EXPORTS, clock: systemClock };
  return [
    { method: 'GET', path: EXPORT_PATH, handle: exportRoute(exported) },
    { method: 'POST', path: IMPORT_PATH, handle: importRoute({ ...intake, intakePath: '/intake/import' }) },
    { method: 'POST', path: REDRIVE_PATH, handle: importRoute({ ...intake, intakePath: '/intake/redrive' }) },
  ];
}
