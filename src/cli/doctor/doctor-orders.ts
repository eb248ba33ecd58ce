/**
 * The doctor's look at orders that wait for a person: those that the server has given up on, and those that are held. And at holds
 * whose units stand nobody knows where.
 */

import { LIMITS } from '../../config/config.js';
import type { LedgerBooks } from '../../store/sqlite/inspect-ledger.js';
import { timeText } from '../ledger/ledger-command.js';
import { agoText } from '../terminal/format.js';
import { type LedgerExpectations, type LedgerFacts, whyNoBooks } from './doctor-ledger.js';
import { type Finding, failed, fine, skipped, warned } from './finding.js';

export function ordersFinding(
  facts: LedgerFacts,
  wanted: Pick<LedgerExpectations, 'stale_hash' | 'now_ms'>,
): Finding {
  const books = facts.state === 'open' ? facts.sight.books : null;
  if (books === null) return skipped('orders', whyNoBooks(facts));
  const { parked, parked_total } = books;
  const held = heldSteps(books, wanted);
  const { forPerson, others } = heldText(books, wanted);
  const unplaced = unplacedText(books);
  const unplacedMend = unplacedSteps(books);
  const late = lateText(books, wanted);
  const lateMend = late.length === 0 ? [] : lateSteps(books);
  if (parked_total > 0) {
    return failed(
      'orders',
      'parked',
      [
        `${parked_total} ${parked_total === 1 ? 'piece of work is' : 'pieces of work are'} parked: the server has given up on them, and a person has to look at the shop.`,
        ...late,
        ...forPerson,
        ...others,
        ...unplaced,
      ].join(' '),
      ...parkedSteps(parked, parked_total),
      ...lateMend,
      ...held,
      ...unplacedMend,
    );
  }
  if (late.length > 0) {
    const told = [...late, ...forPerson, ...others, ...unplaced].join(' ');
    return warned('orders', 'not_placed', told, ...lateMend, ...held, ...unplacedMend);
  }
  if (forPerson.length > 0) {
    const told = [...forPerson, ...others, ...unplaced].join(' ');
    return warned('orders', 'held', told, ...held, ...unplacedMend);
  }
  if (unplaced.length > 0)
    return warned('orders', 'unplaced_hold', [...unplaced, ...others].join(' '), ...unplacedMend);
  return fine('orders', others.length === 0 ? 'None is held or parked.' : others.join(' '));
}

type Held = Pick<LedgerBooks['held_total'][number], 'held_for' | 'is_approved'>;

/** Whether nothing goes on until a person decides. */
function waitsForPerson(
  { held_for, is_approved }: Held,
  { stale_hash }: Pick<LedgerExpectations, 'stale_hash'>,
): boolean {
  if (is_approved) return false;
  return held_for === 'order_quota' || (held_for === 'stale' && stale_hash === 'hold');
}

function heldText(
  { held_total }: LedgerBooks,
  wanted: Pick<LedgerExpectations, 'stale_hash'>,
): { readonly forPerson: readonly string[]; readonly others: readonly string[] } {
  const count = (isCounted: (held: Held) => boolean): number =>
    held_total.filter(isCounted).reduce((sum, { orders }) => sum + orders, 0);
  const persons = count((held) => waitsForPerson(held, wanted));
  const buyers = count(({ held_for }) => held_for === 'buyer_refused');
  const rereads = count((held) => held.held_for === 'stale' && !waitsForPerson(held, wanted));
  return {
    forPerson: persons === 0 ? [] : [`${ordersText(persons)} held until a person approves or rejects.`],
    others: [
      ...(buyers === 0
        ? []
        : [`${ordersText(buyers)} held until their callers correct what the shop refused.`]),
      ...(rereads === 0 ? [] : [`${ordersText(rereads)} held until a server has read the shop again.`]),
    ],
  };
}

function ordersText(count: number): string {
  return count === 1 ? '1 order is' : `${count} orders are`;
}

