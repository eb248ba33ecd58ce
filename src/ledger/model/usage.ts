/**
 * What a caller takes up, and how it has used what it was given: the figures that quotas are judged by. Kept for each
 * principal, for each origin and channel that is told, and per item for everyone together. A tally is moved by one function, in the transaction
 * that moves the reservation; the store only keeps it.
 */

import type { Order } from './order.js';
import type { ReservationState } from './reservation.js';
import type { LedgerMs } from './values/units.js';

/**
 * How a reservation counts. `live`: it keeps units from others and may never be sold: active, or accepted and waiting for
 * its buyer to pay. `waiting`: the same, and its order is held for corrected details or, above a quota, for a person. `held`:
 * its order waits for a re-read or a person. `ordered`: accepted and completed by the server; it is sold once it is placed, and
 * until then the shop may refuse it. Null: over.
 */
export type Standing = 'live' | 'waiting' | 'held' | 'ordered' | null;

/** How a reservation stopped counting. `excused`: not sold, by no fault of the caller's. */
export type Parting = 'sold' | 'unsold' | 'excused';

/** Amounts by slot of time, oldest first: a window that slides a slot at a time. */
export type Slots = readonly (readonly [slot: number, amount: number])[];

interface Window {
  readonly slot_ms: number;
  /** What lies in this many slots before the present one counts: never less than the whole window. */
  readonly slots: number;
}

export const HOUR_WINDOW: Window = { slot_ms: 5 * 60_000, slots: 12 };
export const DAY_WINDOW: Window = { slot_ms: 3_600_000, slots: 24 };

/** Idle time is forgotten at this fraction of the pace at which it comes: units withheld for 15 minutes rest for an hour. */
export const REST_PER_IDLE = 4;

/** One caller's use of one item, or that of several callers together. */
export interface ItemUsage {
  readonly live_units: number;
  /** Of orders that are held as stale. */
  readonly held_units: number;
  /** Of orders that are accepted, completed by the server, and not placed yet. */
  readonly ordered_units: number;
  /** How long units were kept, without a break and without a sale, up to `since_ms`; pauses let it shrink. */
  readonly idle_ms: number;
  /** When the present stretch began: of keeping units where there are any, else of rest. */
  readonly since_ms: LedgerMs;
  /** Units in placed orders, in the last day. */
  readonly sold: Slots;
  /** Units times the milliseconds for which they were kept and then not sold, in the last day. */
  readonly unsold: Slots;
}

/** One caller's use of the shop. */
export interface Tally {
  readonly live_reservations: number;
  readonly held_orders: number;
  /** Reservations granted, in the last hour. */
  readonly granted: Slots;
  /** Milliseconds for which reservations that ended unsold kept their units, in the last day. */
  readonly idle: Slots;
  /** Reservations that became an order, in the last day. */
  readonly sold: Slots;
  /** Orders, and units in them, that were let through without or by a person, in the last hour. */
  readonly ordered: Slots;
  readonly ordered_units: Slots;
  /** When a reservation last ended unsold; 0 before. */
  readonly idle_at_ms: LedgerMs;
}

/** Of the moment: once a decision has been applied it may tell what came of it. */
export interface Usage {
  readonly tally: Tally;
  /** By item row: at least those that the transaction is about. */
  readonly items: ReadonlyMap<number, ItemUsage>;
}

/** A reservation that begins to count, counts otherwise, or counts no more. */
export interface Passage {
  readonly from: Standing;
  readonly to: Standing;
  /** Null unless it leaves. */
  readonly parting: Parting | null;
  /** True when its order counts from now on among those of the hour: once in the life of an order. */
  readonly is_ordered: boolean;
  readonly created_at_ms: LedgerMs;
  /** When it came to pass: an expiry at its own time, whenever it is tidied. */
  readonly at_ms: LedgerMs;
  /** By item row. */
  readonly units: ReadonlyMap<number, number>;
}

export const NO_ITEM_USAGE: ItemUsage = {
  live_units: 0,
  held_units: 0,
  ordered_units: 0,
  idle_ms: 0,
  since_ms: 0,
  sold: [],
  unsold: [],
};
export const NO_TALLY: Tally = {
  live_reservations: 0,
  held_orders: 0,
  granted: [],
  idle: [],
  sold: [],
  ordered: [],
  ordered_units: [],
  idle_at_ms: 0,
};

export function standingOf(
  state: ReservationState,
  order: Pick<Order, 'state' | 'order_mode' | 'held_for'> | null,
): Standing {
  if (state === 'active') return 'live';
  if (state !== 'submitted' || order === null) return null;
  if (order.state === 'held') return order.held_for === 'stale' ? 'held' : 'waiting';
  if (order.state !== 'accepted') return null;
  return order.order_mode === 'checkout_link' ? 'live' : 'ordered';
}

