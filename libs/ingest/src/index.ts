export * from './packer.js';
export * from './manifest.js';
export * from './import.js';
export * from './intake.js';
export * from './demo.js';
