/** One drill as a test: with the seed of its file, or with those that `npm run drill` asks for. */

import { describe, expect, test } from 'vitest';
import { type DrillOptions, FaultsDrill } from './faults-drill.js';

/** The whole drill has 5,000 orders and takes some minutes: `npm run drill`. The tests have a short one. */
const ORDERS = Number(process.env['DRILL_ORDERS'] ?? 600);
const KILLS = 20;
const NO_LIMIT = 0;

export function drill({ seed, mirror }: Pick<DrillOptions, 'seed' | 'mirror'>): void {
  const first = Number(process.env['DRILL_SEED'] ?? seed);
  const runs = Number(process.env['DRILL_RUNS'] ?? 1);
  const seeds = Array.from({ length: runs }, (_, n) => first + n);
  describe(`${ORDERS} orders in a storm, mirror mode ${mirror}`, () => {
    test.each(seeds)(
      'L1 to L9: nothing is oversold, ordered twice or left behind (seed %i)',
      async (one) => {
        const drill = await FaultsDrill.open({ seed: one, mirror, orders: ORDERS, kills: KILLS });
        try {
          const report = await drill.run();
          console.info(JSON.stringify(report));
          expect(report.kills).toBe(KILLS);
        } finally {
          await drill.close();
        }
      },
      NO_LIMIT,
    );
  });
}
