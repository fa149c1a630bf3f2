export { HubbleMetrics, type HubbleMetricsOptions } from './hubble-metrics.js';
export {
  HANDLERS,
  parseHandler,
  parseHandlers,
  type HandlerConfig,
  type HandlerName,
} from './metric-config.js';
export {
  serveHubbleMetrics,
  type HubbleMetricsServer,
  type HubbleMetricsServerOptions,
} from './serve-hubble-metrics.js';
