import { describe, expect, test } from 'vitest';
import { Counters, METRICS } from '../../src/observability/metrics.js';

describe('counters', () => {
  test('add up, by label where there is one', () => {
    const counters = new Counters();
    counters.add('webhook_deliveries_total', 1, 'taken');
    counters.add('webhook_deliveries_total', 2, 'taken');
    counters.add('webhook_deliveries_total', 1, 'replayed');
    counters.add('inbox_settled_total');
    counters.add('inbox_settled_total', 41);
    expect(counters.get('webhook_deliveries_total', 'taken')).toBe(3);
    expect(counters.get('webhook_deliveries_total', 'replayed')).toBe(1);
    expect(counters.get('webhook_deliveries_total', 'busy')).toBe(0);
    expect(counters.get('inbox_settled_total')).toBe(42);
  });

  test('are set where they are a state and no count', () => {
    const counters = new Counters();
    counters.set('inbox_waiting', 7);
    counters.set('inbox_waiting', 3);
    expect(counters.get('inbox_waiting')).toBe(3);
  });

  test('tell every metric with its type, and zero for what never happened', () => {
    const counters = new Counters();
    counters.add('webhook_deliveries_total', 1, 'taken');
    const lines = counters.text().split('\n');
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(lines).toContain(`# HELP holdfast_${name} ${help}`);
      expect(lines).toContain(`# TYPE holdfast_${name} ${type}`);
    }
    expect(lines).toContain('holdfast_inbox_settled_total 0');
    expect(lines).toContain('holdfast_webhook_deliveries_total{outcome="taken"} 1');
    expect(lines.at(-1)).toBe('');
  });

  test('have names that Prometheus takes', () => {
    for (const [name, { type }] of Object.entries(METRICS)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });
});
