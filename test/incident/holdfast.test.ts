/** The incident as the command plays it, Holdfast by its real code: two sales side by side. A hundred are played by hand. */

import { afterAll, expect, test } from 'vitest';
import type { Outcome } from '../../src/incident/outcome.js';
import type { Run } from '../../src/incident/report.js';
import { runHoldfast, scratchFolder } from '../helpers/cli.js';

const folder = scratchFolder();
afterAll(() => folder.remove());
const NO_LIMIT = 0;

test(
  'L1, L4, L5: in two sales Holdfast oversells nothing, its ledger and the shop add up, and a catalogue in the context oversells',
  async () => {
    const args = ['simulate', '--seed', '1', '--seeds', '2', '--json'];
    // Fails when the ledger can't prove itself, a draft order is left behind, or a buyer was promised what is no order.
    const { status, out, err } = await runHoldfast(args, { cwd: folder.path });
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const { runs } = JSON.parse(out) as { runs: Run[] };
    expect(runs.map(({ seed }) => seed)).toEqual([1, 2]);
    for (const { outcomes } of runs) {
      const of = Object.fromEntries(outcomes.map((one) => [one.letter, one])) as Record<string, Outcome>;
      const { a, b, f } = of;
      expect(a?.oversold_units).toBeGreaterThan(100);
      expect(b?.oversold_units).toBeGreaterThan(0);
      expect(f?.oversold_units).toBe(0);
      expect(f?.units.sold).toBe((f?.units.shipped ?? 0) + (f?.missing_units ?? 0));
      expect(f?.units.sold).toBeGreaterThan(400);
      // Younger than the limit for the fastest article.
      expect(f?.age_ms.max).toBeLessThan(120_000);
    }
  },
  NO_LIMIT,
);
