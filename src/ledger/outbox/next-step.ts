/**
 * Decisions of the outbox: who works on a reservation's shop side, the intent before each call, and what each
 * outcome changes. Every function here is one short transaction; the calls to the shop lie between them.
 */

import type { JournalDraft } from '../model/journal.js';
import { heldUntil } from '../model/order.js';
import {
  type OutboxRow,
  type Protocol,
  protocolOf,
  type Step,
  stepTowards,
  wantedAtShop,
} from '../model/outbox-row.js';
import { isExpired } from '../model/reservation.js';
import { isReadSince } from '../model/stock.js';
import type { StockMove } from '../model/stock-transfer.js';
import type { LedgerMs } from '../model/values/units.js';
import { rejectionInTime } from '../order/buyer-refused.js';
import { isOffered, withdrawal } from '../order/checkout-link.js';
import { mirroring, openNote, openRow, sumsOf, unmirrorHolds, waitsForMirror } from '../order/mirror-hold.js';
import { decideFailed } from '../order/order-placed.js';
import { isUnclear } from '../order/revalidation.js';
import { expiry } from '../reservation/release.js';
import {
  type Claim,
  DRAFT_EDITED,
  FREE,
  isLeftBehind,
  must,
  note,
  type RowMemory,
  returns,
  type SeenHold,
  type Work,
} from '../state/job.js';
import type { Changes, Decision, HoldMove, LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { canTake, moveBack, moveOut } from './request-transfer.js';
import { findLoss, isHeldAtShop, needsSaleRead, reasonOfLoss } from './sale-check.js';
import { isTooOldToGiveBack, leaveOldBehind, type MeasureAge, TOO_OLD_TO_RESEND } from './transfer-steps.js';

/** The next step that a reservation's shop side needs. */
export function nextStep(owned: Owned, settings: LedgerSettings, now: number): Step {
  const wanted = wantedAtShop(owned.reservation.state, owned.order, settings, now);
  return stepTowards(wanted, owned.outbox.shop_state, protocolOf(owned, settings.mirror));
}

/** What the process that asks knows by itself. */
export interface OwnKnowledge extends RowMemory {
  /** By how much later than ledger time it may be: in a copy that was put back time goes on where it was until the shop has answered. */
  readonly doubtMs: number;
  /** By how much more than ledger time says has passed since that time: the shop has said so. */
  readonly missedMs: (since: LedgerMs) => number;
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
 * given up) or when the claim was lost. A step that changes something at the shop comes back with its intent written.
 * `is_visit`: the first step since the row became due. `readSince`: when the worker's own read of the items began, see
 * `needsSaleRead`. `known`: what this process knows of the row by itself.
 */
export function decideNextStep(
  state: LedgerState,
  claim: Claim,
  settings: LedgerSettings,
  is_visit: boolean,
  readSince: LedgerMs | null = null,
  known: OwnKnowledge = KNOWN,
): Decision<Work | null> {
  const { owned, now_ms } = state;
  if (owned === null || !holdsClaim(owned.outbox, claim, now_ms)) return { result: null };
  if (isExpired(owned.reservation, now_ms)) return tidyUp(state, owned);
  const ageAt =
    (at: LedgerMs): MeasureAge =>
    (since) =>
      at - since + known.missedMs(since);
  const isTooOld = (at: LedgerMs): boolean =>
    !known.isWitnessed && isTooOldToGiveBack(owned, claim, settings, ageAt(at));
  if (isTooOld(now_ms)) return leaveOldBehind(state);
  if (isTooOld(now_ms + known.doubtMs)) return awaitShopTime(owned.outbox, now_ms);
  const deadline = owned.order === null ? null : heldUntil(owned.order, settings);
  const isOverdue = deadline !== null && now_ms >= deadline;
  if (isOverdue && known.mayEnd) return rejectHeld(state, owned);
  const step = isOverdue
    ? 'look_first'
    : stepNow(state, owned, settings, { isVisit: is_visit, readSince, memory: known });
  if (step === 'rest') {
    const payUntil = owned.order?.state === 'accepted' ? owned.order.pay_until_ms : null;
    const waiting = owned.holds.filter(({ place }) => place !== 'missed');
    const wakes = [deadline, payUntil, ...waiting.map((hold) => hold.awaits_after_ms)];
    if (isHeldAtShop(owned)) wakes.push(now_ms + claim.check_ms);
    const due_at_ms = wakes.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);
    return { result: null, changes: { outbox: { ...owned.outbox, ...FREE, due_at_ms, attempts: 0 } } };
  }
  // Buyers go first: nobody waits for where an order is shipped from.
  if (step === 'route' && !is_visit) return putOffRoute(owned.outbox, now_ms + ROUTE_REST_MS);
  if (step === 'resend') {
    if (isTooOldToResend(owned.outbox, claim, ageAt(now_ms))) return parkOld(owned.outbox);
    if (isTooOldToResend(owned.outbox, claim, ageAt(now_ms + known.doubtMs)))
      return awaitShopTime(owned.outbox, now_ms);
  }
  const renewed = { ...owned.outbox, claimed_until_ms: now_ms + claim.claim_ms };
  const work = (outbox: OutboxRow): Work => ({ step, owned: { ...owned, outbox }, items: state.owned_items });
  const isJoint = claim.joins_moves === true && (step === 'take' || step === 'give_back');
  if (INTENTS[step] === null || isJoint) return { result: work(renewed), changes: { outbox: renewed } };
  const changes = intentOf(state, { ...owned, outbox: renewed }, step);
  return { result: work(changes.outbox), changes };
}

