/**
 * A reservation that takes the place of another one of the same caller, in one transaction. What is granted is judged on the ledger as it
 * would be if the old one had been released; when it is refused, nothing has changed and the old one stays.
 */

import type { Hold } from '../model/hold.js';
import { isExpired } from '../model/reservation.js';
import type { Item, Level } from '../model/stock.js';
import { itemAfter, type Passage, tallyAfter, type Usage } from '../model/usage.js';
import { type Result, refused } from '../model/values/refusal.js';
import { passageOf } from '../quota/usage-change.js';
import type { CallerUsage, Changes, Decision, LedgerState, LevelSums, Owned } from '../state/state.js';
import { endReservation, heldUnits } from './end-reservation.js';
import { ownedBy, reservationUnknown } from './release.js';

type Ended = ReturnType<typeof endReservation>;

/** Decides by `decide` on the ledger without the reservation that was loaded, and ends that one if something is granted. */
export function decideInPlace<R>(
  state: LedgerState,
  principal: string,
  decide: (without: LedgerState) => Decision<Result<R>>,
): Decision<Result<R>> {
  const owned = ownedBy(state, principal);
  if (owned === null) return { result: reservationUnknown() };
  const refusal = refuseOver(state, owned);
  if (refusal !== null) return { result: refusal };
  const ended = endReservation(state, owned, 'release');
  const { result, changes } = decide(withoutReservation(state, owned, ended));
  if (!result.ok || changes === undefined) return { result };
  return { result, changes: joinChanges(changes, owned, ended, principal) };
}

function refuseOver(state: LedgerState, { reservation, order }: Owned): Result<never> | null {
  const details = { reservation_id: reservation.id };
  if (isExpired(reservation, state.now_ms) || reservation.state === 'expired') {
    return refused(
      'reservation_expired',
      'The reservation to replace has expired and holds nothing any more. Nothing was reserved. check_stock and reserve without replaces.',
      { ...details, status: 'expired' },
    );
  }
  if (reservation.state === 'active') return null;
  if (order === null) {
    return refused(
      'reservation_already_released',
      'The reservation to replace was released and holds nothing any more. Nothing was reserved. check_stock and reserve without replaces.',
      { ...details, status: reservation.state },
    );
  }
  return refused(
    'reservation_already_submitted',
    'An order was submitted on the reservation to replace, so its units belong to the order. Nothing was reserved. get_order tells how it stands.',
    { ...details, status: reservation.state, order_id: order.id },
  );
}

/** The ledger as if the reservation had been released at this moment. */
function withoutReservation(state: LedgerState, owned: Owned, ended: Ended): LedgerState {
  const freed = new Map(
    state.owned_items.map((item) => [item.item_key, freeLevels(item, owned.holds, ended.sums)]),
  );
  const withoutUnits = (item: Item): Item => freed.get(item.item_key) ?? item;
  return {
    ...state,
    items: new Map([...state.items].map(([sku, item]) => [sku, withoutUnits(item)])),
    usage: withoutUsage(state, owned, ended),
  };
}

function freeLevels(item: Item, holds: readonly Hold[], sums: readonly LevelSums[]): Item {
  const levels = item.levels.map((level): Level => {
    const after = sums.find(({ level_key }) => level_key === level.level_key);
    if (after === undefined) return level;
    const own = holds.filter(({ level_key }) => level_key === level.level_key);
    const upstream_available_units = level.upstream_available_units + unitsAtShop(own);
    return { ...level, ...after, upstream_available_units };
  });
  return { ...item, levels };
}

/**
 * Units that the shop holds for the old reservation, just here, and lets go of as it ends. Its figure has them once it has let go, so
 * the new reservation may count on them; for everybody else they come back with a report, and the new one counts by then. Units that
 * may stand elsewhere, or that the shop may not hold any more, are left out: that only promises less.
 */
function unitsAtShop(holds: readonly Hold[]): number {
  return holds.reduce(
    (sum, { state, place, quantity_units }) =>
      sum + (state === 'mirrored' && place === 'seen' ? quantity_units : 0),
    0,
  );
}

function withoutUsage(state: LedgerState, owned: Owned, { reservation }: Ended): CallerUsage {
  const { usage, owned_items, now_ms } = state;
  const itemOfLevel = (level: number): number => {
    const item = owned_items.find(({ levels }) => levels.some(({ level_key }) => level_key === level));
    if (item === undefined) throw new Error('a hold at a level that was not loaded');
    return item.item_key;
  };
  const passage = passageOf(owned, { reservation }, itemOfLevel, now_ms);
  if (passage === null) throw new Error('a reservation that ends and does not count');
  const { origin, channel, pooled } = owned.reservation;
  // The caller may ask from elsewhere now: then those of the old origin or channel were not loaded, and these have none of its units.
  const isSame = (loaded: 'origin' | 'channel', name: string | null): boolean =>
    name !== null && usage.names[loaded] === name;
  return {
    ...usage,
    principal: usage.principal === null ? null : usageAfter(usage.principal, passage),
    origin:
      usage.origin !== null && isSame('origin', origin) ? usageAfter(usage.origin, passage) : usage.origin,
    channel:
      usage.channel !== null && isSame('channel', channel)
        ? { items: itemsAfter(usage.channel, passage) }
        : usage.channel,
    everyone:
      usage.everyone !== null && pooled ? { items: itemsAfter(usage.everyone, passage) } : usage.everyone,
  };
}

function usageAfter(usage: Usage, passage: Passage): Usage {
  return { tally: tallyAfter(usage.tally, passage), items: itemsAfter(usage, passage) };
}

function itemsAfter({ items }: Pick<Usage, 'items'>, passage: Passage): Usage['items'] {
  const after = new Map(items);
  for (const [key, units] of passage.units) {
    const before = items.get(key);
    if (before !== undefined) after.set(key, itemAfter(before, passage, units));
  }
  return after;
}

/** The entry of the new reservation comes first: the store finds it by that. */
function joinChanges(changes: Changes, owned: Owned, ended: Ended, by: string): Changes {
  const { new_reservation, sums = [], journal = [] } = changes;
  if (new_reservation === undefined) throw new Error('a reservation was granted and not made');
  const [created, ...others] = journal;
  if (created === undefined) throw new Error('a reservation without its entry');
  const { id } = owned.reservation;
  const isNew = ({ level_key }: LevelSums): boolean => sums.some((sum) => sum.level_key === level_key);
  return {
    ...changes,
    reservation: ended.reservation,
    holds: ended.holds,
    outbox: ended.outbox,
    sums: [...ended.sums.filter((sum) => !isNew(sum)), ...sums],
    journal: [
      { ...created, data: { ...created.data, replaces: id } },
      {
        kind: 'reservation.released',
        of_replaced: true,
        data: { by, released_units: heldUnits(owned), reason: null, replaced_by: new_reservation.id },
      },
      ...others,
    ],
  };
}
