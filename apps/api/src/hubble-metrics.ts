import { serveHubbleMetrics, type HubbleMetricsServer } from '@flowledger/hubble-metrics';
import type { Config, Log } from '@flowledger/platform';
import type { OpenLiveFlows } from '@flowledger/query';

/** Starts the Prometheus endpoint of Hubble's metrics as configured; undefined when none is enabled. */
export async function startHubbleMetrics(
  { hubbleMetrics, live: { buffer } }: Config,
  live: OpenLiveFlows,
  logger: Log,
): Promise<HubbleMetricsServer | undefined> {
  const { enabled, configFile, host, port, insecure, correct, maxSeries, idle } = hubbleMetrics;
  if (enabled.length === 0 && configFile === '') return undefined;
  const limits = { maxSeries, idleMs: idle, bufferBytes: buffer };
  return serveHubbleMetrics({ live, enabled, configFile, host, port, insecure, correct, ...limits, logger });
}
