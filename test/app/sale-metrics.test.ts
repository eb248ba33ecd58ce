/** What a day of sales leaves in the metrics: ages, verdicts, outcomes, and units that were not sold twice. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { measureDecision, measureJournal } from '../../src/app/sale-metrics.js';
import { Metrics } from '../../src/observability/metrics.js';
import { MINUTE, TestLedger, WAREHOUSE } from '../helpers/ledger.js';
import { readMetric } from '../helpers/read-metric.js';

let t: TestLedger;
let metrics: Metrics;
beforeEach(async () => {
  metrics = new Metrics();
  const journal = measureJournal(metrics);
  t = await TestLedger.open({ store: { onJournal: journal } });
});
afterEach(() => t.close());

const read = async (
  ...wanted: Parameters<typeof readMetric> extends [unknown, ...infer Rest] ? Rest : never
) => {
  for (const seen of t.decisions.splice(0)) measureDecision(metrics, seen);
  return readMetric(metrics, ...wanted);
};

test('the age of what was decided on, by tool, decision and how fast it sells', async () => {
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
  t.time.pass(MINUTE);
  await t.ledger.checkStock(['tee']);
  expect(await read('stock_age_seconds_count', 'check_stock', 'fresh', 'fast')).toBe(1);
  expect(await read('stock_age_seconds_sum', 'check_stock', 'fresh', 'fast')).toBe(60);
  t.time.pass(10 * MINUTE);
  await t.ledger.checkStock(['tee']);
  expect(await read('stock_age_seconds_sum', 'check_stock', 'stale', 'fast')).toBe(660);
});

test('one stale SKU beside a fresh one makes only itself stale', async () => {
  await t.seed({ sku: 'old', levels: { [WAREHOUSE]: 10 } });
  t.time.pass(10 * MINUTE);
  await t.seed({ sku: 'new', levels: { [WAREHOUSE]: 10 } });
  await t.ledger.checkStock(['old', 'new']);
  expect(await read('stock_age_seconds_sum', 'check_stock', 'stale', 'fast')).toBe(600);
  expect(await read('stock_age_seconds_count', 'check_stock', 'fresh', 'fast')).toBe(1);
});

test('a sale: submitted and placed, with its verdict', async () => {
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
  const mine = await t.granted('tee', 2);
  expect(await read('reservations_total', 'created')).toBe(1);
  expect(await read('stock_age_seconds_count', 'reserve_units', 'reserved', 'fast')).toBe(1);
  await t.sold(mine);
  expect(await read('hash_verdicts_total', 'match')).toBe(1);
  expect(await read('orders_total', 'submitted')).toBe(1);
  expect(await read('orders_total', 'placed')).toBe(1);
});

test('units that were asked for and not there, once for each refusal', async () => {
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 3 } });
  expect((await t.reserve('tee', 5)).ok).toBe(false);
  expect(await read('oversell_prevented_units_total', 'reservation')).toBe(2);
  expect(await read('stock_age_seconds_count', 'reserve_units', 'refused', 'fast')).toBe(1);
});

test('an order that ends because the shop sold its units', async () => {
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 2 } });
  const mine = await t.granted('tee', 2);
  t.time.pass(1_000);
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 0 } });
  const result = await t.submit(mine);
  expect(result.ok && result.value.status).toBe('held');
  await t.ledger.decideHeld(result.ok ? result.value.order_id : '', 'reject', 'ada');
  expect(await read('hash_verdicts_total', 'stale')).toBe(1);
  expect(await read('orders_total', 'rejected')).toBe(1);
});

test('what never happened is zero from the start, so that its first time shows as a rise', async () => {
  const lines = (await metrics.text()).split('\n');
  expect(lines).toContain('holdfast_orders_total{outcome="doubled"} 0');
  expect(lines).toContain('holdfast_hash_verdicts_total{verdict="unknown"} 0');
});

test('a checksum that was never issued', async () => {
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 2 } });
  const mine = await t.granted('tee', 1);
  await t.submit({ ...mine, stock_hash: `sha256:${'0'.repeat(64)}` });
  expect(await read('hash_verdicts_total', 'unknown')).toBe(1);
  expect(await read('unknown_hashes_total')).toBe(1);
  expect(await read('orders_total', 'submitted')).toBe(0);
});
