import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Vite would take graphql's ES module while Mercurius and Nest require its CommonJS one: two copies of every class.
const alias = [
  {
    find: /^graphql$/,
    replacement: fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url)),
  },
];
// Without `import`: the test processes get these as Node's own conditions, and CommonJS packages would require ES modules.
const conditions = ['@flowledger/source', 'node', 'default'];

/** One runner for the whole workspace. `forks` because the embedded engine must not share a process (toolchain facts). */
export default defineConfig({
  resolve: { conditions, alias },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{libs,apps}/*/src/**/*.spec.ts', 'e2e/**/*.spec.ts', 'tools/**/*.spec.mjs'],
    setupFiles: process.env['FLOWLEDGER_TEST_SEED'] === undefined ? [] : ['tools/test-seed.mjs'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
