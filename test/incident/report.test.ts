/** The report: the figures that JSON has, on a page that needs nothing from anywhere. */

import { expect, test } from 'vitest';
import { type Outcome, summarise } from '../../src/incident/outcome.js';
import { escaped } from '../../src/incident/plots.js';
import { LETTERS } from '../../src/incident/replay.js';
import { formatCells, type Incident, reportPage } from '../../src/incident/report.js';
import { HOUR, writeScript } from '../../src/incident/script.js';

function outcome(letter: Outcome['letter'], oversold_units: number): Outcome {
  const hours = (writeScript(1).end_ms - writeScript(1).start_ms) / HOUR;
  return {
    letter,
    orders: { attempted: 1001, taken: 902, fulfilled: 803 },
    units: { sold: 950, shipped: 900 },
    oversold_units,
    oversold_by_channel: { web: 0, agent: oversold_units, marketplace: 0 },
    oversold_discontinued_units: oversold_units,
    missing_units: 3,
    refunds_eur: 59 * (oversold_units + 3),
    turned_away_units: 17,
    lost_units: 4,
    withdrawn_orders: 0,
    age_ms: { p50: 6_100, p99: 15_200, max: 16_000 },
    age_percentiles_ms: Array.from({ length: 99 }, (_, n) => 100 * n),
    oversold_by_hour: Array.from({ length: hours }, (_, hour) => Math.floor((oversold_units * hour) / hours)),
  };
}

function incident(...seeds: number[]): Incident {
  const runs = seeds.map((seed) => ({
    seed,
    outcomes: LETTERS.map((letter, n) => outcome(letter, letter === 'f' ? 0 : 400 - 50 * n + seed)),
  }));
  const summaries = summarise(runs.map(({ outcomes }) => outcomes));
  return { command: 'holdfast simulate <b>', script: writeScript(seeds[0] ?? 1), runs, summaries };
}

test.each([[[1]], [[1, 2, 3]]])(
  'the page for the seeds %j has every figure of the table and fetches nothing',
  (seeds) => {
    const told = incident(...seeds);
    const page = reportPage(told);
    for (const cell of formatCells(told).flatMap(([, ...figures]) => figures))
      expect(page).toContain(`<td>${escaped(cell)}</td>`);
    expect(page).not.toMatch(/https?:|<script|<link|<img|@import|url\(|\bon[a-z]+=/i);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toContain('<b>holdfast');
    expect(page).toContain('holdfast simulate &#60;b&#62;');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  },
);

test('over several seeds the least, the median and the most are told, and how many sales were clean', () => {
  const told = incident(1, 2, 3);
  const { summaries } = told;
  expect(reportPage(told)).toContain('agents sold 401 to 403 units a sale that were not there');
  expect(reportPage(incident(1))).toContain('agents sold 401 units that were not there');
  expect(summaries.find(({ letter }) => letter === 'a')?.oversold_units).toEqual({
    min: 401,
    median: 402,
    max: 403,
  });
  expect(summaries.find(({ letter }) => letter === 'f')).toMatchObject({
    seeds: 3,
    seeds_without_oversell: 3,
  });
  expect(summaries.find(({ letter }) => letter === 'b')?.seeds_without_oversell).toBe(0);
});
