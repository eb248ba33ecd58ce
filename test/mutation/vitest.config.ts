/** The tests that mutants of src/ledger are held against: its own, because they are quick and say what a rule is for. */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/ledger/*.test.ts'],
    // One load of the program for all files of a run: loading it anew for each would be most of a mutant's time.
    isolate: false,
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
