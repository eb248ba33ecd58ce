import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/use-driver.ts'],
    pool: 'forks',
    // Most of a test's time is waiting: for disks, sockets and child processes.
    maxWorkers: 3,
    // No test is about how long it takes: this only ends one that hangs, on a machine as busy as there is.
    testTimeout: 400_000,
    hookTimeout: 400_000,
  },
});
