/**
 * Mutation test of the rules of inventory: `npm run mutation`. Stryker changes src/ledger in one place at a time and runs the
 * tests that reach it; a change that no test notices survives. Keeps what it has found out, so that a second run only
 * looks at what has changed since.
 */

import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The ledgers of the tests, in memory where the system has a place for it: their files are not what is tested here.
if (existsSync('/dev/shm')) process.env['TMPDIR'] ??= '/dev/shm';
// A mutant that so few random cases don't find is left to the tests that name theirs.
process.env['HOLDFAST_TEST_RUNS'] ??= '20';

const KEPT = 'node_modules/.cache/mutation';

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  mutate: ['src/ledger/**/*.ts'],
  // Constants are read once, before a mutant is switched on: those would be run with every test and say little.
  ignoreStatic: true,
  coverageAnalysis: 'perTest',
  concurrency: 2,
  incremental: true,
  incrementalFile: join(KEPT, 'incremental.json'),
  reporters: ['progress', 'clear-text', 'json', 'html'],
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  jsonReporter: { fileName: join(KEPT, 'report.json') },
  htmlReporter: { fileName: join(KEPT, 'report.html') },
  thresholds: { high: 95, low: 90, break: 85 },
  tempDirName: join(tmpdir(), 'holdfast-mutation'),
  ignorePatterns: ['dist', 'coverage', '.git', '.ci'],
  // A mutant that is only slow on a busy machine must not count as found.
  dryRunTimeoutMinutes: 30,
  timeoutMS: 15_000,
  timeoutFactor: 2,
};
