/** Holdfast in the incident, its real code: the slow part, so one sale whole and one in short. A hundred are played by hand. */

import { expect, test } from 'vitest';
import { holdfastParts } from '../../src/cli/simulate.js';
import { outcomeOf, summarise } from '../../src/incident/outcome.js';
import { escaped } from '../../src/incident/plots.js';
import { replay } from '../../src/incident/replay.js';
import { cellsOf, reportPage } from '../../src/incident/report.js';
import { DAY, type Script, writeScript } from '../../src/incident/script.js';

const parts = holdfastParts();
/** Some seconds of one processor; a busy machine has none to spare. */
const LONG_MS = 900_000;

/** The same sale, over after so many days. */
function shortened(script: Script, days: number): Script {
  const end_ms = script.start_ms + days * DAY;
  const buyers = script.buyers.filter(({ pays_at_ms }) => pays_at_ms < end_ms);
  // A buyer's id is the place in the list.
  const ids = new Map(buyers.map(({ id }, place) => [id, place]));
  return {
    ...script,
    end_ms,
    buyers: buyers.map((buyer) => ({ ...buyer, id: ids.get(buyer.id) ?? 0 })),
    happenings: script.happenings.filter(({ at_ms }) => at_ms < end_ms),
  };
}

test(
  'L1, L4, L5: in a sale of six days nothing is oversold, and ledger and shop add up',
  async () => {
    const script = writeScript(1);
    // Throws when the ledger can't prove itself, a draft order is left behind, or a buyer was promised what is no order.
    const played = await replay(script, 'f', parts);
    const { oversold_units, units, missing_units, age_ms } = outcomeOf(script, 'f', played);
    expect(oversold_units).toBe(0);
    expect(units.sold).toBe(units.shipped + missing_units);
    expect(units.sold).toBeGreaterThan(400);
    // Younger than the limit for the fastest article.
    expect(age_ms.max).toBeLessThan(120_000);
  },
  LONG_MS,
);

test(
  'the same seed brings the same sale to the byte, and the page has the figures that JSON has',
  async () => {
    const script = shortened(writeScript(2), 1.5);
    const play = async () => outcomeOf(script, 'f', await replay(script, 'f', parts));
    const [once, again] = [await play(), await play()];
    expect(once.orders.taken).toBeGreaterThan(20);
    const outcomes = [...(['a', 'b', 'c', 'd', 'e'] as const).map((letter) => ({ ...once, letter })), once];
    const runs = [{ seed: 2, outcomes }];
    const incident = { command: 'x', script, runs, summaries: summarise([outcomes]) };
    const page = reportPage(incident);
    for (const cell of cellsOf(incident).flatMap(([, ...figures]) => figures))
      expect(page).toContain(`<td>${escaped(cell)}</td>`);
    expect(JSON.stringify(again)).toBe(JSON.stringify(once));
  },
  LONG_MS,
);
