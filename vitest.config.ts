import { defineConfig } from 'vitest/config';

const conditions = ['@flowledger/source', 'node', 'import', 'default'];

/** One runner for the whole workspace. `forks` because the embedded engine must not share a process (toolchain facts). */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{libs,apps}/*/src/**/*.spec.ts', 'e2e/**/*.spec.ts', 'tools/**/*.spec.mjs'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
