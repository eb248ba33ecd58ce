/**
 * Looks for what the shop carried out after two searches had not found it: a second order, or a second draft, of one
 * reservation. One search serves all rows. A draft of ours is let go; a second order is told, and cancelled where the merchant
 * allows it: only an unpaid one, and only while the order that the ledger knows stands, so never both.
 */

import { decideCancelTwin, decideLateOrder, isLateDraft, LATE_MS } from '../ledger/outbox/late-twins.js';
import type { Clock, LateRow, Store } from '../ledger/state/state.js';
import { FIND_TAGS_MAX, type LateOrderSink, type TaggedFinds, type TaggedOrder } from '../sources/source.js';

export interface TwinWatchLimits {
  /** So long after the look-ups every round looks. */
  readonly every_round_for_ms: number;
  /** After that, looks are so far apart. */
  readonly then_every_ms: number;
  /** Rows of one round. */
  readonly rows_max: number;
  readonly lease_ms: number;
  readonly call_ms: number;
}

export interface TwinWatchPorts {
  readonly store: Store;
  readonly sink: LateOrderSink;
  readonly clock: Clock;
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  readonly worker: string;
  /** Whether an unpaid second order is cancelled. */
  readonly cancelsTwins: boolean;
  readonly limits: TwinWatchLimits;
}

const LEASE = 'twins';
/** Entries of a reservation in which a twin is looked for that was told before. */
const TOLD_MAX = 200;

export class TwinWatch {
  readonly #ports: TwinWatchPorts;
  /** By what has really passed. */
  #lookedSeldom_ms = Number.NEGATIVE_INFINITY;

  constructor(ports: TwinWatchPorts) {
    this.#ports = ports;
  }

  /** One round. Does nothing without rows, and while another process has the lease. Throws UpstreamError. */
  async look(signal: AbortSignal): Promise<void> {
    const { store, worker, limits } = this.#ports;
    const rows = await this.#dueRows();
    if (rows.length === 0 || !(await store.lease(LEASE, worker, limits.lease_ms))) return;
    for (let start = 0; start < rows.length; start += FIND_TAGS_MAX) {
      await this.#lookFor(rows.slice(start, start + FIND_TAGS_MAX), signal);
    }
  }

  /** Gives up the lease, so that another process need not wait for it to end. */
  async close(): Promise<void> {
    await this.#ports.store.releaseLease(LEASE, this.#ports.worker);
  }

  async #dueRows(): Promise<readonly LateRow[]> {
    const { store, clock, limits } = this.#ports;
    const now = clock.now();
    const rows = await store.lateRows(now - LATE_MS, limits.rows_max);
    const elapsed = clock.elapsed();
    if (elapsed - this.#lookedSeldom_ms < limits.then_every_ms)
      return rows.filter(({ late_since_ms }) => now - late_since_ms < limits.every_round_for_ms);
    this.#lookedSeldom_ms = elapsed;
    return rows;
  }

  async #lookFor(rows: readonly LateRow[], signal: AbortSignal): Promise<void> {
    const { sink, limits } = this.#ports;
    const call = AbortSignal.any([signal, AbortSignal.timeout(limits.call_ms)]);
    const tags = rows.map(({ tag }) => tag);
    const found = await sink.findTagged(tags, call);
    for (const row of rows) {
      const orders = found.orders.filter(({ tag }) => tag === row.tag);
      for (const order of orders) await this.#judge(row, order, orders, signal);
      await this.#letGo(row, found, signal);
    }
  }

  async #judge(
    { reservation_key }: LateRow,
    late: TaggedOrder,
    all: readonly TaggedOrder[],
    signal: AbortSignal,
  ): Promise<void> {
    const { store, report, cancelsTwins } = this.#ports;
    if (late.is_cancelled) return;
    const keys = { owned: { reservation_key } };
    const entries = await store.timeline(reservation_key, TOLD_MAX);
    const isTold = entries.some(
      ({ kind, data }) => kind === 'order.doubled' && JSON.parse(data).order_ref === late.order_ref,
    );
    const verdict = await store.transact(keys, (state) => decideLateOrder(state, late, isTold));
    if (verdict !== 'twin' && verdict !== 'alone') return;
    if (!isTold)
      report('order_doubled', { reservation_key, orders: all.map(({ order_name }) => order_name) });
    if (verdict === 'twin' && cancelsTwins) await this.#cancel(reservation_key, late, all, signal);
  }

  /** The order that the ledger knows has to be there, and not cancelled, in the same reading. */
  async #cancel(
    reservation_key: number,
    twin: TaggedOrder,
    all: readonly TaggedOrder[],
    signal: AbortSignal,
  ): Promise<void> {
    const { store, sink, report } = this.#ports;
    if (!twin.is_unpaid) return;
    const keys = { owned: { reservation_key } };
    const known = await store.read(keys, ({ owned }) => owned?.order?.upstream_order_ref ?? null);
    const stands = all.some(({ order_ref, is_cancelled }) => order_ref === known && !is_cancelled);
    if (!stands || known === twin.order_ref) return;
    await store.transact(keys, (state) => decideCancelTwin(state, twin.order_ref));
    const outcome = await sink.cancelOrder(twin.order_ref, signal);
    // Whatever came of it shows in the order at the next look.
    report('twin_cancelled', { reservation_key, order: twin.order_name, outcome: outcome.outcome });
  }

  /** Drafts with the row's tag that are not its own hold units for nobody, and nobody was given their link. */
  async #letGo({ reservation_key, tag }: LateRow, found: TaggedFinds, signal: AbortSignal): Promise<void> {
    const { store, sink, report } = this.#ports;
    for (const { tag: own, hold } of found.holds) {
      if (own !== tag || hold.status !== 'open') continue;
      const isLate = await store.read({ owned: { reservation_key } }, (state) =>
        isLateDraft(state, hold.hold_ref),
      );
      if (!isLate) continue;
      const { outcome } = await sink.deleteHold(hold.hold_ref, signal);
      report('late_draft_deleted', { reservation_key, outcome });
    }
  }
}
