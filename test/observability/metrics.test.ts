import { describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/metrics.js';
import { METRICS, type Metric } from '../../src/observability/metrics-table.js';
import { readMetric } from '../helpers/read-metric.js';

const TABLE: [string, Metric][] = Object.entries(METRICS);

describe('metrics', () => {
  test('add up, by label where there is one', async () => {
    const metrics = new Metrics();
    metrics.add('webhook_deliveries_total', { outcome: 'taken' });
    metrics.add('webhook_deliveries_total', { outcome: 'taken' }, 2);
    metrics.add('webhook_deliveries_total', { outcome: 'replayed' });
    metrics.add('inbox_settled_total', {});
    metrics.add('inbox_settled_total', {}, 41);
    expect(await readMetric(metrics, 'webhook_deliveries_total', 'taken')).toBe(3);
    expect(await readMetric(metrics, 'webhook_deliveries_total', 'replayed')).toBe(1);
    expect(await readMetric(metrics, 'webhook_deliveries_total', 'busy')).toBe(0);
    expect(await readMetric(metrics, 'inbox_settled_total')).toBe(42);
  });

  test('are set where they are a state and no count', async () => {
    const metrics = new Metrics();
    metrics.set('inbox_waiting', {}, 7);
    metrics.set('inbox_waiting', {}, 3);
    expect(await readMetric(metrics, 'inbox_waiting')).toBe(3);
  });

  test('are counted into buckets where they are measured', async () => {
    const metrics = new Metrics();
    const labels = { tool: 'check_stock', decision: 'fresh', velocity: 'fast' };
    for (const age_s of [0.4, 4, 40]) metrics.observe('stock_age_seconds', labels, age_s);
    const lines = (await metrics.text()).split('\n');
    expect(lines).toContain(
      'holdfast_stock_age_seconds_bucket{le="5",tool="check_stock",decision="fresh",velocity="fast"} 2',
    );
    expect(await readMetric(metrics, 'stock_age_seconds_count', 'check_stock', 'fresh', 'fast')).toBe(3);
    expect(await readMetric(metrics, 'stock_age_seconds_sum', 'check_stock', 'fresh', 'fast')).toBeCloseTo(
      44.4,
    );
  });

  test('tell every metric with its type, and zero for what never happened', async () => {
    const lines = (await new Metrics().text()).split('\n');
    for (const [name, { type, help }] of TABLE) {
      expect(lines).toContain(`# HELP holdfast_${name} ${help}`);
      expect(lines).toContain(`# TYPE holdfast_${name} ${type}`);
    }
    expect(lines).toContain('holdfast_inbox_settled_total 0');
  });

  test('of the process are there once they are asked for', async () => {
    const metrics = new Metrics();
    expect(await metrics.text()).not.toContain('process_');
    metrics.watchProcess();
    const text = await metrics.text();
    expect(text).toMatch(/^process_resident_memory_bytes \d/mu);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/mu);
  });
});

describe('the table', () => {
  test.each(TABLE)('%s has a name that Prometheus takes, with its unit last', (name, { type, buckets }) => {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(buckets !== undefined).toBe(type === 'histogram');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  });

  test.each(TABLE)('%s has labels of few values: no SKU, no caller, no order', (_, { labels = [] }) => {
    for (const label of labels)
      expect(label).not.toMatch(/sku|principal|order_id|reservation|caller|address/);
  });
});
