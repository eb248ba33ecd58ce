/** The incident's shop and the strategies that are not Holdfast: quick, so over several seeds. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holdfastParts } from '../../src/cli/incident/incident-sale.js';
import { computeOutcome } from '../../src/incident/outcome.js';
import { replay } from '../../src/incident/replay.js';
import { DAY, HERO, writeScript } from '../../src/incident/script.js';
import { Timeline } from '../../src/incident/timeline.js';
import { importsOf } from '../architecture-rules.js';

const SEEDS = [1, 2, 3, 4, 5];
const SIMPLE = ['a', 'b', 'c', 'd', 'e'] as const;
const parts = holdfastParts();

test.each(SEEDS)('in sale %i the catalogue in context and polling oversell', async (seed) => {
  const script = writeScript(seed);
  for (const letter of ['a', 'b'] as const) {
    const { oversold_units } = computeOutcome(script, letter, await replay(script, letter, parts));
    expect(oversold_units, letter).toBeGreaterThan(0);
  }
});

test('every unit is accounted for under every strategy: sold is shipped, missing or refunded, and nothing is left over', async () => {
  const script = writeScript(7);
  for (const letter of SIMPLE) {
    const played = await replay(script, letter, parts);
    const { units, oversold_units, missing_units, orders } = computeOutcome(script, letter, played);
    expect(units.sold, letter).toBe(units.shipped + oversold_units + missing_units);
    expect(orders.fulfilled).toBeLessThanOrEqual(orders.taken);
    expect(orders.taken).toBeLessThanOrEqual(orders.attempted);
    expect(played.shop.audit()).toEqual([]);
    for (const sku of played.shop.skus) {
      const stock = played.shop.findStock(sku);
      const { initial_units, restocked_units, mislaid_units, carted_off_units, shipped_units } = stock;
      const left = initial_units + restocked_units + mislaid_units - carted_off_units - shipped_units;
      expect(stock.shelf_units, `${letter} ${sku}`).toBe(left);
      expect(stock.held_units).toBe(0);
    }
  }
});

test('the audit sees a unit that goes missing without a reason', async () => {
  const { shop } = await replay(writeScript(7), 'd', parts);
  shop.findStock(HERO).shelf_units -= 1;
  expect(shop.audit()[0]).toContain(HERO);
});

test('the same seed brings the same sale, and another seed another', async () => {
  const play = async (seed: number, letter: 'b' | 'e') => {
    const script = writeScript(seed);
    return JSON.stringify(computeOutcome(script, letter, await replay(script, letter, parts)));
  };
  expect(JSON.stringify(writeScript(11))).toBe(JSON.stringify(writeScript(11)));
  for (const letter of ['b', 'e'] as const) {
    expect(await play(11, letter)).toBe(await play(11, letter));
    expect(await play(11, letter)).not.toBe(await play(12, letter));
  }
});

test('the strategies see the shop through its door alone', () => {
  const read = (name: string) => ({
    path: `incident/${name}`,
    text: readFileSync(new URL(`../../src/incident/${name}`, import.meta.url), 'utf8'),
  });
  const seen = importsOf(read('strategies.ts')).map(({ to }) => to);
  expect(seen).toEqual(['incident/strategy.ts']);
  // And the door itself knows no more of the world than the names of the channels.
  const behind = importsOf(read('strategy.ts'));
  expect(behind.map(({ to, is_type }) => [to, is_type])).toEqual([['incident/script.ts', true]]);
});

test('buyers come in order, within the six days, and each has a channel', () => {
  const { buyers, start_ms, end_ms, happenings } = writeScript(1);
  expect(end_ms - start_ms).toBe(6 * DAY);
  expect(new Set(buyers.map(({ channel }) => channel))).toEqual(new Set(['web', 'agent', 'marketplace']));
  for (const [n, buyer] of buyers.entries()) {
    expect(buyer.id).toBe(n);
    expect(buyer.asks_at_ms).toBeGreaterThanOrEqual(start_ms);
    expect(buyer.asks_at_ms).toBeLessThan(end_ms);
    expect(buyer.decides_at_ms).toBeGreaterThanOrEqual(buyer.asks_at_ms);
    expect(buyer.pays_at_ms).toBeGreaterThanOrEqual(buyer.decides_at_ms);
  }
  const gone = happenings.find(({ kind }) => kind === 'discontinued');
  expect(gone?.at_ms).toBeLessThan(start_ms + DAY);
});

test('virtual time plays events in order, waits for what is busy, and throws what fails', async () => {
  const timeline = new Timeline(0);
  const seen: string[] = [];
  const note = (what: string): void => void seen.push(`${timeline.now_ms} ${what}`);
  timeline.at(20, () => note('late'));
  timeline.at(10, async () => {
    note('begins');
    await timeline.busy(new Promise((resume) => setTimeout(resume, 30)));
    note('no time has passed');
    await timeline.sleep(15);
    note('woken');
  });
  timeline.at(10, () => note('second of its millisecond'));
  await timeline.play();
  expect(seen).toEqual([
    '10 begins',
    '10 no time has passed',
    '10 second of its millisecond',
    '20 late',
    '25 woken',
  ]);
  timeline.at(30, async () => {
    throw new Error('of an event');
  });
  await expect(timeline.play()).rejects.toThrow('of an event');
});
