/**
 * Decisions of the outbox: who works on a reservation's shop side, the intent before each call, and what each
 * outcome changes. Every function here is one short transaction; the calls to the shop lie between them.
 */

import { endReservation, heldUnits, sumsAfter } from './ending.js';
import type { Hold } from './hold.js';
import type { JournalDraft } from './journal.js';
import { nextOrderState, type Order, type OrderReason } from './order.js';
import type { Changes, Decision, HoldMove, LedgerSettings, LedgerState, Owned } from './ports.js';
import { nextReservationState } from './reservation.js';
import { type OutboxRow, STEPS, type Step, wantedAtShop } from './shop-side.js';
import type { Item } from './stock.js';

/** What a worker needs to do a step. */
export interface Work {
  readonly step: Step;
  readonly owned: Owned;
  readonly items: readonly Item[];
}

/** What exists at the shop, as it was seen. */
export interface SeenHold {
  readonly hold_ref: string;
  readonly until_ms: number | null;
}

export interface SeenOrder {
  readonly order_ref: string;
  readonly order_name: string;
}

/** The claim that a worker makes on a row; it ends by time if the worker dies. */
export interface Claim {
  readonly worker: string;
  readonly claim_ms: number;
}

/** The next step that a reservation's shop side needs. */
export function nextStep(owned: Owned, settings: LedgerSettings): Step {
  const wanted = wantedAtShop(owned.reservation.state, owned.order?.state ?? null, settings);
  return STEPS[wanted][owned.outbox.shop_state];
}

/** Takes the row for a worker; null when it is not due, or another living worker has it. */
export function decideClaim(state: LedgerState, claim: Claim): Decision<boolean> {
  const { owned, now_ms } = state;
  if (owned === null) return { result: false };
  const { outbox } = owned;
  const taken =
    outbox.claimed_until_ms !== null &&
    outbox.claimed_until_ms > now_ms &&
    outbox.claimed_by !== claim.worker;
  if (taken || outbox.due_at_ms === null || outbox.due_at_ms > now_ms) return { result: false };
  return {
    result: true,
    changes: { outbox: { ...outbox, claimed_by: claim.worker, claimed_until_ms: now_ms + claim.claim_ms } },
  };
}

/**
 * The step to do now, renewing the claim; null when nothing is to be done (the row then rests and the claim is
 * given up) or when the claim was lost. A `create`, `complete` or `delete` comes back with its intent written.
 */
export function decideNextStep(
  state: LedgerState,
  claim: Claim,
  settings: LedgerSettings,
): Decision<Work | null> {
  const { owned, now_ms } = state;
  if (owned === null || !holdsClaim(owned.outbox, claim, now_ms)) return { result: null };
  const deadline = heldDeadline(owned.order, settings);
  if (deadline !== null && now_ms >= deadline) return rejectHeld(state, owned);
  const step = nextStep(owned, settings);
  if (step === 'rest') {
    return {
      result: null,
      changes: { outbox: { ...owned.outbox, ...FREE, due_at_ms: deadline, attempts: 0 } },
    };
  }
  const renewed = { ...owned.outbox, claimed_until_ms: now_ms + claim.claim_ms };
  const work = (outbox: OutboxRow): Work => ({ step, owned: { ...owned, outbox }, items: state.owned_items });
  const intent = INTENTS[step];
  if (intent === null) return { result: work(renewed), changes: { outbox: renewed } };
  const outbox: OutboxRow = {
    ...renewed,
    shop_state: intent.shop_state,
    intent_at_ms: now_ms,
    empty_lookups: 0,
  };
  return {
    result: work(outbox),
    changes: { outbox, journal: [note(intent.kind, { attempt: outbox.attempts + 1 })] },
  };
}

const FREE = { claimed_by: null, claimed_until_ms: null } as const;