function heldSteps(
  { held, held_total }: LedgerBooks,
  wanted: Pick<LedgerExpectations, 'stale_hash'>,
): string[] {
  const named = held.filter((order) => waitsForPerson(order, wanted));
  const total = held_total
    .filter((order) => waitsForPerson(order, wanted))
    .reduce((sum, { orders }) => sum + orders, 0);
  const steps = named.map(({ order_id, held_for, held_until_ms }) => {
    const until = held_until_ms === null ? '' : `, until ${timeText(held_until_ms)} UTC`;
    return `Order ${order_id} (${held_for}${until}): holdfast orders approve ${order_id}, or holdfast orders reject ${order_id}.`;
  });
  return total > named.length
    ? [...steps, `… and ${total - named.length} more: holdfast orders --held`]
    : steps;
}

function parkedSteps(parked: LedgerBooks['parked'], total: number): string[] {
  const steps = parked.map(({ order_id, reservation_id, last_failure }) =>
    order_id === null
      ? `Reservation ${reservation_id} (${last_failure ?? 'unknown'}): look for its draft order, tagged holdfast, in Shopify admin → Orders → Drafts.`
      : `Order ${order_id} (${last_failure ?? 'unknown'}): holdfast explain ${order_id} tells its story; when the shop is as it should be, holdfast orders retry ${order_id}.`,
  );
  const rest = 'holdfast orders --parked, holdfast reservations --parked';
  return total > parked.length ? [...steps, `… and ${total - parked.length} more: ${rest}`] : steps;
}

/** Empty while the oldest is young: the shop takes its time, and a development store takes five orders a minute. */
function lateText(
  { waiting_total, last_at_ms }: LedgerBooks,
  { now_ms }: Pick<LedgerExpectations, 'now_ms'>,
): readonly string[] {
  const oldest = Math.min(...waiting_total.map((count) => count.oldest_submitted_at_ms));
  const age_ms = Math.max(now_ms, last_at_ms) - oldest;
  if (waiting_total.length === 0 || age_ms < LIMITS.outbox.order_late_ms) return [];
  const total = waiting_total.reduce((sum, { orders }) => sum + orders, 0);
  const failures = waiting_total.flatMap(({ last_failure, orders }) =>
    last_failure === null ? [] : [`${orders} after ${last_failure}`],
  );
  const why = failures.length === 0 ? '' : ` (${failures.join(', ')})`;
  return [
    `${ordersText(total)} accepted and not at the shop yet${why}; the oldest was submitted ${agoText(age_ms)}.`,
  ];
}

function lateSteps({ waiting, waiting_total }: LedgerBooks): string[] {
  const total = waiting_total.reduce((sum, { orders }) => sum + orders, 0);
  const named = waiting.map(
    ({ order_id, submitted_at_ms, attempts, last_failure }) =>
      `Order ${order_id} (submitted ${timeText(submitted_at_ms)} UTC${last_failure === null ? '' : `, ${last_failure}, tried ${attempts} times`}): holdfast explain ${order_id}.`,
  );
  return [
    'A server that runs, without HOLDFAST_READ_ONLY, places them once the shop takes them: what fails below says what is in the way.',
    ...named,
    ...(total > named.length ? [`… and ${total - named.length} more: holdfast orders`] : []),
  ];
}

function unplacedText({ unplaced_total: total }: LedgerBooks): readonly string[] {
  if (total === 0) return [];
  const minutes = LIMITS.outbox.unplaced_after_ms / 60_000;
  const who = total === 1 ? '1 reservation' : `${total} reservations`;
  return [
    `The shop has held the units of ${who} for over ${minutes} minutes, and no location shows them gone: they count on our side too, so less is promised than could be.`,
  ];
}

function unplacedSteps({ unplaced, unplaced_total: total }: LedgerBooks): string[] {
  const steps = unplaced.map(({ reservation_id, units, since_ms }) => {
    const what = units === 1 ? '1 unit' : `${units} units`;
    return `Reservation ${reservation_id} (${what}, since ${timeText(since_ms)} UTC): units that came in just then may hide it, and it ends with the reservation. If it comes again, look at its draft order, tagged holdfast, in Shopify admin → Orders → Drafts, and at the stock history of its item.`;
  });
  return total > unplaced.length ? [...steps, `… and ${total - unplaced.length} more.`] : steps;
}
