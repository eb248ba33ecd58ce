/**
 * `kill -9` at random moments of processes that work on real ledger files, nothing but the ledger in them: cheap enough
 * for thousands (`npm run crash`). The whole program is killed in test/e2e/crash.test.ts. A kill shows that no state
 * in memory matters; it does not show what a lost fsync would do (torn.test.ts).
 */

import { expect, test } from 'vitest';
import { KillYard } from './kill-yard.js';

const KILLS = Number(process.env['CRASH_KILLS'] ?? 50);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const NO_LIMIT = 0;

test(
  `L1 to L7: ${KILLS} kills (seed ${SEED}): what was answered is there, what was not is whole or absent`,
  async () => {
    const yard = new KillYard(SEED);
    try {
      while (yard.report.kills < KILLS) {
        if (yard.report.kills % 5 === 3) await yard.killTwo();
        else await yard.killOne();
      }
    } finally {
      await yard.close();
      console.log(JSON.stringify({ seed: SEED, ...yard.report }));
    }
    // They were busy, and were hit in the middle of things.
    expect(yard.report.answered).toBeGreaterThan(KILLS);
    expect(yard.report.cut_off).toBeGreaterThan(0);
    expect(yard.report.absent + yard.report.whole).toBeGreaterThan(0);
    expect(yard.report.replayed).toBeGreaterThan(0);
  },
  NO_LIMIT,
);
