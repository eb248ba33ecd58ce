/** Answering what is in stock: figures, times and checksum, and how old they may be. */

import { type ReservationState, stateAt } from '../model/reservation.js';
import { type Item, isItemFresh, isPromisable, itemAtp, levelAtp } from '../model/stock.js';
import { maxAgeSeconds } from '../model/values/freshness.js';
import type { Lifecycle, OffSale } from '../model/values/observation.js';
import { granted, type Result } from '../model/values/refusal.js';
import type { LedgerMs } from '../model/values/units.js';
import { reservableUnits } from '../quota/check-quota.js';
import { ownedBy, reservationUnknown } from '../reservation/release.js';
import { currentHash } from '../state/hash-verdict.js';
import type { LedgerSettings, LedgerState } from '../state/state.js';
import { tellTime } from '../state/time.js';

export interface StockAnswer {
  readonly sku: string;
  readonly title: string;
  readonly status: Lifecycle;
  /** Why it is not for sale, where that is known. */
  readonly off_sale?: OffSale;
  readonly availability: {
    /** Units that can be promised now. */
    readonly available: number;
    /** `unknown`: its data is too old, and the shop could not be asked. */
    readonly status: 'in_stock' | 'low_stock' | 'out_of_stock' | 'discontinued' | 'unknown';
  };
  readonly available_to_promise: number;
  /** Of these, what the caller may reserve now, after its quotas. Left out where nobody in particular asks. */
  readonly reservable?: number;
  /** Units that the caller's own live reservations hold. Left out where nobody in particular asks. */
  readonly held_by_you?: number;
  readonly locations: readonly LocationAnswer[];
  /** Locations that are open and stock it, and are not listed: those with nothing, and what is beyond the most that are. */
  readonly locations_omitted?: number;
  readonly as_of: string;
  readonly confirmed_at: string;
  readonly age_seconds: number;
  readonly max_age_seconds: number;
  readonly fresh: boolean;
  readonly stock_hash: string;
}

interface LocationAnswer {
  readonly location_id: string;
  readonly name: string;
  readonly available_to_promise: number;
}

/** Locations that are listed for a SKU unless the caller asks for all: each one costs the caller's model tokens. */
const LOCATIONS_MAX = 5;

export interface CheckView {
  /** When the call came in, see `isItemFresh`. */
  readonly asked_at_ms?: LedgerMs | null;
  /** Also those with nothing, however many there are. */
  readonly all_locations?: boolean;
}

export interface ReservationSummary {
  readonly reservation_id: string;
  readonly status: ReservationState;
  readonly expires_at: string;
  readonly order_id?: string;
}

export interface CheckAnswer {
  readonly items: readonly StockAnswer[];
  readonly unknown_skus: readonly string[];
  readonly stock_hash?: string;
  readonly reservation?: ReservationSummary;
  readonly queried_at: string;
  /** Until when these figures may be quoted; in the past when one of them is too old already. */
  readonly valid_until: string;
}

/** What a caller sees of the SKUs it named, in its order. */
export function viewStock(
  state: LedgerState,
  skus: readonly string[],
  settings: LedgerSettings,
  view: CheckView = {},
): CheckAnswer {
  // Two spellings of one SKU are one item.
  const known = [...new Set(skus.flatMap((sku) => state.items.get(sku) ?? []))];
  return {
    items: known.map((item) => stockAnswer(item, state, settings, view)),
    unknown_skus: skus.filter((sku) => !state.items.has(sku)),
    ...times(state, known),
  };
}

/** The same for a reservation's SKUs, with the basket checksum to submit. Refuses what is not the caller's. */
export function viewReservation(
  state: LedgerState,
  principal: string,
  settings: LedgerSettings,
  view: CheckView = {},
): Result<CheckAnswer> {
  const owned = ownedBy(state, principal);
  if (owned === null) return reservationUnknown();
  const { reservation, order } = owned;
  return granted({
    items: state.owned_items.map((item) => stockAnswer(item, state, settings, view)),
    unknown_skus: [],
    stock_hash: currentHash(state),
    reservation: {
      reservation_id: reservation.id,
      status: stateAt(reservation, state.now_ms),
      expires_at: tellTime(reservation.expires_at_ms, state.lead_ms),
      ...(order === null ? {} : { order_id: order.id }),
    },
    ...times(state, state.owned_items),
  });
}

