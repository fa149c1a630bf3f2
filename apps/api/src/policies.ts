import { join } from 'node:path';
import { joinPolicies, openPolicyFiles, openWatchedPolicies, type PolicySource } from '@flowledger/graphql';
import { inClusterAccess, KubeClient, kubeconfigAccess } from '@flowledger/kubernetes';
import { systemClock, type Config, type Lifecycle, type Log } from '@flowledger/platform';
import { policyFiles } from './policy-files.js';

const DAY_MS = 86_400_000;

/** Policy objects from all that is configured: files, and Kubernetes. Rejects CONFIG_INVALID without access to it. */
export async function openPolicies(config: Config, logger: Log, life: Lifecycle): Promise<PolicySource> {
  const files = openPolicyFiles(policyFiles(config), systemClock, logger);
  const { kubernetes, kubeconfig, kubernetesCluster } = config.policy;
  if (kubernetes === 'off') return files;
  const access = await (kubernetes === 'in-cluster' ? inClusterAccess() : kubeconfigAccess(kubeconfig));
  const watched = await openWatchedPolicies({
    client: new KubeClient(access),
    cluster: kubernetesCluster,
    directory: join(config.data.dir, 'policies'),
    keepMs: config.retention.rawDays * DAY_MS,
    clock: systemClock,
    random: Math.random,
    logger,
  });
  life.own('watched-policies', () => watched.close());
  return joinPolicies([files, watched]);
}
