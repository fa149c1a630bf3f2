import type { Decision } from './decision.js';
import { EDGES } from './edge.js';
import {
  checkHealth,
  foreignFrame,
  plain,
  probe,
  reconcile,
  refusedName,
  refusedRequest,
  report,
  scrape,
  spoof,
  useMyApp,
} from './other-scripts.js';
import { buy, openHome, openProduct, useCart } from './shop-scripts.js';

/** Something that happens in the cluster now and then, with all the calls it causes. */
export interface Script {
  readonly play: (decision: Decision, atNs: number) => void;
  /** How often, compared with the others. */
  readonly weight: number;
  /** Calls it makes on average, look-ups and retries included; measured, so that rates are those asked for. */
  readonly calls: number;
  /** Too rare for a short test run at its usual weight. */
  readonly rare?: boolean;
}

/** Everything that happens. */
export const SCRIPTS: readonly Script[] = [
  { play: openHome, weight: 18, calls: 3.75 },
  { play: openProduct, weight: 22, calls: 3.75 },
  { play: useCart, weight: 14, calls: 3.14 },
  { play: buy, weight: 12, calls: 7.1 },
  { play: useMyApp, weight: 18, calls: 1.67 },
  { play: scrape, weight: 6, calls: 1 },
  { play: probe, weight: 5, calls: 1 },
  { play: checkHealth, weight: 2, calls: 1 },
  { play: plain(EDGES.apiServer, 'kube-system/coredns'), weight: 1.5, calls: 1 },
  { play: plain(EDGES.apiServer, 'monitoring/prometheus'), weight: 1.5, calls: 1 },
  { play: plain(EDGES.ping, 'monitoring/prober'), weight: 1, calls: 1 },
  { play: plain(EDGES.partner, 'shop/catalog'), weight: 1, calls: 1 },
  { play: plain(EDGES.hook, 'monitoring/grafana'), weight: 0.5, calls: 1.6, rare: true },
  { play: plain(EDGES.logs, 'monitoring/log-agent'), weight: 3, calls: 1 },
  { play: plain(EDGES.audited, 'staging/batch'), weight: 1.5, calls: 1, rare: true },
  { play: plain(EDGES.stagingMyApp, 'staging/batch'), weight: 0.8, calls: 1, rare: true },
  { play: plain(EDGES.grafanaRedis, 'monitoring/grafana'), weight: 0.5, calls: 1, rare: true },
  { play: plain(EDGES.metadata, 'shop/recommendations'), weight: 0.5, calls: 1, rare: true },
  { play: plain(EDGES.search, 'shop/frontend'), weight: 0.4, calls: 1, rare: true },
  { play: spoof, weight: 0.15, calls: 1, rare: true },
  { play: foreignFrame, weight: 0.15, calls: 1, rare: true },
  { play: report, weight: 0.5, calls: 1.5, rare: true },
  { play: refusedRequest, weight: 0.5, calls: 1, rare: true },
  { play: refusedName, weight: 0.4, calls: 1, rare: true },
  { play: reconcile, weight: 1.5, calls: 1 },
  { play: plain(EDGES.pingV6, 'monitoring/prober'), weight: 0.4, calls: 1, rare: true },
  { play: plain(EDGES.sctpMetrics, 'staging/batch'), weight: 0.4, calls: 1, rare: true },
];
