export * from './columns.js';
export * from './envelope.js';
export * from './fields.js';
export * from './outcome.js';
export * from './projected-batches.js';
export * from './shallow.js';
