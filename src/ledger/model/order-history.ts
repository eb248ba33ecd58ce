/**
 * What became of an order at the shop after it was placed, as far as it was seen. People cancel, edit, refund, take
 * back and ship there; the ledger observes it and tells it once. None of it moves stock: only the shop's figures do.
 */

import type { JournalDraft } from './journal.js';
import type { OrderObservation, RefundObservation, ReturnObservation } from './values/observation.js';
import type { LedgerMs } from './values/units.js';

export interface Aftermath {
  /** The shop's own time of the newest reading taken over, in its clock; 0 before the first. */
  readonly updated_at_ms: number;
  /** When that reading began. */
  readonly read_at_ms: LedgerMs;
  /** The shop did not show the order when it was last asked for by name. */
  readonly is_missing: boolean;
  readonly cancelled_at_ms: number | null;
  readonly fulfilment: OrderObservation['fulfilment'];
  /** Units that people added to the order, and took out of it without a refund or a return. */
  readonly added_units: number;
  readonly removed_units: number;
  /** Sorted by reference. */
  readonly refunds: readonly SeenRefund[];
  /** Sorted by reference. */
  readonly returns: readonly ReturnObservation[];
}

export type SeenRefund = Pick<RefundObservation, 'refund_ref' | 'refunded_units' | 'restocked_units'>;

/** Nothing was seen yet. */
export const NO_AFTERMATH: Aftermath = {
  updated_at_ms: 0,
  read_at_ms: 0,
  is_missing: false,
  cancelled_at_ms: null,
  fulfilment: 'unfulfilled',
  added_units: 0,
  removed_units: 0,
  refunds: [],
  returns: [],
};

/**
 * Newer wins: by the shop's own time, then by when the reading began, because the shop tells its times in whole
 * seconds. What is not newer is no news, in whatever order it was delivered.
 */
export function isNewer(observation: OrderObservation, readAt: LedgerMs, seen: Aftermath): boolean {
  const { updated_at_ms } = observation;
  return (
    updated_at_ms > seen.updated_at_ms || (updated_at_ms === seen.updated_at_ms && readAt > seen.read_at_ms)
  );
}

/**
 * What is known after a newer reading. A refund, a restocked unit and a cancellation can't be taken back, so a reading
 * that lacks one (too many for one page, say) does not undo it. `placedUnits`: what the order was placed with.
 */
export function merged(
  seen: Aftermath,
  observation: OrderObservation,
  readAt: LedgerMs,
  placedUnits: number,
): Aftermath {
  const { updated_at_ms, fulfilment, lines } = observation;
  const cancelled_at_ms = seen.cancelled_at_ms ?? observation.cancelled_at_ms;
  const refunds = mergedRefunds(seen.refunds, observation.refunds);
  const returns = mergedReturns(seen.returns, observation.returns);
  const ordered = lines.reduce((sum, line) => sum + line.ordered_units, 0);
  const gone = lines.reduce((sum, line) => sum + line.ordered_units - line.current_units, 0);
  return {
    updated_at_ms,
    read_at_ms: readAt,
    is_missing: false,
    cancelled_at_ms,
    fulfilment,
    added_units: Math.max(0, ordered - placedUnits),
    // A cancellation takes everything out: what was taken out before it can't be told any more.
    removed_units: cancelled_at_ms === null ? Math.max(0, gone - accounted(refunds, returns)) : 0,
    refunds,
    returns,
  };
}

/** Units that left the order by refund or return. A return that was refunded too counts twice: rather no edit than a false one. */
function accounted(refunds: readonly SeenRefund[], returns: readonly ReturnObservation[]): number {
  const taken = returns.filter(({ status }) => status === 'open' || status === 'closed');
  return (
    refunds.reduce((sum, { refunded_units }) => sum + refunded_units, 0) +
    taken.reduce((sum, { returned_units }) => sum + returned_units, 0)
  );
}

function mergedRefunds(seen: readonly SeenRefund[], observed: readonly RefundObservation[]): SeenRefund[] {
  const byRef = new Map(seen.map((refund) => [refund.refund_ref, refund]));
  for (const { refund_ref, refunded_units, restocked_units } of observed) {
    const before = byRef.get(refund_ref);
    byRef.set(refund_ref, {
      refund_ref,
      refunded_units: Math.max(before?.refunded_units ?? 0, refunded_units),
      restocked_units: Math.max(before?.restocked_units ?? 0, restocked_units),
    });
  }
  return [...byRef.values()].sort((a, b) => (a.refund_ref < b.refund_ref ? -1 : 1));
}

function mergedReturns(
  seen: readonly ReturnObservation[],
  observed: readonly ReturnObservation[],
): ReturnObservation[] {
  const byRef = new Map(seen.map((given) => [given.return_ref, given]));
  for (const { return_ref, status, returned_units, restocked_units } of observed) {
    const restocked = Math.max(byRef.get(return_ref)?.restocked_units ?? 0, restocked_units);
    byRef.set(return_ref, { return_ref, status, returned_units, restocked_units: restocked });
  }
  return [...byRef.values()].sort((a, b) => (a.return_ref < b.return_ref ? -1 : 1));
}

/** What is new in `after`, each thing once, apart from what moves the order itself. Units that were restocked are told alone. */
export function news(before: Aftermath, after: Aftermath): JournalDraft[] {
  return [
    ...(before.is_missing && !after.is_missing ? [entry('order.shown', {})] : []),
    ...editNews(before, after),
    ...after.refunds.flatMap((refund) => refundNews(before.refunds, refund)),
    ...after.returns.flatMap((given) => returnNews(before.returns, given)),
  ];
}

function editNews(before: Aftermath, after: Aftermath): JournalDraft[] {
  const { added_units, removed_units, cancelled_at_ms } = after;
  const isEdited =
    before.added_units !== added_units ||
    (cancelled_at_ms === null && before.removed_units !== removed_units);
  return isEdited ? [entry('order.edited', { added_units, removed_units })] : [];
}

function refundNews(seen: readonly SeenRefund[], refund: SeenRefund): JournalDraft[] {
  const { refund_ref, refunded_units, restocked_units } = refund;
  const before = seen.find((known) => known.refund_ref === refund_ref);
  const told = before === undefined ? [entry('order.refunded', { refund_ref, units: refunded_units })] : [];
  return [...told, ...restocked({ refund_ref }, restocked_units - (before?.restocked_units ?? 0))];
}

function returnNews(seen: readonly ReturnObservation[], given: ReturnObservation): JournalDraft[] {
  const { return_ref, status, returned_units, restocked_units } = given;
  const before = seen.find((known) => known.return_ref === return_ref);
  const same = before?.status === status && before.returned_units === returned_units;
  const told = same ? [] : [entry('order.returned', { return_ref, status, units: returned_units })];
  return [...told, ...restocked({ return_ref }, restocked_units - (before?.restocked_units ?? 0))];
}

function restocked(by: Readonly<Record<string, string>>, units: number): JournalDraft[] {
  return units > 0 ? [entry('order.restocked', { ...by, units })] : [];
}

function entry(kind: JournalDraft['kind'], data: JournalDraft['data']): JournalDraft {
  return { kind, data, of_reservation: true };
}