const INTENTS = {
  create: { shop_state: 'creating', kind: 'shop.creating' },
  complete: { shop_state: 'completing', kind: 'shop.completing' },
  delete: { shop_state: 'deleting', kind: 'shop.deleting' },
  look_up: null,
  read_back: null,
  revalidate: null,
  rest: null,
} as const satisfies Record<Step, { shop_state: OutboxRow['shop_state']; kind: JournalDraft['kind'] } | null>;

/** The shop has the hold. A report read from now on shows it, and moves our holds from counted to mirrored. */
export function decideOpen(state: LedgerState, seen: SeenHold): Decision<void> {
  const owned = must(state);
  const until = seen.until_ms;
  const mirrors = (hold: Hold): boolean =>
    hold.state === 'counted' && hold.awaits !== 'settle' && until !== null;
  const holds = owned.holds.filter(mirrors).map(
    (hold): HoldMove => ({
      hold,
      to: { ...hold, awaits: 'mirror', awaits_after_ms: state.now_ms, mirror_until_ms: until },
    }),
  );
  const longer = owned.holds
    .filter((hold) => hold.state === 'mirrored' && until !== null && hold.mirror_until_ms !== until)
    .map((hold): HoldMove => ({ hold, to: { ...hold, mirror_until_ms: until } }));
  const outbox: OutboxRow = {
    ...owned.outbox,
    shop_state: 'open',
    hold_ref: seen.hold_ref,
    hold_until_ms: until,
    intent_at_ms: null,
    attempts: 0,
  };
  return {
    result: undefined,
    changes: {
      outbox,
      holds: [...holds, ...longer],
      journal: [note('shop.open', { hold_ref: seen.hold_ref, until_ms: until })],
    },
  };
}

/** Buyer, note and reference have reached the shop, and it holds until the time given. */
export function decideDetailsSent(state: LedgerState, seen: SeenHold): Decision<void> {
  const opened = decideOpen(state, seen);
  const outbox = opened.changes?.outbox;
  if (outbox === undefined) throw new Error('opening writes the outbox row');
  const { shop_state, intent_at_ms } = must(state).outbox;
  return {
    result: undefined,
    changes: { ...opened.changes, outbox: { ...outbox, shop_state, intent_at_ms, details_sent: true } },
  };
}

/** It is certain that nothing exists at the shop. */
export function decideAbsent(state: LedgerState, why: string): Decision<void> {
  const owned = must(state);
  return {
    result: undefined,
    changes: {
      ...backToCounted(state, owned),
      outbox: {
        ...owned.outbox,
        shop_state: 'absent',
        hold_ref: null,
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
      },
      journal: [note('shop.absent', { why })],
    },
  };
}

/** A look-up that found nothing: the shop's search may lag, so it takes several before `decideAbsent`. */
export function decideEmptyLookup(state: LedgerState, retryAtMs: number): Decision<void> {
  const { outbox } = must(state);
  return {
    result: undefined,
    changes: {
      outbox: { ...outbox, ...FREE, empty_lookups: outbox.empty_lookups + 1, due_at_ms: retryAtMs },
    },
  };
}

/** A step that did not succeed and may be done again later. Parks the row after too many. */
export function decideLater(
  state: LedgerState,
  again: {
    readonly delay_ms: number;
    readonly attempts_max: number;
    readonly failure: string;
    readonly back_to?: OutboxRow['shop_state'];
  },
): Decision<void> {
  const { outbox } = must(state);
  const attempts = outbox.attempts + 1;
  const parked = attempts >= again.attempts_max;
  return {
    result: undefined,
    changes: {
      outbox: {
        ...outbox,
        ...FREE,
        shop_state: again.back_to ?? outbox.shop_state,
        attempts,
        parked,
        due_at_ms: parked ? null : state.now_ms + again.delay_ms,
        last_failure: again.failure,
      },
      ...(parked ? { journal: [note('shop.parked', { attempts, failure: again.failure })] } : {}),
    },
  };
}

