export * from './columns.js';
export * from './envelope.js';
export * from './fields.js';
export * from './outcome.js';
export * from './projected-batches.js';
export * from './shallow.js';
export * from './hubble/enums.js';
export * from './hubble/long-enums.js';