/** Nobody can tell yet whether the shop still knows the key of a move: its next answer to anything tells what time it is. */
function awaitShopTime(outbox: OutboxRow, now: LedgerMs): Decision<null> {
  return { result: null, changes: { outbox: { ...outbox, ...FREE, due_at_ms: now + SHOP_TIME_WAIT_MS } } };
}

const SHOP_TIME_WAIT_MS = 1_000;

/**
 * What the tables say, and four things that only the row's own figures can tell: an order is not completed, and no row is
 * put to rest, before a report has shown what was done last; nothing is sold on figures from before it was decided; a row that this process did not
 * write is looked up before anything is asked for; and a hold that was left alone for a while is read back, because no message tells what a person removes at the shop by hand.
 */
function stepNow(
  state: LedgerState,
  owned: Owned,
  settings: LedgerSettings,
  { isVisit, readSince, memory }: Visit,
): Step {
  const step = nextStep(owned, settings, state.now_ms);
  if (!memory.isWitnessed && needsLook(step, owned)) return 'look_first';
  if (!memory.mayEnd && isRejectedUnseen(owned)) return 'look_first';
  if (!LOOKS_FIRST.has(step)) return step;
  if (awaitsReport(state, owned) || needsSaleRead(state, owned, step, readSince)) return 'reread';
  if (step === 'take') return canTake(state, owned) ? step : 'reread';
  const is_ours_to_end = owned.order === null || owned.order.state === 'accepted';
  if (is_ours_to_end && findLoss(state, owned, settings) !== null) return 'reread';
  const is_draft = protocolOf(owned, settings.mirror) === 'draft_order';
  return step === 'rest' && isVisit && is_draft && isHeldAtShop(owned) ? 'read_back' : step;
}

/** After its order is placed, and between two moves of it, a row leaves its place to others for so long. */
const ROUTE_REST_MS = 2_000;

function putOffRoute(outbox: OutboxRow, due_at_ms: LedgerMs): Decision<null> {
  return { result: null, changes: { outbox: { ...outbox, ...FREE, due_at_ms, attempts: 0 } } };
}

interface Visit {
  readonly isVisit: boolean;
  readonly readSince: LedgerMs | null;
  readonly memory: RowMemory;
}

const KNOWN: OwnKnowledge = { isWitnessed: true, mayEnd: true, doubtMs: 0, missedMs: () => 0 };

/** A person has rejected the order, and nobody has looked whether the shop has it. What it holds there is not let go of before. */
function isRejectedUnseen({ order, outbox }: Owned): boolean {
  return order?.state === 'rejected' && outbox.shop_state !== 'completed';
}

/** What may order a second time, or end an order that the shop has. Units that were moved are given back only to be ordered. */
function needsLook(step: Step, { order }: Owned): boolean {
  if (step === 'give_back') return order?.state === 'accepted';
  return NEEDS_LOOK.has(step);
}

