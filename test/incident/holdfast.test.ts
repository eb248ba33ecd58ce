/** Holdfast in the incident, its real code: the slow part, so only two sales. A hundred are played by hand. */

import { expect, test } from 'vitest';
import { holdfastParts } from '../../src/cli/simulate.js';
import { outcomeOf } from '../../src/incident/outcome.js';
import { replay } from '../../src/incident/replay.js';
import { writeScript } from '../../src/incident/script.js';

const parts = holdfastParts();

test.each([1, 2])('L1, L4, L5: in sale %i nothing is oversold, and ledger and shop add up', async (seed) => {
  const script = writeScript(seed);
  // Throws when the ledger can't prove itself, a draft order is left behind, or a buyer was promised what is no order.
  const played = await replay(script, 'f', parts);
  const { oversold_units, units, missing_units, age_ms } = outcomeOf(script, 'f', played);
  expect(oversold_units).toBe(0);
  expect(units.sold).toBe(units.shipped + missing_units);
  expect(units.sold).toBeGreaterThan(400);
  // Younger than the limit for the fastest article.
  expect(age_ms.max).toBeLessThan(120_000);
});
