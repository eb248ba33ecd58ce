/** Answering what is in stock: figures, times and checksum, and how old they may be. */

import { maxAgeSeconds } from './freshness.js';
import type { Lifecycle } from './observation.js';
import type { LedgerSettings, LedgerState } from './ports.js';
import { granted, type Result } from './refusal.js';
import { ownedBy, reservationUnknown } from './release.js';
import { type ReservationState, stateAt } from './reservation.js';
import { type Item, isItemFresh, isPromisable, itemAtp, levelAtp } from './stock.js';
import { currentHash } from './submit.js';
import { isoTime } from './time.js';
import type { LedgerMs } from './units.js';

export interface StockAnswer {
  readonly sku: string;
  readonly title: string;
  readonly status: Lifecycle;
  readonly availability: {
    /** Units that can be promised now. */
    readonly available: number;
    readonly status: 'in_stock' | 'low_stock' | 'out_of_stock' | 'discontinued';
  };
  readonly available_to_promise: number;
  readonly locations: readonly {
    readonly location_id: string;
    readonly name: string;
    readonly available_to_promise: number;
  }[];
  readonly as_of: string;
  readonly confirmed_at: string;
  readonly age_seconds: number;
  readonly max_age_seconds: number;
  readonly fresh: boolean;
  readonly stock_hash: string;
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

/** What a caller sees of the SKUs it named, in its order. `askedAt`: when its call came in, see `isItemFresh`. */
export function viewStock(
  state: LedgerState,
  skus: readonly string[],
  settings: LedgerSettings,
  askedAt: LedgerMs | null = null,
): CheckAnswer {
  const known = skus.flatMap((sku) => state.items.get(sku) ?? []);
  return {
    items: known.map((item) => stockAnswer(item, state.now_ms, settings, askedAt)),
    unknown_skus: skus.filter((sku) => !state.items.has(sku)),
    ...times(state, known),
  };
}

/** The same for a reservation's SKUs, with the basket checksum to submit. Refuses what is not the caller's. */
export function viewReservation(
  state: LedgerState,
  principal: string,
  settings: LedgerSettings,
  askedAt: LedgerMs | null = null,
): Result<CheckAnswer> {
  const owned = ownedBy(state, principal);
  if (owned === null) return reservationUnknown();
  const { reservation, order } = owned;
  return granted({
    items: state.owned_items.map((item) => stockAnswer(item, state.now_ms, settings, askedAt)),
    unknown_skus: [],
    stock_hash: currentHash(state),
    reservation: {
      reservation_id: reservation.id,
      status: stateAt(reservation, state.now_ms),
      expires_at: isoTime(reservation.expires_at_ms),
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
  const { now_ms } = state;
  const { age_seconds, confirmed_at, max_age_seconds, ...lasting } = stockAnswer(
    item,
    now_ms,
    settings,
    null,
  );
  return {
    item_key: item.item_key,
    mark: JSON.stringify(lasting),
    fresh_until_ms: lasting.fresh ? item.confirmed_at_ms + max_age_seconds * 1000 : null,
  };
}

function stockAnswer(
  item: Item,
  now: LedgerMs,
  settings: LedgerSettings,
  askedAt: LedgerMs | null,
): StockAnswer {
  const promisable = isPromisable(item, now, askedAt);
  const available_to_promise = itemAtp(item, now, askedAt);
  return {
    sku: item.sku,
    title: item.variant_title === '' ? item.title : `${item.title} · ${item.variant_title}`,
    status: item.lifecycle,
    availability: {
      available: available_to_promise,
      status: availabilityStatus(item, available_to_promise, settings),
    },
    available_to_promise,
    locations: item.levels
      .filter((level) => level.sellable_here && level.location_open)
      .map((level) => ({
        location_id: level.location_id,
        name: level.location_name,
        available_to_promise: promisable ? levelAtp(level, item.safety_stock_units) : 0,
      })),
    as_of: isoTime(item.as_of_ms),
    confirmed_at: isoTime(item.confirmed_at_ms),
    age_seconds: Math.max(0, Math.floor((now - item.confirmed_at_ms) / 1000)),
    max_age_seconds: maxAgeSeconds(item.velocity, now),
    fresh: isItemFresh(item, now, askedAt),
    stock_hash: item.stock_hash,
  };
}

function availabilityStatus(
  item: Item,
  atp: number,
  settings: LedgerSettings,
): StockAnswer['availability']['status'] {
  if (item.lifecycle === 'discontinued') return 'discontinued';
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
    queried_at: isoTime(now),
    valid_until: isoTime(Math.min(...ends, ends.length === 0 ? now : Infinity)),
  };
}