/** A mirror that the shop refused: the hold stays counted on our side and is not tried again before an order. */
export function decideUnmirrored(state: LedgerState, failure: string): Decision<void> {
  const owned = must(state);
  return {
    result: undefined,
    changes: {
      ...backToCounted(state, owned),
      outbox: {
        ...owned.outbox,
        ...FREE,
        shop_state: 'absent',
        hold_ref: null,
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
        due_at_ms: null,
        last_failure: failure,
      },
      journal: [note('shop.absent', { why: failure })],
    },
  };
}

/** The shop has let go. What its figure still excludes comes back with a report read from now on. */
export function decideDeleted(state: LedgerState): Decision<void> {
  const owned = must(state);
  const holds = owned.holds
    .filter((hold) => hold.state === 'returning')
    .map((hold): HoldMove => ({ hold, to: { ...hold, awaits: 'return', awaits_after_ms: state.now_ms } }));
  return {
    result: undefined,
    changes: {
      holds,
      outbox: { ...owned.outbox, shop_state: 'deleted', intent_at_ms: null, attempts: 0 },
      journal: [note('shop.deleted', { hold_ref: owned.outbox.hold_ref })],
    },
  };
}

/** The shop has the order: at most one per order of ours (L4). The holds count until a newer report (section 4). */
export function decidePlaced(state: LedgerState, seen: SeenOrder): Decision<boolean> {
  const owned = must(state);
  const { order, reservation, outbox } = owned;
  const completed: OutboxRow = { ...outbox, shop_state: 'completed', intent_at_ms: null, attempts: 0 };
  if (order === null || order.state !== 'accepted') {
    // Somebody completed our draft order by hand. There is no order of ours to advance: a person has to look.
    return {
      result: false,
      changes: {
        outbox: { ...completed, ...FREE, parked: true, due_at_ms: null, last_failure: 'completed_by_others' },
        journal: [note('shop.completed', { ...seen, unasked: true })],
      },
    };
  }
  const holds = owned.holds.map(
    (hold): HoldMove => ({ hold, to: { ...hold, awaits: 'settle', awaits_after_ms: state.now_ms } }),
  );
  return {
    result: true,
    changes: {
      order: {
        ...order,
        state: nextOrderState(order.state, 'place'),
        placed_at_ms: state.now_ms,
        upstream_order_ref: seen.order_ref,
        upstream_order_name: seen.order_name,
        buyer: null,
      },
      reservation: {
        reservation_key: reservation.reservation_key,
        state: nextReservationState(reservation.state, 'place'),
      },
      holds,
      outbox: completed,
      journal: [note('order.placed', { id: order.id, order_ref: seen.order_ref })],
    },
  };
}

/** The shop will not take the order: it has failed and its units are free. */
export function decideFailed(state: LedgerState, reason: OrderReason): Decision<void> {
  const owned = must(state);
  const { order } = owned;
  if (order === null) throw new Error('only an order can fail');
  const ending = endReservation(state, owned, 'free');
  return {
    result: undefined,
    changes: {
      ...ending,
      order: {
        ...order,
        state: nextOrderState(order.state, 'fail'),
        reasons: [...order.reasons, reason],
        decided_at_ms: state.now_ms,
        buyer: null,
      },
      journal: [note('order.failed', { id: order.id, reason, freed_units: heldUnits(owned) })],
    },
  };
}

export type Revalidation = 'accepted' | 'rejected' | 'unread' | 'not_held';

/**
 * Decides a held order on stock that was read at or after `sinceMs` (L5): accepted if every item is still
 * active and, with all live reservations of a level served oldest first, the fresh stock covers this one.
 */
export function decideRevalidate(state: LedgerState, sinceMs: number): Decision<Revalidation> {
  const owned = must(state);
  const { order } = owned;
  if (order === null || order.state !== 'held') return { result: 'not_held' };
  if (state.owned_items.some((item) => item.read_at_ms < sinceMs)) return { result: 'unread' };
  const reasons = revalidationReasons(state, owned);
  if (reasons.length > 0) return { result: 'rejected', changes: rejection(state, owned, order, reasons) };
  const outbox: OutboxRow = { ...owned.outbox, due_at_ms: state.now_ms, attempts: 0 };
  return {
    result: 'accepted',
    changes: {
      order: {
        ...order,
        state: nextOrderState(order.state, 'accept'),
        reasons: [],
        decided_at_ms: state.now_ms,
      },
      outbox,
      journal: [note('order.revalidated', { id: order.id, read_since_ms: sinceMs })],
    },
  };
}

