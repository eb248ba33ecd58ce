import { defineConfig } from 'vitest/config';

/** Tests of the built program, which is built before the first of them where its sources have changed. No other test may need it. */
const E2E = [
  'test/e2e/**/*.test.ts',
  'test/live/**/*.test.ts',
  'test/packaging.test.ts',
  'test/incident/{command,holdfast}.test.ts',
  'test/outbox/anchors.test.ts',
  'test/store/sqlite/concurrency.test.ts',
  'test/store/sqlite/crash/kills.test.ts',
  'test/store/sqlite/lock/fair-lock.test.ts',
];

/** Long stories by seed: minutes each. */
const SIMULATION = [
  'test/simulation/{faults-drill-*,mutations,simulation}.test.ts',
  'test/ledger/quota/{hoarding,quota-attack}.test.ts',
  'test/outbox/{five-agents,till-story}.test.ts',
];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    setupFiles: ['test/helpers/use-driver.ts'],
    pool: 'forks',
    // Most of a test's time is waiting: for disks, sockets and child processes.
    maxWorkers: 3,
    // No test is about how long it takes: this only ends one that hangs, on a machine as busy as there is.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...E2E, ...SIMULATION] },
      },
      { extends: true, test: { name: 'e2e', include: E2E, globalSetup: 'test/helpers/build.ts' } },
      { extends: true, test: { name: 'simulation', include: SIMULATION } },
    ],
  },
});
