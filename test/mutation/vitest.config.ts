/** The tests that mutants of src/ledger are held against: its own, because they are quick and say what a rule is for. */

import { defineConfig, type Plugin } from 'vitest/config';
import { KEPT_POOL } from './kept-worker.js';

/** After Stryker has set its own pool. */
const keptPool: Plugin = {
  name: 'holdfast:kept-pool',
  configureVitest({ project }) {
    Object.assign(project.config, { pool: KEPT_POOL.name, poolRunner: KEPT_POOL });
  },
};

export default defineConfig({
  plugins: [keptPool],
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/ledger/**/*.test.ts'],
    // Whole days of many callers: too slow for thousands of mutants. check-quota.test.ts has the rules one by one.
    exclude: ['test/ledger/quota/hoarding.test.ts'],
    runner: 'test/mutation/kept-runner.ts',
    isolate: false,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
