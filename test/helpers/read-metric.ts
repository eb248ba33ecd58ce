/** One figure of what /metrics answers. */

import type { Metrics } from '../../src/observability/metrics.js';
import type { MetricName } from '../../src/observability/metrics-table.js';

/** By the values of its labels, in the order of the table. Zero when it was never counted. */
export async function readMetric(
  metrics: Pick<Metrics, 'text'>,
  name: MetricName | `${MetricName}_${'count' | 'sum'}`,
  ...labels: readonly string[]
): Promise<number> {
  return readFigure(await metrics.text(), name, ...labels);
}

/** The same of a text that was scraped. */
export function readFigure(text: string, name: string, ...labels: readonly string[]): number {
  const lines = text.split('\n').filter((line) => line.replace(/[ {].*$/s, '') === `holdfast_${name}`);
  const line = lines.find((one) => {
    const values = [...one.matchAll(/="([^"]*)"/g)].map(([, value]) => value);
    return values.length === labels.length && values.every((value, at) => value === labels[at]);
  });
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}
