/**
 * Decisions of the outbox: who works on a reservation's shop side, the intent before each call, and what each
 * outcome changes. Every function here is one short transaction; the calls to the shop lie between them.
 */

import { sumsAfter } from './ending.js';
import type { Hold } from './hold.js';
import type { JournalDraft } from './journal.js';
import type { Order, OrderReason } from './order.js';
import { decideFailed } from './placing.js';
import type { Changes, Decision, HoldMove, LedgerSettings, LedgerState, LevelSums, Owned } from './ports.js';
import { expiry } from './release.js';
import { isExpired } from './reservation.js';
import { isReadSince, isSoldElsewhere, rejection } from './revalidation.js';
import { type OutboxRow, STEPS, type Step, wantedAtShop } from './shop-side.js';
import { type Claim, FREE, must, note, returns, type SeenHold, type Work } from './work.js';

/** The next step that a reservation's shop side needs. */
export function nextStep(owned: Owned, settings: LedgerSettings): Step {
  const wanted = wantedAtShop(owned.reservation.state, owned.order, settings);
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
 * `is_visit`: the first step since the row became due.
 */
export function decideNextStep(
  state: LedgerState,
  claim: Claim,
  settings: LedgerSettings,
  is_visit: boolean,
): Decision<Work | null> {
  const { owned, now_ms } = state;
  if (owned === null || !holdsClaim(owned.outbox, claim, now_ms)) return { result: null };
  if (isExpired(owned.reservation, now_ms)) return tidyUp(state, owned);
  const deadline = heldDeadline(owned.order, settings);
  if (deadline !== null && now_ms >= deadline) return rejectHeld(state, owned);
  const step = stepNow(state, owned, settings, is_visit);
  if (step === 'rest') {
    const wakes = [deadline, ...owned.holds.map((hold) => hold.awaits_after_ms)];
    if (isHeldAtShop(owned)) wakes.push(now_ms + claim.check_ms);
    const due_at_ms = wakes.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);
    return { result: null, changes: { outbox: { ...owned.outbox, ...FREE, due_at_ms, attempts: 0 } } };
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

/**
 * What the tables say, and two things that only the row's own figures can tell: an order is not completed, and no
 * row is put to rest, before a report has shown what was done last; and a hold that was left alone for a while is
 * read back, because what a person removes at the shop by hand, nobody tells us.
 */
function stepNow(state: LedgerState, owned: Owned, settings: LedgerSettings, isVisit: boolean): Step {
  const step = nextStep(owned, settings);
  if (step !== 'complete' && step !== 'rest') return step;
  if (awaitsReport(state, owned)) return 'reread';
  const is_held = isHeldAtShop(owned);
  const is_ours_to_end = owned.order === null || owned.order.state === 'accepted';
  if (is_held && is_ours_to_end && isSoldElsewhere(state, owned)) return 'reread';
  return step === 'rest' && is_held && isVisit ? 'read_back' : step;
}

function isHeldAtShop({ outbox, holds }: Owned): boolean {
  return outbox.shop_state === 'open' && holds.some((hold) => hold.state !== 'returning');
}

/** A hold waits for news that a report read from now on would bring. */
function awaitsReport({ now_ms }: LedgerState, { holds }: Owned): boolean {
  return holds.some(
    ({ awaits, awaits_after_ms }) => awaits !== null && awaits_after_ms !== null && awaits_after_ms <= now_ms,
  );
}

/** Expiry is a fact of time: nothing is done at the shop for a reservation that is over, swept or not. */
function tidyUp(state: LedgerState, owned: Owned): Decision<null> {
  const changes = expiry(state, owned);
  return { result: null, changes: { ...changes, outbox: { ...owned.outbox, ...changes.outbox, ...FREE } } };
}

const INTENTS = {
  create: { shop_state: 'creating', kind: 'shop.creating' },
  complete: { shop_state: 'completing', kind: 'shop.completing' },
  delete: { shop_state: 'deleting', kind: 'shop.deleting' },
  look_up: null,
  read_back: null,
  revalidate: null,
  reread: null,
  rest: null,
} as const satisfies Record<Step, { shop_state: OutboxRow['shop_state']; kind: JournalDraft['kind'] } | null>;

/** The shop has the hold. A report read from now on shows it, and moves our holds from counted to mirrored. */
export function decideOpen(state: LedgerState, seen: SeenHold): Decision<void> {
  const owned = must(state);
  const { shop_state, hold_ref, hold_until_ms } = owned.outbox;
  const isNews = shop_state !== 'open' || hold_ref !== seen.hold_ref || hold_until_ms !== seen.until_ms;
  return {
    result: undefined,
    changes: {
      holds: mirroring(state, owned, seen.until_ms),
      outbox: {
        ...openRow(owned.outbox, seen),
        // Seeing again what was there before is no progress: a step that fails for ever has to be given up.
        attempts: owned.outbox.shop_state === 'creating' ? 0 : owned.outbox.attempts,
      },
      // Looked at every minute: that it is still there is no news.
      journal: isNews ? [openNote(seen)] : [],
    },
  };
}

function openRow(outbox: OutboxRow, seen: SeenHold): OutboxRow {
  return {
    ...outbox,
    shop_state: 'open',
    hold_ref: seen.hold_ref,
    hold_until_ms: seen.until_ms,
    intent_at_ms: null,
    parked: false,
  };
}

function openNote({ hold_ref, until_ms }: SeenHold): JournalDraft {
  return note('shop.open', { hold_ref, until_ms });
}

/** The shop has the units until then: counted holds wait for a report that shows it, mirrored ones last longer. */
function mirroring({ now_ms }: LedgerState, { holds }: Owned, until: number | null): HoldMove[] {
  if (until === null) return [];
  return holds.flatMap((hold): HoldMove[] => {
    if (hold.state === 'counted' && hold.awaits !== 'settle')
      return [{ hold, to: waitsForMirror(hold, now_ms, until) }];
    const is_longer = hold.state === 'mirrored' && hold.mirror_until_ms !== until;
    return is_longer ? [{ hold, to: { ...hold, mirror_until_ms: until } }] : [];
  });
}

function waitsForMirror(hold: Hold, now: number, until: number): Hold {
  return { ...hold, state: 'counted', awaits: 'mirror', awaits_after_ms: now, mirror_until_ms: until };
}

/**
 * Buyer, note and reference have reached the shop, and it holds until the time given. If it may have let go in the
 * meantime it has now taken the units anew, without a look at its stock: they count on our side, and the order is
 * not completed, until a report has shown them.
 */
export function decideDetailsSent(
  state: LedgerState,
  seen: SeenHold,
  mayHaveLapsed: boolean,
): Decision<void> {
  const owned = must(state);
  const { shop_state, intent_at_ms } = owned.outbox;
  const until = seen.until_ms;
  const row: OutboxRow = { ...openRow(owned.outbox, seen), details_sent: true };
  if (!mayHaveLapsed || until === null) {
    const holds = mirroring(state, owned, until);
    return {
      result: undefined,
      changes: { holds, outbox: { ...row, shop_state, intent_at_ms }, journal: [openNote(seen)] },
    };
  }
  const holds = owned.holds
    .filter((hold) => hold.state !== 'returning')
    .map((hold): HoldMove => ({ hold, to: waitsForMirror(hold, state.now_ms, until) }));
  return {
    result: undefined,
    changes: { holds, sums: sumsOf(state, holds), outbox: row, journal: [openNote(seen)] },
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
    /** Null: the shop can't be reached or used at all. That is not the row's fault, and ends when the shop is back. */
    readonly attempts_max: number | null;
    readonly failure: string;
    readonly back_to?: OutboxRow['shop_state'];
  },
): Decision<void> {
  const { outbox, order } = must(state);
  const attempts = outbox.attempts + 1;
  // A held order is only read for, and gives up by time: parked, it would keep its units for ever.
  const parked = again.attempts_max !== null && attempts >= again.attempts_max && order?.state !== 'held';
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
        // An order that was submitted while the shop was asked must not rest with it: nothing else would wake it.
        due_at_ms: owned.reservation.state === 'active' ? null : state.now_ms,
        last_failure: failure,
      },
      journal: [note('shop.absent', { why: failure })],
    },
  };
}

