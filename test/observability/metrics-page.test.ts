/** The page that people read names every metric as the table declares it, and no other. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS, type Metric } from '../../src/observability/metrics-table.js';

test('docs/metrics.md has one row for each metric', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `holdfast_'));
  const declared = Object.entries(METRICS).map(([name, { type, help, labels = [] }]: [string, Metric]) => {
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`holdfast_${name}\` | ${type} | ${names || '–'} | ${help} |`;
  });
  expect(rows).toEqual(declared);
});