function revalidationReasons(state: LedgerState, owned: Owned): OrderReason[] {
  return state.owned_items.flatMap((item): OrderReason[] => {
    if (item.lifecycle !== 'active') {
      return [{ code: 'item_discontinued', sku: item.sku, detail: 'The item is not for sale any more.' }];
    }
    const short = owned.holds.some((hold) => !isCovered(state, item, hold));
    if (!short) return [];
    return [
      {
        code: 'stock_insufficient',
        sku: item.sku,
        detail:
          'The shop has sold units elsewhere since they were reserved, and those left do not cover this order.',
      },
    ];
  });
}

function isCovered(state: LedgerState, item: Item, hold: Hold): boolean {
  const level = item.levels.find((candidate) => candidate.level_key === hold.level_key);
  if (level === undefined) return true; // another item's level
  if (!level.sellable_here) return false;
  const sellable = level.upstream_available_units + level.mirrored_units;
  const ahead = state.precedence.get(level.level_key);
  if (ahead === undefined) throw new Error('revalidation needs the live units before this order');
  return ahead <= sellable;
}

function rejection(state: LedgerState, owned: Owned, order: Order, reasons: readonly OrderReason[]): Changes {
  return {
    ...endReservation(state, owned, 'free'),
    order: {
      ...order,
      state: nextOrderState(order.state, 'reject'),
      reasons,
      decided_at_ms: state.now_ms,
      buyer: null,
    },
    journal: [note('order.rejected', { id: order.id, reasons, freed_units: heldUnits(owned) })],
  };
}

/** A held order gives up after the configured time: rejected, units freed. */
function rejectHeld(state: LedgerState, owned: Owned): Decision<null> {
  const { order } = owned;
  if (order === null) throw new Error('only an order can be held');
  const reason: OrderReason = {
    code: 'held_too_long',
    detail: 'Nobody and nothing could confirm the stock in time, so the order was given up.',
  };
  const changes = rejection(state, owned, order, [reason]);
  return { result: null, changes: { ...changes, outbox: { ...owned.outbox, ...changes.outbox, ...FREE } } };
}

function heldDeadline(order: Order | null, settings: LedgerSettings): number | null {
  return order?.state === 'held' ? order.submitted_at_ms + settings.held_order_max_ms : null;
}

/** With nothing at the shop, its figure excludes nothing of ours: the holds count on our side again. */
function backToCounted(state: LedgerState, owned: Owned): Pick<Changes, 'holds' | 'sums'> {
  const holds = owned.holds
    .filter((hold) => hold.state !== 'counted' || hold.awaits === 'mirror')
    .map((hold): HoldMove => {
      const rest = { awaits: null, awaits_after_ms: null, mirror_until_ms: null } as const;
      return { hold, to: hold.state === 'returning' ? null : { ...hold, ...rest, state: 'counted' } };
    });
  return {
    holds,
    sums: sumsAfter(
      state.owned_items.flatMap((item) => item.levels),
      holds,
    ),
  };
}

function holdsClaim(outbox: OutboxRow, claim: Claim, now: number): boolean {
  return (
    outbox.claimed_by === claim.worker && outbox.claimed_until_ms !== null && outbox.claimed_until_ms > now
  );
}

function must(state: LedgerState): Owned {
  if (state.owned === null) throw new Error('the reservation of this work is missing');
  return state.owned;
}

function note(kind: JournalDraft['kind'], data: JournalDraft['data']): JournalDraft {
  return { kind, data, of_reservation: true };
}
