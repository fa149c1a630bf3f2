export * from './fetch-kafka.js';
export * from './jvm-broker.js';
export * from './test-kafka.js';
