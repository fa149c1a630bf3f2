import { requestError } from '../errors/request-error.js';
import type { RequestScope } from '../request/request-scope.js';

const NONE = 'default';

/** The cluster that was named, or the only one there is: policies of several clusters cannot be judged together. */
export async function oneCluster(scope: RequestScope, cluster: string | null | undefined): Promise<string> {
  if (typeof cluster === 'string') return cluster;
  const known = await scope.deps.clusters.known(scope);
  if (known.length > 1)
    throw requestError('BAD_REQUEST', `cluster: name one of ${known.join(', ')}`, { field: 'cluster' });
  return known[0] ?? NONE;
}
