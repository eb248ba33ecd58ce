/** Log lines of what concerns money: units reserved, and orders accepted, held, placed, rejected and failed. Ids and codes of ours only. */

import type { JournalDraft, JournalKind } from '../ledger/model/journal.js';
import type { JournalWatch } from '../ledger/state/state.js';
import type { Log } from '../observability/log.js';

type Data = Readonly<Record<string, unknown>>;

/** What a line says besides the ids. */
const LINES: Partial<
  Record<
    JournalKind,
    { readonly event: string; readonly say: (data: Data) => Data; readonly isOrder?: false }
  >
> = {
  'reservation.created': {
    event: 'reserved',
    say: ({ principal, lines }) => ({ principal, units: countReserved(lines) }),
    isOrder: false,
  },
  'order.accepted': { event: 'order_accepted', say: ({ verdict }) => ({ hash_verdict: verdict }) },
  'order.revalidated': { event: 'order_accepted', say: () => ({ hash_verdict: 'stale' }) },
  'order.held': { event: 'order_held', say: ({ held_for }) => ({ held_for }) },
  'order.buyer_refused': {
    event: 'order_held',
    say: ({ fields }) => ({ held_for: 'buyer_refused', fields }),
  },
  'order.placed': { event: 'order_placed', say: ({ order_ref }) => ({ order_ref }) },
  'order.rejected': { event: 'order_rejected', say: ({ reasons }) => ({ reasons: codesOf(reasons) }) },
  'order.failed': { event: 'order_failed', say: ({ reason }) => ({ reasons: codesOf([reason]) }) },
};

/** Writes a line for each entry of the journal that is about money, once it is committed. */
export function logMoney(log: Pick<Log, 'info'>): JournalWatch {
  return ({ kind, data }: JournalDraft, reservation_id) => {
    const line = LINES[kind];
    if (line === undefined) return;
    const order = line.isOrder === false ? {} : { order_id: data['id'] };
    log.info(line.event, { ...order, reservation_id, ...line.say(data) });
  };
}

/** A line of a reservation: its SKU, what was asked for, and pairs of place and units. */
function countReserved(lines: unknown): number {
  return (lines as readonly (readonly [string, number, readonly (readonly [unknown, number])[]])[])
    .flatMap(([, , allocations]) => allocations)
    .reduce((sum, [, units]) => sum + units, 0);
}

function codesOf(reasons: unknown): readonly string[] {
  return (reasons as readonly (string | { readonly code: string })[]).map((reason) =>
    typeof reason === 'string' ? reason : reason.code,
  );
}
