export * from './packer.js';
export * from './manifest.js';
export * from './import.js';
export * from './intake.js';
export * from './demo.js';
export * from './relay/relay-source.js';
export { openRelayMetrics, type RelayMetrics } from './relay/relay-metrics.js';
export type { HubbleAddress, TlsSettings } from './relay/hubble-client.js';
export { agentServerName, peerServerName } from './relay/server-name.js';
