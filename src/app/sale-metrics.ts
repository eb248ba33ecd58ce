/** What the ledger decides and journals, as metrics: figures and codes of ours only. */

import type { DecisionSeen } from '../ledger/model/decision-watch.js';
import type { JournalDraft, JournalKind } from '../ledger/model/journal.js';
import type { JournalWatch } from '../ledger/state/state.js';
import type { MetricSink } from '../observability/metrics-table.js';

const ORDER_OUTCOMES: Partial<Record<JournalKind, string>> = {
  'order.placed': 'placed',
  'order.rejected': 'rejected',
  'order.failed': 'failed',
  'order.fulfilled': 'fulfilled',
  'order.cancelled': 'cancelled',
  'order.doubled': 'doubled',
  'order.missing': 'missing',
};

const RESERVATION_EVENTS: Partial<Record<JournalKind, string>> = {
  'reservation.created': 'created',
  'reservation.released': 'released',
  'reservation.expired': 'expired',
};

/** Why an order ends where its units were gone: it would have been sold twice, or after the item was taken off sale. */
const OVERSOLD: ReadonlySet<unknown> = new Set(['stock_insufficient', 'item_discontinued']);

/** Told once each decision is committed. */
export function measureDecision(metrics: MetricSink, seen: DecisionSeen): void {
  const { tool, decision, ages, hash_verdict, missing_units = 0 } = seen;
  for (const { age_ms, velocity } of ages)
    metrics.observe('stock_age_seconds', { tool, decision, velocity }, age_ms / 1_000);
  if (hash_verdict !== undefined) metrics.add('hash_verdicts_total', { verdict: hash_verdict });
  if (hash_verdict === 'unknown') metrics.add('unknown_hashes_total', {});
  if (tool === 'submit_order_with_hash' && decision !== 'refused')
    metrics.add('orders_total', { outcome: 'submitted' });
  if (missing_units > 0) metrics.add('oversell_prevented_units_total', { by: 'reservation' }, missing_units);
}

/**
 * Counts what became of orders and reservations, once it is committed. What never happened is 0 from the start: only so its first
 * time shows as a rise.
 */
export function measureJournal(metrics: MetricSink): JournalWatch {
  for (const outcome of ['submitted', ...Object.values(ORDER_OUTCOMES)])
    metrics.add('orders_total', { outcome }, 0);
  for (const event of Object.values(RESERVATION_EVENTS)) metrics.add('reservations_total', { event }, 0);
  for (const verdict of ['match', 'stale', 'unknown']) metrics.add('hash_verdicts_total', { verdict }, 0);
  for (const by of ['reservation', 'order']) metrics.add('oversell_prevented_units_total', { by }, 0);
  return ({ kind, data }: JournalDraft) => {
    const outcome = ORDER_OUTCOMES[kind];
    if (outcome !== undefined) metrics.add('orders_total', { outcome });
    const event = RESERVATION_EVENTS[kind];
    if (event !== undefined) metrics.add('reservations_total', { event });
    const { freed_units } = data;
    if ((kind === 'order.rejected' || kind === 'order.failed') && typeof freed_units === 'number') {
      const reasons = [data['reasons'], data['reason']].flat();
      if (reasons.some(isOversold))
        metrics.add('oversell_prevented_units_total', { by: 'order' }, freed_units);
    }
  };
}

/** A reason is a code, or has one. */
function isOversold(reason: unknown): boolean {
  return OVERSOLD.has(
    reason !== null && typeof reason === 'object' && 'code' in reason ? reason.code : reason,
  );
}