/** The shop has let go. What its figure still excludes comes back with a report read from now on. */
export function decideDeleted(state: LedgerState): Decision<void> {
  const owned = must(state);
  const counted = backToCounted(state, {
    ...owned,
    holds: owned.holds.filter((hold) => hold.state !== 'returning'),
  });
  return {
    result: undefined,
    changes: {
      sums: counted.sums ?? [],
      holds: [...(counted.holds ?? []), ...returns(state, owned)],
      outbox: {
        ...owned.outbox,
        shop_state: 'deleted',
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
        attempts: 0,
      },
      journal: [note('shop.deleted', { hold_ref: owned.outbox.hold_ref })],
    },
  };
}

export type Reread =
  | 'shown'
  /** The report was too old for what waits for it. */
  | 'unread'
  /** The order has failed and its units are free. */
  | 'failed'
  /** The units of a mirror are gone: the intent to delete it is written. */
  | 'dropped';

/**
 * What stock that was read at or after `sinceMs` says of the hold at the shop. The shop reserves without a look at
 * its stock, so a level below zero means that somebody else was faster.
 */
export function decideReread(state: LedgerState, sinceMs: number, reason: OrderReason): Decision<Reread> {
  const owned = must(state);
  if (!state.owned_items.every((item) => isReadSince(item, sinceMs)) || awaitsReport(state, owned)) {
    return { result: 'unread' };
  }
  if (!isHeldAtShop(owned) || !isSoldElsewhere(state, owned)) return { result: 'shown' };
  if (owned.order?.state === 'accepted') {
    const { changes } = decideFailed(state, reason);
    return changes === undefined ? { result: 'failed' } : { result: 'failed', changes };
  }
  // A held order: its revalidation or a person decides.
  if (owned.order !== null) return { result: 'shown' };
  const outbox: OutboxRow = { ...owned.outbox, shop_state: 'deleting', intent_at_ms: state.now_ms };
  return {
    result: 'dropped',
    changes: { outbox, journal: [note('shop.deleting', { why: 'sold_elsewhere' })] },
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
  return { holds, sums: sumsOf(state, holds) };
}

function sumsOf(state: LedgerState, holds: readonly HoldMove[]): LevelSums[] {
  return sumsAfter(
    state.owned_items.flatMap((item) => item.levels),
    holds,
  );
}

function holdsClaim(outbox: OutboxRow, claim: Claim, now: number): boolean {
  return (
    outbox.claimed_by === claim.worker && outbox.claimed_until_ms !== null && outbox.claimed_until_ms > now
  );
}
