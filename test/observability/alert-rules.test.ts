/** The alert rules for Prometheus: every metric that they name exists, and Prometheus' own tool takes and tests them where it is installed. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { METRICS, type Metric } from '../../src/observability/metrics-table.js';

const FOLDER = fileURLToPath(new URL('../../docs/prometheus/', import.meta.url));
const HAS_PROMTOOL = spawnSync('promtool', ['--version']).error === undefined;

test('name only metrics and labels that there are', () => {
  const rules = readFileSync(`${FOLDER}holdfast.rules.yml`, 'utf8');
  const series = [...rules.matchAll(/\bholdfast_([a-z_]+)(?:\{([^}]*)\})?/g)];
  expect(series.length).toBeGreaterThan(10);
  const table: Readonly<Record<string, Metric>> = METRICS;
  for (const [text, name = '', matchers = ''] of series) {
    const metric = table[name] ?? table[name.replace(/_(?:bucket|count|sum)$/, '')];
    expect(metric, text).toBeDefined();
    for (const [, label = ''] of matchers.matchAll(/([a-z_]+)!?=/g))
      if (label !== 'le') expect(metric?.labels, text).toContain(label);
  }
});

test.skipIf(!HAS_PROMTOOL).each([
  ['check', 'holdfast.rules.yml'],
  ['test', 'holdfast.rules.test.yml'],
])('promtool %s rules %s', (verb, file) => {
  const { status, stdout, stderr } = spawnSync('promtool', [verb, 'rules', file], {
    cwd: FOLDER,
    encoding: 'utf8',
  });
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
});