const NEEDS_LOOK: ReadonlySet<Step> = new Set([
  'create',
  'offer',
  'complete',
  'place',
  'give_up',
  'revalidate',
]);

/** Steps that want the shop's newest figures, and what is known of our own writes in them. */
const LOOKS_FIRST: ReadonlySet<Step> = new Set(['take', 'place', 'complete', 'offer', 'route', 'rest']);

/** A hold waits for news that a report read from now on would bring. Units that a whole report has missed are not waited for. */
function awaitsReport({ now_ms }: LedgerState, { holds }: Owned): boolean {
  return holds.some(
    ({ awaits_after_ms, place }) =>
      awaits_after_ms !== null && awaits_after_ms <= now_ms && place !== 'missed',
  );
}

/** Expiry is a fact of time: nothing is done at the shop for a reservation that is over, swept or not. */
function tidyUp(state: LedgerState, owned: Owned): Decision<null> {
  const changes = expiry(state, owned);
  return { result: null, changes: { ...changes, outbox: { ...owned.outbox, ...changes.outbox, ...FREE } } };
}

interface Intent {
  readonly shop_state: OutboxRow['shop_state'];
  readonly kind: JournalDraft['kind'];
  readonly protocol: Protocol;
}

const INTENTS = {
  create: { shop_state: 'creating', kind: 'shop.creating', protocol: 'draft_order' },
  complete: { shop_state: 'completing', kind: 'shop.completing', protocol: 'draft_order' },
  delete: { shop_state: 'deleting', kind: 'shop.deleting', protocol: 'draft_order' },
  take: { shop_state: 'creating', kind: 'shop.creating', protocol: 'move' },
  give_back: { shop_state: 'deleting', kind: 'shop.deleting', protocol: 'move' },
  place: { shop_state: 'completing', kind: 'shop.completing', protocol: 'move' },
  look_up: null,
  read_back: null,
  resend: null,
  find: null,
  offer: null,
  give_up: null,
  revalidate: null,
  reread: null,
  // Its intent is written with the look that plans the move.
  route: null,
  look_first: null,
  rest: null,
} as const satisfies Record<Step, Intent | null>;

/** What is written before the call: the intent, the request where it is fixed, and what must hold before the shop acts. */
export function intentOf(
  state: LedgerState,
  owned: Owned,
  step: Step,
  {
    why,
    request = requestOf(state, owned, step),
  }: { readonly why?: string; readonly request?: StockMove | null } = {},
): Changes & { readonly outbox: OutboxRow } {
  const intent: Intent | null = INTENTS[step];
  if (intent === null) throw new Error(`${step} asks nothing of the shop`);
  const { outbox, reservation, order } = owned;
  const is_live = reservation.state === 'active' || reservation.state === 'submitted';
  // From the moment the shop may let go its figure may have the units again: they have to count on our side by then.
  const counted = intent.shop_state === 'deleting' && is_live ? unmirrorHolds(state, owned) : {};
  const { shop_state, kind, protocol } = intent;
  return {
    ...counted,
    // Nobody is sent to pay for what is being let go of.
    ...(step === 'delete' && order !== null ? { order: { ...order, checkout_url: null } } : {}),
    outbox: { ...outbox, shop_state, protocol, request, intent_at_ms: state.now_ms, empty_lookups: 0 },
    journal: [
      note(kind, {
        ...(why === undefined ? { attempt: outbox.attempts + 1 } : { why }),
        ...(request === outbox.request ? {} : { move: request?.key }),
      }),
    ],
  };
}

function requestOf(state: LedgerState, owned: Owned, step: Step): StockMove | null {
  if (step === 'take') return moveOut(state, owned);
  return step === 'give_back' ? moveBack(owned) : owned.outbox.request;
}

/** Shopify forgets keys after a day: what is sent again later than that would be carried out again. */
function isTooOldToResend({ intent_at_ms }: OutboxRow, claim: Claim, measure: MeasureAge): boolean {
  return intent_at_ms === null || measure(intent_at_ms) >= claim.resend_max_ms;
}

