export * from './fault-proxy.js';
export * from './test-store.js';
export * from './pipeline.js';
export * from './docker-available.js';
export * from './real-store.js';
export * from './skipped-service.js';
export * from './kafka/index.js';
export * from './fake-relay/index.js';
