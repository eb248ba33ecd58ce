/**
 * What a person has changed on a draft order of ours. The hold rests on its lines and on the time until which it reserves, so both
 * are read, and an order is never completed on a draft that is not what was reserved (L10).
 */

import type { OrderReason } from '../model/order.js';
import type { OutboxRow } from '../model/outbox-row.js';
import { isOffered, withdrawal } from '../order/checkout-link.js';
import { unmirrorHolds } from '../order/mirror-hold.js';
import { DRAFT_EDITED, DRAFT_GONE, FREE, must, note, type SeenHold } from '../state/job.js';
import type { Changes, Decision, LedgerState, Owned } from '../state/state.js';
import { intentOf } from './next-step.js';

const CHANGED_AT_SHOP: OrderReason = {
  code: 'changed_at_shop',
  detail: 'A person changed what the buyer was to pay for, so the link was withdrawn.',
};

/**
 * `counted`: the units count on our side alone, and an order makes a draft of its own. `remade`: the intent to delete the draft is
 * written, and the order makes another. `withdrawn`: the buyer's link ends first. `parked`: it was changed before as well, so a
 * person has to say what is wanted.
 */
export type Edited = 'counted' | 'remade' | 'withdrawn' | 'parked';

/** The shop has made another draft than was asked for: it is let go of, and the units stay on our side. */
export function decideDropDraft(state: LedgerState): Decision<OutboxRow> {
  const changes = intentOf(state, must(state), 'delete', { why: 'draft_differs' });
  return { result: changes.outbox, changes };
}

/** The lines of the draft are not those that were reserved. From now on the units count on our side. */
export function decideEdited(state: LedgerState, seen: SeenHold): Decision<Edited> {
  const owned = must(state);
  const { order, outbox } = owned;
  if (order !== null && isOffered(order)) return withdraw(state, owned, seen);
  if (order?.state === 'accepted') {
    return outbox.last_failure === DRAFT_EDITED ? park(state, owned, seen) : remake(state, owned, seen);
  }
  const isNews = outbox.last_failure !== DRAFT_EDITED;
  return {
    result: 'counted',
    changes: {
      ...unmirrorHolds(state, owned),
      outbox: editedRow(outbox, seen),
      journal: isNews ? [note('shop.draft_edited', { hold_ref: seen.hold_ref })] : [],
    },
  };
}

function withdraw(state: LedgerState, owned: Owned, seen: SeenHold): Decision<Edited> {
  const { order } = owned;
  if (order === null) throw new Error('only an order has a link');
  const changes = withdrawal(state, owned, order, order.reasons[0] ?? CHANGED_AT_SHOP);
  const row = { ...editedRow(owned.outbox, seen), due_at_ms: state.now_ms };
  return { result: 'withdrawn', changes: { ...changes, ...unmirrorHolds(state, owned), outbox: row } };
}

function remake(state: LedgerState, owned: Owned, seen: SeenHold): Decision<Edited> {
  const row = editedRow(owned.outbox, seen);
  const changes = intentOf(state, { ...owned, outbox: row }, 'delete', { why: DRAFT_EDITED });
  return { result: 'remade', changes };
}

function park(state: LedgerState, owned: Owned, seen: SeenHold): Decision<Edited> {
  const outbox: OutboxRow = { ...editedRow(owned.outbox, seen), ...FREE, parked: true, due_at_ms: null };
  return {
    result: 'parked',
    changes: {
      ...unmirrorHolds(state, owned),
      outbox,
      journal: [note('shop.parked', { failure: DRAFT_EDITED, hold_ref: seen.hold_ref })],
    },
  };
}

function editedRow(outbox: OutboxRow, seen: SeenHold): OutboxRow {
  return {
    ...outbox,
    shop_state: 'open',
    hold_ref: seen.hold_ref,
    hold_until_ms: seen.until_ms,
    intent_at_ms: null,
    empty_lookups: 0,
    last_failure: DRAFT_EDITED,
  };
}

/**
 * A draft that was to be completed is not there, and no order of ours is found. Whether it became an order or a person removed it
 * is not known yet, so its units count on our side from this moment: the shop may have them again.
 */
export function decideCompletionLost(state: LedgerState): Decision<void> {
  const owned = must(state);
  const { outbox } = owned;
  const isNews = outbox.last_failure !== DRAFT_GONE;
  const changes: Changes = {
    ...unmirrorHolds(state, owned),
    outbox: { ...outbox, last_failure: DRAFT_GONE },
    journal: isNews ? [note('shop.draft_gone', { hold_ref: outbox.hold_ref })] : [],
  };
  return { result: undefined, changes };
}

/** It was asked often and long enough: a person has to look, and to say whether the order is to be made again. */
export function decideParkLost(state: LedgerState): Decision<void> {
  const { outbox } = must(state);
  return {
    result: undefined,
    changes: {
      outbox: { ...outbox, ...FREE, parked: true, due_at_ms: null, last_failure: DRAFT_GONE },
      journal: [note('shop.parked', { failure: DRAFT_GONE, hold_ref: outbox.hold_ref })],
    },
  };
}