function parkOld(outbox: OutboxRow): Decision<null> {
  const last_failure = TOO_OLD_TO_RESEND;
  return {
    result: null,
    changes: {
      outbox: { ...outbox, ...FREE, parked: true, due_at_ms: null, last_failure },
      journal: [note('shop.parked', { failure: last_failure, move: outbox.request?.key })],
    },
  };
}

/**
 * The shop has the hold. A report read from now on shows it, and moves our holds from counted to mirrored. False when it
 * was known: then nothing waits for a report anew.
 */
export function decideOpen(state: LedgerState, seen: SeenHold): Decision<boolean> {
  const owned = must(state);
  const { shop_state, hold_ref, hold_until_ms } = owned.outbox;
  const isDoubted = owned.holds.some(({ place }) => place === 'doubted');
  const isNews =
    isDoubted || shop_state !== 'open' || hold_ref !== seen.hold_ref || hold_until_ms !== seen.until_ms;
  return {
    result: isNews,
    changes: {
      ...(isNews ? heldAtShop(state, owned, seen.until_ms) : {}),
      outbox: {
        ...openRow(owned.outbox, seen),
        // Seeing again what was there before is no progress: a step that fails for ever has to be given up.
        attempts: owned.outbox.shop_state === 'creating' ? 0 : owned.outbox.attempts,
        last_failure: keptFailure(owned.outbox),
      },
      // Looked at every minute: that it is still there is no news.
      journal: isNews ? [openNote(seen)] : [],
    },
  };
}

/**
 * Buyer, note and reference have reached the shop, and it holds until the time given. The next step is decided anew: the call
 * may have taken its time, and somebody else the units. If the shop may have let go in the meantime it has now taken the
 * units anew, without a look at its stock: they count on our side, and the order is not completed, until a report has
 * shown them.
 */
