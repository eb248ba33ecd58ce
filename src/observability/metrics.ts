/** What this process has counted since it started. In memory: a restart begins at zero, as Prometheus expects. */

/** Every metric, by its name without the prefix. A new one is a line here. */
export const METRICS = {
  confirmed_age_seconds: {
    type: 'gauge',
    help: 'How long ago the newest heartbeat that succeeded began. NaN before the first full read.',
  },
  drift_levels: {
    type: 'gauge',
    help: 'Stock levels that the last reconciliation found to differ from the ledger, unexplained.',
  },
  drift_items: {
    type: 'gauge',
    help: 'Items whose catalogue entry the last reconciliation found to differ from the ledger.',
  },
  unplaced_holds: {
    type: 'gauge',
    help: 'Reservations that the shop has held for over two minutes, and whose units no location shows gone.',
  },
  orders_waiting: {
    type: 'gauge',
    help: 'Orders that are accepted and not at the shop yet, without those that wait for their buyer to pay.',
  },
  orders_waiting_oldest_age_seconds: {
    type: 'gauge',
    help: 'How long ago the oldest of them was submitted.',
  },
  outbox_put_off_total: {
    type: 'counter',
    help: 'Steps at the shop that did not succeed and are tried again, by why.',
    label: 'failure',
  },
  webhook_deliveries_total: {
    type: 'counter',
    help: 'Deliveries at the webhook route, by what became of them.',
    label: 'outcome',
  },
  inbox_waiting: { type: 'gauge', help: 'Deliveries that wait to be looked at, of all processes.' },
  inbox_oldest_age_seconds: { type: 'gauge', help: 'Age of the delivery that waits longest.' },
  inbox_settled_total: { type: 'counter', help: 'Deliveries whose every name has been looked at.' },
  inbox_put_off_total: {
    type: 'counter',
    help: 'Deliveries put off because one of their names could not be read.',
  },
  inbox_given_up_total: {
    type: 'counter',
    help: 'Deliveries given up because one of their names could never be read. Its item promises nothing until it is.',
  },
  inbox_failures_total: {
    type: 'counter',
    help: 'Rounds given up because the shop or the ledger did not answer.',
  },
  inbox_items_reread_total: { type: 'counter', help: 'Items read again because a delivery named them.' },
  quota_refusals_total: {
    type: 'counter',
    help: 'Wishes refused because the caller had taken what one caller may take, by the limit.',
    label: 'limit',
  },
  unknown_hashes_total: {
    type: 'counter',
    help: 'Orders refused because their checksum was never issued: an agent has made one up, or a caller tries them.',
  },
  inbox_hints_coalesced_total: {
    type: 'counter',
    help: 'Names of items that needed no read of their own: another had covered them.',
  },
  mcp_requests_total: {
    type: 'counter',
    help: 'Requests at /mcp, by what became of them.',
    label: 'outcome',
  },
  mcp_refused_bytes_total: {
    type: 'counter',
    help: 'Declared length of bodies at /mcp that were refused for their size.',
  },
  http_connections_refused_total: {
    type: 'counter',
    help: 'Connections that were not let in, by which limit was reached.',
    label: 'limit',
  },
  auth_refusals_total: { type: 'counter', help: 'Requests to /mcp turned away, by why.', label: 'reason' },
  push_readers: { type: 'gauge', help: 'Streams and sessions that follow SKUs.' },
  push_sent_total: { type: 'counter', help: 'Notices sent that the stock of a SKU has changed.' },
  push_dropped_total: { type: 'counter', help: 'Readers dropped because they took nothing any more.' },
} as const satisfies Record<string, Metric>;

interface Metric {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** One label at most. Its values are ours, never a stranger's text. */
  readonly label?: string;
}

export type MetricName = keyof typeof METRICS;
type Labelled = {
  [Name in MetricName]: (typeof METRICS)[Name] extends { label: string } ? Name : never;
}[MetricName];
type Plain = Exclude<MetricName, Labelled>;

const PREFIX = 'holdfast_';

export class Counters {
  /** By metric, then by the value of its label; '' where it has none. */
  readonly #values = new Map<MetricName, Map<string, number>>();

  add(name: Plain, by?: number): void;
  add(name: Labelled, by: number, label: string): void;
  add(name: MetricName, by = 1, label = ''): void {
    this.#put(name, label, this.#of(name, label) + by);
  }

  /** For gauges. */
  set(name: Plain, value: number): void {
    this.#put(name, '', value);
  }

  /** Zero when it was never counted. */
  get(name: Plain): number;
  get(name: Labelled, label: string): number;
  get(name: MetricName, label = ''): number {
    return this.#of(name, label);
  }

  #of(name: MetricName, label: string): number {
    return this.#values.get(name)?.get(label) ?? 0;
  }

  /** All that was counted, in the text format of Prometheus (0.0.4). */
  text(): string {
    return (Object.keys(METRICS) as MetricName[]).map((name) => this.#textOf(name)).join('');
  }

  #put(name: MetricName, label: string, value: number): void {
    const values = this.#values.get(name) ?? new Map<string, number>();
    values.set(label, value);
    this.#values.set(name, values);
  }

  #textOf(name: MetricName): string {
    const { type, help, label }: Metric = METRICS[name];
    const values = this.#values.get(name) ?? new Map(label === undefined ? [['', 0]] : []);
    const lines = [...values].map(([of, value]) => {
      const labels = label === undefined ? '' : `{${label}="${of}"}`;
      return `${PREFIX}${name}${labels} ${value}\n`;
    });
    return `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n${lines.join('')}`;
  }
}
