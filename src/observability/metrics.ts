/**
 * What this process has counted and measured since it started, for Prometheus. In memory: a restart begins at zero, as Prometheus
 * expects. `prom-client` keeps the figures and writes the text. It is loaded only where somebody can ask: 20 ms of a start.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type Metric,
  type MetricName,
  type MetricSink,
} from './metrics-table.js';

const PREFIX = 'holdfast_';

export class Metrics implements MetricSink {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    for (const [name, metric] of Object.entries(METRICS)) this.#declare(name, metric);
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    declared(this.#counters, name).inc(labels, by);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    declared(this.#gauges, name).set(labels, value);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    declared(this.#histograms, name).observe(labels, value);
  }

  /** Also memory, CPU time and the event loop of this process. Once, for the rest of its life. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** All of it, in the text format of Prometheus (0.0.4). */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #declare(name: string, { type, help, labels = [], buckets = [] }: Metric): void {
    const common = { name: `${PREFIX}${name}`, help, labelNames: [...labels], registers: [this.#registry] };
    switch (type) {
      case 'counter':
        this.#counters.set(name, new Counter(common));
        break;
      case 'gauge':
        this.#gauges.set(name, new Gauge(common));
        break;
      case 'histogram':
        this.#histograms.set(name, new Histogram({ ...common, buckets: [...buckets] }));
        break;
    }
  }
}

function declared<Kind>(metrics: ReadonlyMap<string, Kind>, name: MetricName): Kind {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`the table of metrics has no ${name} of this type`);
  return metric;
}