/** A caller's tally after one of its reservations has passed from one standing to another. */
export function tallyAfter(tally: Tally, passage: Passage): Tally {
  const { from, to, parting, created_at_ms, at_ms } = passage;
  const withheld_ms = Math.max(0, at_ms - created_at_ms);
  const unsold = parting === 'unsold';
  const units = [...passage.units.values()].reduce((sum, quantity) => sum + quantity, 0);
  const { ordered, ordered_units } = tally;
  return {
    live_reservations: tally.live_reservations + isLive(to) - isLive(from),
    held_orders: tally.held_orders + isHeldOrder(to) - isHeldOrder(from),
    granted: from === null ? added(tally.granted, HOUR_WINDOW, at_ms, 1) : tally.granted,
    idle: unsold ? added(tally.idle, DAY_WINDOW, at_ms, withheld_ms) : tally.idle,
    sold: parting === 'sold' ? added(tally.sold, DAY_WINDOW, at_ms, 1) : tally.sold,
    ordered: passage.is_ordered ? added(ordered, HOUR_WINDOW, at_ms, 1) : ordered,
    ordered_units: passage.is_ordered ? added(ordered_units, HOUR_WINDOW, at_ms, units) : ordered_units,
    idle_at_ms: unsold ? Math.max(tally.idle_at_ms, at_ms) : tally.idle_at_ms,
  };
}

/** The same of one item, of which the reservation has so many units. */
export function itemAfter(before: ItemUsage, passage: Passage, units: number): ItemUsage {
  const { from, to, parting, created_at_ms, at_ms } = passage;
  const withheld_ms = Math.max(0, at_ms - created_at_ms);
  const after = {
    ...before,
    live_units: before.live_units + units * (isLive(to) - isLive(from)),
    held_units: before.held_units + units * (hasHeldUnits(to) - hasHeldUnits(from)),
    ordered_units: before.ordered_units + units * (isOrdered(to) - isOrdered(from)),
    sold: parting === 'sold' ? added(before.sold, DAY_WINDOW, at_ms, units) : before.sold,
    unsold:
      parting === 'unsold' ? added(before.unsold, DAY_WINDOW, at_ms, units * withheld_ms) : before.unsold,
  };
  if (parting === 'sold') return { ...after, idle_ms: 0, since_ms: at_ms };
  const begins = keptUnits(before) === 0 && keptUnits(after) > 0;
  const rests = keptUnits(before) > 0 && keptUnits(after) === 0;
  if (!begins && !rests) return after;
  const since_ms = Math.max(before.since_ms, at_ms);
  // An order that could not be sold, by no fault of the caller's, is no idle time.
  const idle_ms = begins || parting === 'unsold' ? idleAt(before, since_ms) : before.idle_ms;
  return { ...after, idle_ms, since_ms };
}

/** Units that are kept from others and not sold. An order counts until the shop has it: it may still refuse the buyer's details. */
export function keptUnits({ live_units, held_units, ordered_units }: ItemUsage): number {
  return live_units + held_units + ordered_units;
}

/**
 * What is kept of an item after a grant that was decided on what was seen of it. The two differ by reservations that are
 * past their time and not tidied yet: those units are still taken off when they are, but the stretch begins anew, so
 * that a night in which nothing ran is no idle time.
 */
export function itemAfterGrant(kept: ItemUsage, seen: ItemUsage, passage: Passage, units: number): ItemUsage {
  const { idle_ms, since_ms } = itemAfter(seen, passage, units);
  return { ...kept, live_units: kept.live_units + units, idle_ms, since_ms };
}

/** How long the item's units have been kept without a break and without a sale, with pauses taken off. */
export function idleAt(usage: ItemUsage, now: LedgerMs): number {
  const { idle_ms, since_ms } = usage;
  const passed_ms = Math.max(0, now - since_ms);
  return keptUnits(usage) > 0
    ? idle_ms + passed_ms
    : Math.max(0, idle_ms - Math.floor(passed_ms / REST_PER_IDLE));
}

/** What lies in the window at that time. */
export function sumOf(slots: Slots, window: Window, now: LedgerMs): number {
  const oldest = Math.floor(now / window.slot_ms) - window.slots;
  return slots.reduce((sum, [slot, amount]) => (slot < oldest ? sum : sum + amount), 0);
}

/** When the window will hold no more than `max`, if nothing is added. */
export function roomAt(slots: Slots, window: Window, now: LedgerMs, max: number): LedgerMs {
  let sum = sumOf(slots, window, now);
  const oldest = Math.floor(now / window.slot_ms) - window.slots;
  for (const [slot, amount] of slots) {
    if (sum <= max) break;
    if (slot < oldest) continue;
    sum -= amount;
    if (sum <= max) return (slot + window.slots + 1) * window.slot_ms;
  }
  return now;
}

function added(slots: Slots, window: Window, at: LedgerMs, amount: number): Slots {
  const slot = Math.floor(at / window.slot_ms);
  const last = slots.at(-1);
  if (last?.[0] === slot) return slots.with(-1, [slot, last[1] + amount]);
  const newest = Math.max(slot, last?.[0] ?? slot);
  const kept = slots.filter(([other]) => other !== slot && other >= newest - window.slots);
  const before = slots.find(([other]) => other === slot)?.[1] ?? 0;
  return [...kept, [slot, before + amount] as const].sort(([a], [b]) => a - b);
}

function isLive(standing: Standing): 0 | 1 {
  return standing === 'live' || standing === 'waiting' ? 1 : 0;
}

function isHeldOrder(standing: Standing): 0 | 1 {
  return standing === 'held' || standing === 'waiting' ? 1 : 0;
}

/** Units of orders that wait for a re-read; those that wait for anything else count as live. */
function hasHeldUnits(standing: Standing): 0 | 1 {
  return standing === 'held' ? 1 : 0;
}

function isOrdered(standing: Standing): 0 | 1 {
  return standing === 'ordered' ? 1 : 0;
}