/** What somebody who follows a SKU needs to know of it to notice that its answer has become another. */
export interface StockSight {
  /** Null while the ledger knows no such SKU. */
  readonly item_key: number | null;
  /** Equal for equal answers. What moves by itself is left out: age, confirmation, and how old stock may be. */
  readonly mark: string;
  /** Until when it is fresh if nobody confirms it before; null when it is not, and then only a row can change that. */
  readonly fresh_until_ms: LedgerMs | null;
}

export function sightOf(state: LedgerState, sku: string, settings: LedgerSettings): StockSight {
  const item = state.items.get(sku);
  if (item === undefined) return { item_key: null, mark: '', fresh_until_ms: null };
  // Told in the shop's time, of which more may be known by now: the checksum stands for it.
  const { age_seconds, confirmed_at, max_age_seconds, as_of, ...lasting } = stockAnswer(
    item,
    state,
    settings,
    {},
  );
  return {
    item_key: item.item_key,
    mark: JSON.stringify(lasting),
    fresh_until_ms: lasting.fresh ? item.confirmed_at_ms + max_age_seconds * 1000 : null,
  };
}

function stockAnswer(
  item: Item,
  state: LedgerState,
  settings: LedgerSettings,
  { asked_at_ms: askedAt = null, all_locations = false }: CheckView,
): StockAnswer {
  const { now_ms: now, lead_ms, own_units } = state;
  const fresh = isItemFresh(item, now, askedAt);
  const available_to_promise = itemAtp(item, settings.mirror, now, askedAt);
  const everywhere = listLocations(item, isPromisable(item, now, askedAt), available_to_promise);
  const locations = all_locations ? everywhere : chooseLocations(everywhere);
  const locations_omitted = everywhere.length - locations.length;
  return {
    sku: item.sku,
    title: item.variant_title === '' ? item.title : `${item.title} · ${item.variant_title}`,
    status: item.lifecycle,
    ...(item.off_sale === null ? {} : { off_sale: item.off_sale }),
    availability: {
      available: available_to_promise,
      status: availabilityStatus(item, fresh, available_to_promise, settings),
    },
    available_to_promise,
    ...(own_units === null
      ? {}
      : {
          reservable: reservableUnits(state, settings, item, askedAt ?? now),
          held_by_you: own_units.get(item.item_key) ?? 0,
        }),
    locations,
    ...(locations_omitted === 0 ? {} : { locations_omitted }),
    as_of: tellTime(item.as_of_ms, lead_ms),
    confirmed_at: tellTime(item.confirmed_at_ms, lead_ms),
    age_seconds: Math.max(0, Math.floor((now - item.confirmed_at_ms) / 1000)),
    max_age_seconds: maxAgeSeconds(item.velocity, now),
    fresh,
    stock_hash: item.stock_hash,
  };
}

/** Every location that is open and stocks the item, in the shop's order. */
function listLocations(item: Item, promisable: boolean, atp: number): LocationAnswer[] {
  return item.levels
    .filter((level) => level.sellable_here && level.location_open)
    .map((level) => ({
      location_id: level.location_id,
      name: level.location_name,
      available_to_promise: promisable ? Math.min(atp, levelAtp(level, item.safety_stock_units)) : 0,
    }));
}

/** Those with something, and of many the ones that have most; in the shop's order. */
function chooseLocations(everywhere: readonly LocationAnswer[]): readonly LocationAnswer[] {
  const stocked = everywhere.filter(({ available_to_promise }) => available_to_promise > 0);
  if (stocked.length <= LOCATIONS_MAX) return stocked;
  const most = new Set(
    stocked.toSorted((a, b) => b.available_to_promise - a.available_to_promise).slice(0, LOCATIONS_MAX),
  );
  return stocked.filter((location) => most.has(location));
}

function availabilityStatus(
  item: Item,
  fresh: boolean,
  atp: number,
  settings: LedgerSettings,
): StockAnswer['availability']['status'] {
  if (item.lifecycle === 'discontinued') return 'discontinued';
  if (!fresh) return 'unknown';
  if (atp === 0) return 'out_of_stock';
  return atp <= settings.low_stock_units ? 'low_stock' : 'in_stock';
}

function times(state: LedgerState, items: readonly Item[]): { queried_at: string; valid_until: string } {
  const now = state.now_ms;
  const ends = items.map((item) => {
    const { confirmed_at_ms, dirty_at_ms, velocity } = item;
    return dirty_at_ms === null ? confirmed_at_ms + maxAgeSeconds(velocity, now) * 1000 : confirmed_at_ms;
  });
  return {
    queried_at: tellTime(now, state.lead_ms),
    valid_until: tellTime(Math.min(...ends, ends.length === 0 ? now : Infinity), state.lead_ms),
  };
}