export function decideDetailsSent(
  state: LedgerState,
  seen: SeenHold,
  mayHaveLapsed: boolean,
): Decision<void> {
  const owned = must(state);
  const until = seen.until_ms;
  const row: OutboxRow = { ...openRow(owned.outbox, seen), details_sent: true };
  if (!mayHaveLapsed || until === null) {
    const holds = mirroring(state, owned, until);
    return {
      result: undefined,
      changes: { holds, sums: sumsOf(state, holds), outbox: row, journal: [openNote(seen)] },
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

/** A hold without an end holds nothing: a person has taken the reservation off, so the units count on our side at once. */
function heldAtShop(
  state: LedgerState,
  owned: Owned,
  until: LedgerMs | null,
): Pick<Changes, 'holds' | 'sums'> {
  if (until === null) return unmirrorHolds(state, owned);
  const holds = mirroring(state, owned, until);
  return { holds, sums: sumsOf(state, holds) };
}

/** That a draft was edited is remembered while the order is on its way: a second time is for a person. */
function keptFailure({ last_failure }: OutboxRow): string | null {
  return last_failure === DRAFT_EDITED ? last_failure : null;
}

/** Why it is certain: a search by our tag found nothing, twice. The shop may still carry out what it was asked. */
export const LOOKED_UP = 'looked_up';

/** It is certain that nothing exists at the shop. */
export function decideAbsent(state: LedgerState, why: string): Decision<void> {
  const owned = must(state);
  return {
    result: undefined,
    changes: {
      ...unmirrorHolds(state, owned),
      outbox: {
        ...owned.outbox,
        shop_state: 'absent',
        hold_ref: null,
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
        ...(why === LOOKED_UP ? { late_since_ms: state.now_ms } : {}),
      },
      journal: [note('shop.absent', { why })],
    },
  };
}

/** A look-up that found nothing: the shop's search may lag, so it takes several, with a wait, to be believed. */
export function decideEmptyLookup(state: LedgerState, retryAtMs: number): Decision<void> {
  const { outbox } = must(state);
  return {
    result: undefined,
    changes: {
      outbox: {
        ...outbox,
        ...FREE,
        intent_at_ms: outbox.intent_at_ms ?? state.now_ms,
        empty_lookups: outbox.empty_lookups + 1,
        due_at_ms: retryAtMs,
      },
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
    /** It was not tried at all: waiting for its turn wears no patience out. */
    readonly keeps_attempts?: boolean;
  },
): Decision<void> {
  const { outbox, order } = must(state);
  const attempts = outbox.attempts + (again.keeps_attempts === true ? 0 : 1);
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
        parked: parked || isLeftBehind(outbox),
        due_at_ms: parked ? null : state.now_ms + again.delay_ms,
        last_failure: isLeftBehind(outbox) ? outbox.last_failure : again.failure,
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
      ...unmirrorHolds(state, owned),
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
  const counted = unmirrorHolds(state, {
    ...owned,
    holds: owned.holds.filter((hold) => hold.state !== 'returning'),
  });
  return {
    result: undefined,
    changes: {
      sums: counted.sums,
      holds: [...counted.holds, ...returns(state, owned)],
      outbox: {
        ...owned.outbox,
        shop_state: 'deleted',
        hold_until_ms: null,
        details_sent: false,
        intent_at_ms: null,
        attempts: 0,
        last_failure: keptFailure(owned.outbox),
      },
      journal: [note('shop.deleted', { hold_ref: owned.outbox.hold_ref })],
    },
  };
}

export type Reread =
  | 'shown'
  /** The shop does not have the units, so none are taken: they count on our side alone. */
  | 'unmirrored'
  /** The report was too old for what waits for it. */
  | 'unread'
  /** The order has failed and its units are free. */
  | 'failed'
  /** The units of a mirror are gone: the intent to delete it is written. */
  | 'dropped';

/**
 * What stock that was read at or after `sinceMs` says of the hold at the shop: whether somebody else was faster. An
 * order whose buyer may be paying just now is withdrawn first, and fails when that is certain.
 */
export function decideReread(
  state: LedgerState,
  sinceMs: number,
  settings: LedgerSettings,
): Decision<Reread> {
  const owned = must(state);
  if (!state.owned_items.every((item) => isReadSince(item, sinceMs)) || awaitsReport(state, owned)) {
    return { result: 'unread' };
  }
  if (nextStep(owned, settings, state.now_ms) === 'take' && !canTake(state, owned)) {
    return { ...decideUnmirrored(state, 'sold_elsewhere'), result: 'unmirrored' };
  }
  const loss = findLoss(state, owned, settings);
  if (loss === null) return { result: 'shown' };
  if (loss === 'sold_elsewhere' && isUnclear(state, owned)) return { result: 'unread' };
  const reason = reasonOfLoss(loss, state, owned);
  if (owned.order !== null && isOffered(owned.order)) {
    return { result: 'failed', changes: withdrawal(state, owned, owned.order, reason) };
  }
  if (owned.order?.state === 'accepted') return { ...decideFailed(state, reason), result: 'failed' };
  // A held order: its revalidation or a person decides.
  if (owned.order !== null) return { result: 'shown' };
  const is_draft = protocolOf(owned, settings.mirror) === 'draft_order';
  const changes = intentOf(state, owned, is_draft ? 'delete' : 'give_back', {
    why: 'sold_elsewhere',
  });
  return { result: 'dropped', changes };
}

/** A held order gives up after the configured time: rejected, units freed. */
function rejectHeld(state: LedgerState, owned: Owned): Decision<null> {
  const { order } = owned;
  if (order === null) throw new Error('only an order can be held');
  const changes = rejectionInTime(state, owned, order);
  return { result: null, changes: { ...changes, outbox: { ...owned.outbox, ...changes.outbox, ...FREE } } };
}

/** Whether the step that a worker was given is still what its row needs, and the row its own. */
export function isStillDue(state: LedgerState, claim: Claim, settings: LedgerSettings, step: Step): boolean {
  const { owned, now_ms } = state;
  if (owned === null || !holdsClaim(owned.outbox, claim, now_ms)) return false;
  if (isExpired(owned.reservation, now_ms)) return false;
  const deadline = owned.order === null ? null : heldUntil(owned.order, settings);
  if (deadline !== null && now_ms >= deadline) return false;
  return stepNow(state, owned, settings, { isVisit: false, readSince: null, memory: KNOWN }) === step;
}

function holdsClaim(outbox: OutboxRow, claim: Claim, now: number): boolean {
  return (
    outbox.claimed_by === claim.worker && outbox.claimed_until_ms !== null && outbox.claimed_until_ms > now
  );
}
