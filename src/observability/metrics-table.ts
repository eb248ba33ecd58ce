/** Every metric of this process: one row each, from which the types, `/metrics` and the test of docs/metrics.md come. */

export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Their values are ours, and few: codes, tools, outcomes. Never a SKU, a caller, an order or a stranger's text. */
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

/** How old stock may be is minutes; older than half an hour is all the same. */
const AGE_BUCKETS_S = [1, 5, 15, 30, 60, 120, 300, 600, 1_800];
/** Of `mcp.server.operation.duration` in the OpenTelemetry conventions, and finer below: most calls take a millisecond. */
const CALL_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const SHOP_CALL_BUCKETS_S = [0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** By its name without the prefix. A new one is a row here. */
export const METRICS = {
  stock_age_seconds: {
    type: 'histogram',
    help: 'Age of the stock data of a SKU when something was decided on it, by tool, by what was decided, and by how fast the SKU sells.',
    labels: ['tool', 'decision', 'velocity'],
    buckets: AGE_BUCKETS_S,
  },
  mcp_server_operation_duration_seconds: {
    type: 'histogram',
    help: 'Time to answer a tool call, by tool and by code of the refusal; empty for a success.',
    labels: ['tool', 'error_type'],
    buckets: CALL_BUCKETS_S,
  },
  shop_call_duration_seconds: {
    type: 'histogram',
    help: 'Time of one request to the shop, without the wait for its rate limit, by operation and outcome.',
    labels: ['operation', 'outcome'],
    buckets: SHOP_CALL_BUCKETS_S,
  },
  refusals_total: {
    type: 'counter',
    help: 'Tool calls that were refused, by tool and code.',
    labels: ['tool', 'code'],
  },
  hash_verdicts_total: {
    type: 'counter',
    help: 'Checksums that orders brought, by verdict. An unknown one was never issued: made up, or tried.',
    labels: ['verdict'],
  },
  orders_total: {
    type: 'counter',
    help: 'Orders by what became of them; submitted counts each once, whatever comes after.',
    labels: ['outcome'],
  },
  oversell_prevented_units_total: {
    type: 'counter',
    help: 'Units that were asked for and not there: of refused reservations, and of orders that ended because the shop had sold the units.',
    labels: ['by'],
  },
  reservations_total: {
    type: 'counter',
    help: 'Reservations by what became of them; created counts each once, whatever comes after.',
    labels: ['event'],
  },
  reservations_live: {
    type: 'gauge',
    help: 'Reservations that hold units now, submitted ones included.',
  },
  units_held: {
    type: 'gauge',
    help: 'Units that reservations hold now, expired ones not yet swept included.',
  },
  orders_held: {
    type: 'gauge',
    help: 'Orders that are held until their stock is read again or a person decides.',
  },
  orders_held_oldest_age_seconds: { type: 'gauge', help: 'How long ago the oldest of them was submitted.' },
  confirmed_age_seconds: {
    type: 'gauge',
    help: 'How long ago the newest heartbeat that succeeded began. NaN before the first full read.',
  },
  reconciliation_age_seconds: {
    type: 'gauge',
    help: 'How long ago the last comparison of the whole shop with the ledger ended. NaN before the first.',
  },
  drift_levels: {
    type: 'gauge',
    help: 'Stock levels that the last reconciliation found to differ from the ledger, unexplained.',
  },
  drift_items: {
    type: 'gauge',
    help: 'Items whose catalogue entry the last reconciliation found to differ from the ledger.',
  },
  withheld_rises: {
    type: 'gauge',
    help: 'Stock levels that rose a hundredfold at once and are not sold beyond the old figure, until a second read shows it, too.',
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
  outbox_parked: {
    type: 'gauge',
    help: 'Reservations whose work at the shop has stopped until a person looks.',
  },
  outbox_put_off_total: {
    type: 'counter',
    help: 'Steps at the shop that did not succeed and are tried again, by why.',
    labels: ['failure'],
  },
  webhook_deliveries_total: {
    type: 'counter',
    help: 'Deliveries at the webhook route, by what became of them.',
    labels: ['outcome'],
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
  inbox_hints_coalesced_total: {
    type: 'counter',
    help: 'Names of items that needed no read of their own: another had covered them.',
  },
  quota_refusals_total: {
    type: 'counter',
    help: 'Wishes refused because the caller had taken what one caller may take, by the limit.',
    labels: ['limit'],
  },
  unknown_hashes_total: {
    type: 'counter',
    help: 'Orders refused because their checksum was never issued: an agent has made one up, or a caller tries them.',
  },
  mcp_requests_total: {
    type: 'counter',
    help: 'Requests at /mcp, by what became of them.',
    labels: ['outcome'],
  },
  mcp_refused_bytes_total: {
    type: 'counter',
    help: 'Declared length of bodies at /mcp that were refused for their size.',
  },
  http_connections_refused_total: {
    type: 'counter',
    help: 'Connections that were not let in, by which limit was reached.',
    labels: ['limit'],
  },
  auth_refusals_total: {
    type: 'counter',
    help: 'Requests to /mcp and /metrics that were refused for their token, by reason.',
    labels: ['reason'],
  },
  push_readers: { type: 'gauge', help: 'Streams and sessions that follow SKUs.' },
  push_sent_total: { type: 'counter', help: 'Notices sent that the stock of a SKU has changed.' },
  push_dropped_total: { type: 'counter', help: 'Readers dropped because they took nothing any more.' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

type NameOf<Type extends Metric['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;

type LabelOf<Name extends MetricName> = (typeof METRICS)[Name] extends {
  readonly labels: readonly (infer Label extends string)[];
}
  ? Label
  : never;

export type LabelsOf<Name extends MetricName> = Readonly<Record<LabelOf<Name>, string>>;

/** Where parts of the program say what they count and measure. */
export interface MetricSink {
  /** `by` is 1 when it is left out. */
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** In the unit that the name ends in. */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
}

/** For a process that nobody can ask for its metrics: over stdio. */
export const NO_METRICS: MetricSink = {
  add: () => undefined,
  set: () => undefined,
  observe: () => undefined,
};
