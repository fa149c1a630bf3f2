import { fileURLToPath } from 'node:url';
import { hasSource } from '@flowledger/ingest';
import type { Config } from '@flowledger/platform';

/** The demo cluster's policies; the file says that it is about that cluster only. */
const DEMO = fileURLToPath(new URL('../../../examples/policies/demo-cluster.yaml', import.meta.url));

/** Where policy objects are read from: the configured files, or those of the demo cluster while it plays. */
export function policyFiles(config: Config): readonly string[] {
  if (config.policy.files.length > 0) return config.policy.files;
  const { enabled } = config.demo;
  return enabled === 'true' || (enabled === 'auto' && !hasSource(config)) ? [DEMO] : [];
}
