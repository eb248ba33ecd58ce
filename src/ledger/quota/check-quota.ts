/**
 * How much one caller may take, so that no agent can keep a shop's stock from everybody else by reserving it. Judged in
 * the transaction that grants, on the figures of that transaction. SPEC.md says why each limit is what it is.
 */

import type { OrderReason } from '../model/order.js';
import { type Item, itemAtp, unitsLeft } from '../model/stock.js';
import {
  DAY_WINDOW,
  HOUR_WINDOW,
  type ItemUsage,
  idleAt,
  NO_ITEM_USAGE,
  NO_TALLY,
  REST_PER_IDLE,
  roomAt,
  type Slots,
  sumOf,
  type Tally,
  type Usage,
} from '../model/usage.js';
import type { OrderQuotaName, QuotaName, QuotaSettings, QuotaSubject } from '../model/values/quota-limits.js';
import { type Result, refused } from '../model/values/refusal.js';
import type { LedgerMs } from '../model/values/units.js';
import type { LedgerSettings, LedgerState, Owned } from '../state/state.js';
import { heldMost, longestHold, paidUnits, unsoldRoom } from './unsold-share.js';

/** What a limit has to say to a wish. */
interface Verdict {
  readonly limit: RefusingQuota;
  readonly of: QuotaSubject;
  readonly allowed: number;
  readonly used: number;
  /** When the same wish may be granted; null when that can't be told. */
  readonly retry_at_ms: LedgerMs | null;
}

/** How many units of a SKU a caller may still take, and which limit says so. */
export interface QuotaRoom extends Verdict {
  readonly units: number;
  /** What it could take if it, or whoever the limit counts with it, had none: to wait for more than that is in vain. */
  readonly most_units: number;
}

interface Subject {
  readonly of: QuotaSubject;
  readonly tally: Tally;
  readonly items: Usage['items'];
  readonly quotas: QuotaSettings;
}

/** The first cool-down; each further reservation of full length beyond what is free doubles it. */
const COOL_DOWN_MIN_MS = 60_000;
/** A caller that has no renewal left may still take this much of a SKU: what so few units keep from others is nothing. */
const SLIGHT_SHARE_PERCENT = 10;
/** Or one unit, where that is not the last: who thinks for long about the last few need not lose them all. */
const SLIGHT_UNITS = 1;

const MESSAGES = {
  cool_down:
    'Too many of your reservations ended without an order. Nothing was reserved. Wait, and reserve only what a buyer has decided to take.',
  live_reservations:
    'You have as many reservations as you may have at once. Submit or release one, then reserve again.',
  reservations_per_hour:
    'You have made as many reservations in the last hour as you may. Nothing was reserved.',
  units_per_sku:
    'You may not hold that many units of this item at once. Ask for less, or submit what you hold first.',
  share:
    'Some units of this item are left for other buyers while you hold the rest. Ask for less, or submit what you hold first: what is ordered does not count.',
  unsold_share:
    'Callers that have not bought this item keep as much of it as they may together, and the rest is left to new buyers. Ask for less, submit what you hold, or wait until reservations end.',
  renewals:
    'You have kept this item reserved, and renewed it, without an order. Most of it is left to other buyers for a while. Nothing was reserved.',
  held_units:
    'Orders that wait for a person keep as many units of this item as they may together. The reservation is untouched. check_stock with its reservation_id, then submit with its present stock_hash: such an order does not wait.',
  held_orders:
    'You have as many held orders as you may have at once. The reservation is untouched. Wait until one is decided: get_order tells.',
} as const satisfies Record<Exclude<QuotaName, OrderQuotaName>, string>;

type RefusingQuota = keyof typeof MESSAGES;

const ORDER_QUOTA_DETAILS = {
  orders: 'You have placed as many orders within an hour as one caller may, so a person decides on this one.',
  ordered_units:
    'With this order you would have ordered more units within an hour than one caller may, so a person decides on it.',
} as const satisfies Record<OrderQuotaName, string>;

/** The limits on a caller as a whole: they hold whatever is asked for. Null when none is in the way. */
export function refuseCaller(
  state: LedgerState,
  settings: LedgerSettings,
  items: () => readonly Item[],
): Result<never> | null {
  for (const subject of subjectsOf(state, settings)) {
    const verdict =
      coolDown(subject, settings, state.now_ms) ??
      liveReservations(state, subject) ??
      reservationsPerHour(subject, state.now_ms);
    if (verdict !== null) return refusal(verdict, named(items()), state.now_ms);
  }
  return null;
}

/** One more held order. Null when it may be. */
export function refuseHeldOrder(
  state: LedgerState,
  settings: LedgerSettings,
  items: readonly Item[],
): Result<never> | null {
  for (const { of, tally, quotas } of subjectsOf(state, settings)) {
    const { held_orders: allowed } = quotas;
    if (allowed === null || tally.held_orders < allowed) continue;
    const verdict = {
      limit: 'held_orders',
      of,
      allowed,
      used: tally.held_orders,
      retry_at_ms: null,
    } as const;
    return refusal(verdict, named(items), state.now_ms);
  }
  return null;
}

/**
 * One more order that waits for a person because its checksum is stale: not if such orders would keep more of an item than everyone may
 * keep unsold. A true checksum needs nobody. Null when it may be.
 */
export function refuseHeldUnits(
  { usage, now_ms, owned_items }: LedgerState,
  settings: LedgerSettings,
  { reservation, holds }: Owned,
): Result<never> | null {
  const { unsold_share_percent: percent } = settings.quotas;
  const { everyone: all, is_sole } = usage;
  if (percent === null || all === null || is_sole || !reservation.pooled) return null;
  const over = owned_items.filter((item) => {
    const isHere = (level_key: number) => item.levels.some((level) => level.level_key === level_key);
    const units = holds.reduce((sum, hold) => sum + (isHere(hold.level_key) ? hold.quantity_units : 0), 0);
    const everyone = all.items.get(item.item_key) ?? NO_ITEM_USAGE;
    const atp_units = unitsLeft(item, settings.mirror);
    const wish = { own: NO_ITEM_USAGE, everyone, atp_units, ttl_ms: 0, now_ms };
    return everyone.held_units + units > heldMost(wish, percent, settings);
  });
  if (over.length === 0) return null;
  const verdict = { limit: 'held_units', of: 'everyone', allowed: 0, used: 0, retry_at_ms: null } as const;
  return refusal(verdict, named(over), now_ms, 'changed_request');
}

/**
 * Why an order of so many units is held for a person: it is above the caller's orders, or ordered units, of the last hour.
 * Null when it is not. Orders that wait for a person do not count until they are approved.
 */
export function orderQuotaReason(
  state: LedgerState,
  settings: LedgerSettings,
  units: number,
): { readonly limit: OrderQuotaName; readonly reason: OrderReason } | null {
  const tally = state.usage.principal?.tally;
  if (tally === undefined) return null;
  const { orders_per_hour, ordered_units_per_hour } = settings.quotas;
  const isAbove = (slots: Slots, added: number, max: number | null): boolean =>
    max !== null && sumOf(slots, HOUR_WINDOW, state.now_ms) + added > max;
  const over = (limit: OrderQuotaName) =>
    ({ limit, reason: { code: 'order_quota', detail: ORDER_QUOTA_DETAILS[limit] } }) as const;
  if (isAbove(tally.ordered, 1, orders_per_hour)) return over('orders');
  return isAbove(tally.ordered_units, units, ordered_units_per_hour) ? over('ordered_units') : null;
}

/**
 * Units of the item that the caller may still take for `ttl_ms`; null where nothing limits it. With `there` = what could be
 * promised if the caller had none (what can be promised now, and its own units), it may hold at most
 *
 *     share      max(1, floor(there × share_percent / 100))      so of two units or more one is always left for others
 *     renewals   max(min(1, there - 1), floor(there / 10), what it has bought pays for), once it has kept the SKU for
 *                (1 + renewals) × ttl_max without a sale
 *
 * and what it may still take is that less what it has. `unsold-share.ts` has the limit on all callers together. Where there is
 * nobody else, no share is kept for others.
 */
export function roomFor(
  state: LedgerState,
  settings: LedgerSettings,
  item: Item,
  asked: { readonly ttl_ms: number; readonly at_ms: LedgerMs },
): QuotaRoom | null {
  const atp_units = itemAtp(item, settings.mirror, state.now_ms, asked.at_ms);
  let least = everyonesRoom(state, settings, item, { ...asked, atp_units });
  for (const subject of subjectsOf(state, settings)) {
    const own = subject.items.get(item.item_key) ?? NO_ITEM_USAGE;
    const used = own.live_units + own.held_units;
    const wish = { there_units: atp_units + used, ttl_ms: asked.ttl_ms, now_ms: state.now_ms };
    const limit = tightestOf(subject, settings, own, wish);
    if (limit === null) continue;
    const units = Math.max(0, limit.allowed - used);
    if (least !== null && least.units <= units) continue;
    least = { ...limit, of: subject.of, used, units, most_units: limit.allowed };
  }
  return least;
}

/**
 * Units of the item that the caller may reserve now, for the usual time: what can be promised, and what its limits leave it. 0 where it
 * may reserve nothing at all.
 */
export function reservableUnits(
  state: LedgerState,
  settings: LedgerSettings,
  item: Item,
  at_ms: LedgerMs = state.now_ms,
): number {
  if (settings.read_only || refuseCaller(state, settings, () => []) !== null) return 0;
  const atp_units = itemAtp(item, settings.mirror, state.now_ms, at_ms);
  const ttl_ms = Math.min(settings.ttl_default_s * 1000, longestHoldOf(state, settings, [item]));
  return Math.min(atp_units, roomFor(state, settings, item, { ttl_ms, at_ms })?.units ?? atp_units);
}

export interface ItemRoom {
  readonly sku: string;
  readonly stock_hash: string;
  readonly available_to_promise: number;
  readonly reservable: number;
  readonly held_by_you: number;
}

/** What a refusal says of an item that there is too little of: for everybody, for the caller, and what it has already. */
export function describeRoom(
  state: LedgerState,
  settings: LedgerSettings,
  item: Item,
  at_ms: LedgerMs,
): ItemRoom {
  return {
    sku: item.sku,
    stock_hash: item.stock_hash,
    available_to_promise: itemAtp(item, settings.mirror, state.now_ms, at_ms),
    reservable: reservableUnits(state, settings, item, at_ms),
    held_by_you: state.own_units?.get(item.item_key) ?? 0,
  };
}

/** The share of all callers together; null where none is set, and where there is nobody else. */
function everyonesRoom(
  { usage, now_ms }: LedgerState,
  settings: LedgerSettings,
  { item_key }: Item,
  { ttl_ms, atp_units }: { readonly ttl_ms: number; readonly atp_units: number },
): QuotaRoom | null {
  const { unsold_share_percent: percent } = settings.quotas;
  if (percent === null || usage.everyone === null || usage.is_sole) return null;
  const own = usage.principal?.items.get(item_key) ?? NO_ITEM_USAGE;
  const everyone = usage.everyone.items.get(item_key) ?? NO_ITEM_USAGE;
  const { units, most_units } = unsoldRoom({ own, everyone, atp_units, ttl_ms, now_ms }, percent, settings);
  return {
    limit: 'unsold_share',
    of: 'everyone',
    allowed: units,
    used: 0,
    retry_at_ms: null,
    units,
    most_units,
  };
}

/** Whether a reservation counts in the share of all callers together: not if what its caller has bought of each SKU pays for it. */
export function isPooled(
  { usage, now_ms }: LedgerState,
  settings: LedgerSettings,
  grantedUnits: ReadonlyMap<number, number>,
  ttl_ms: number,
): boolean {
  return [...grantedUnits].some(([item_key, units]) => {
    const own = usage.principal?.items.get(item_key) ?? NO_ITEM_USAGE;
    return units > paidUnits(own, ttl_ms, now_ms, settings);
  });
}

/** How long the caller may keep these items at most: who keeps one again and again without buying it, keeps it for a shorter time. */
export function longestHoldOf(
  { usage, now_ms }: LedgerState,
  settings: LedgerSettings,
  items: readonly Item[],
): number {
  const longest = settings.ttl_max_s * 1000;
  if (settings.quotas.unsold_share_percent === null || usage.principal === null || usage.is_sole)
    return longest;
  const { principal } = usage;
  const own = items.map(({ item_key }) => longestHold(principal.items.get(item_key), now_ms, settings));
  return Math.min(longest, ...own);
}

/**
 * Names the limit of the first SKU that is short of room, and every such SKU. `least_units`: what the caller would be content with. It is
 * told to wait only where waiting can bring that.
 */
export function refuseRoom(
  state: LedgerState,
  settings: LedgerSettings,
  short: readonly { readonly item: Item; readonly room: QuotaRoom; readonly least_units: number }[],
  at_ms: LedgerMs,
): Result<never> {
  const items = short.map((one) => describeRoom(state, settings, one.item, at_ms));
  const vain = short.find(({ room: { limit, most_units }, least_units }) => {
    return limit !== 'renewals' && least_units > most_units;
  });
  if (vain !== undefined) {
    return refusal({ ...vain.room, retry_at_ms: null }, items, state.now_ms, 'changed_request');
  }
  const [first] = short;
  if (first === undefined) throw new Error('a quota refuses nothing');
  const { item, room } = first;
  if (room.limit === 'renewals' || room.of !== 'principal') return refusal(room, items, state.now_ms);
  // Its own units come free one by one; of others' it is told nothing.
  return refusal({ ...room, retry_at_ms: state.expiries.get(item.item_key) ?? null }, items, state.now_ms);
}

type SkuLimit = Pick<Verdict, 'limit' | 'allowed' | 'retry_at_ms'>;

/** Of the limits on one SKU: the first of those that allow least. */
function tightestOf(
  { quotas }: Pick<Subject, 'quotas'>,
  settings: LedgerSettings,
  own: ItemUsage,
  wish: { readonly there_units: number; readonly ttl_ms: number; readonly now_ms: LedgerMs },
): SkuLimit | null {
  const { there_units, ttl_ms, now_ms } = wish;
  const { units_per_sku, share_percent } = quotas;
  let tightest: SkuLimit | null = null;
  if (units_per_sku !== null) {
    tightest = { limit: 'units_per_sku', allowed: units_per_sku, retry_at_ms: null };
  }
  if (share_percent !== null) {
    const allowed = Math.max(1, percentOf(there_units, share_percent));
    if (tightest === null || allowed < tightest.allowed) {
      tightest = { limit: 'share', allowed, retry_at_ms: null };
    }
  }
  const over_ms = renewalsOver(quotas, settings, own, ttl_ms, now_ms);
  if (over_ms <= 0) return tightest;
  const slight = Math.min(SLIGHT_UNITS, there_units - 1);
  const paid_units = own.live_units + own.held_units + paidUnits(own, ttl_ms, now_ms, settings);
  const allowed = Math.max(slight, percentOf(there_units, SLIGHT_SHARE_PERCENT), paid_units);
  if (tightest !== null && allowed >= tightest.allowed) return tightest;
  const retry_at_ms = own.live_units > 0 ? null : now_ms + over_ms * REST_PER_IDLE;
  return { limit: 'renewals', allowed, retry_at_ms };
}

function percentOf(units: number, percent: number): number {
  return Math.floor((units * percent) / 100);
}

/** By how much the SKU would have been kept for too long at the end of the wish; 0 when it may be. */
function renewalsOver(
  quotas: QuotaSettings,
  settings: LedgerSettings,
  own: ItemUsage,
  ttl_ms: number,
  now: LedgerMs,
): number {
  if (quotas.renewals === null) return 0;
  const full_ms = settings.ttl_max_s * 1000;
  const over_ms = idleAt(own, now) + ttl_ms - (1 + quotas.renewals) * full_ms;
  return Math.max(0, over_ms);
}

/** Idle time that the day's orders have paid for. */
function earned(tally: Tally, { idle_per_order }: QuotaSettings, full_ms: number, now: LedgerMs): number {
  return sumOf(tally.sold, DAY_WINDOW, now) * idle_per_order * full_ms;
}

function coolDown({ of, tally, quotas }: Subject, settings: LedgerSettings, now: LedgerMs): Verdict | null {
  if (quotas.idle_per_day === null) return null;
  const full_ms = settings.ttl_max_s * 1000;
  const idle_ms = sumOf(tally.idle, DAY_WINDOW, now);
  const allowed_ms = quotas.idle_per_day * full_ms + earned(tally, quotas, full_ms, now);
  if (idle_ms <= allowed_ms) return null;
  const doublings = Math.floor((idle_ms - allowed_ms) / full_ms);
  const until = tally.idle_at_ms + Math.min(quotas.cool_down_max_ms, COOL_DOWN_MIN_MS * 2 ** doublings);
  if (now >= until) return null;
  const whole = (ms: number) => Math.floor(ms / full_ms);
  return { limit: 'cool_down', of, allowed: whole(allowed_ms), used: whole(idle_ms), retry_at_ms: until };
}

function liveReservations(state: LedgerState, { of, tally, quotas }: Subject): Verdict | null {
  const { live_reservations: allowed } = quotas;
  const { live_reservations: used } = tally;
  if (allowed === null || used < allowed) return null;
  const next = of === 'principal' ? Math.min(...state.expiries.values()) : Number.POSITIVE_INFINITY;
  return { limit: 'live_reservations', of, allowed, used, retry_at_ms: Number.isFinite(next) ? next : null };
}

function reservationsPerHour({ of, tally, quotas }: Subject, now: LedgerMs): Verdict | null {
  const { reservations_per_hour: allowed } = quotas;
  if (allowed === null) return null;
  const used = sumOf(tally.granted, HOUR_WINDOW, now);
  if (used < allowed) return null;
  const retry_at_ms = roomAt(tally.granted, HOUR_WINDOW, now, allowed - 1);
  return { limit: 'reservations_per_hour', of, allowed, used, retry_at_ms };
}

function subjectsOf({ usage }: LedgerState, { quotas }: LedgerSettings): Subject[] {
  const subjects: Subject[] = [];
  const { principal, origin, channel, is_sole } = usage;
  const shared = is_sole
    ? { ...quotas, share_percent: null, unsold_share_percent: null, origin_share_percent: null }
    : quotas;
  if (principal !== null)
    subjects.push({ of: 'principal', tally: principal.tally, items: principal.items, quotas: shared });
  if (origin !== null)
    subjects.push({ of: 'origin', tally: origin.tally, items: origin.items, quotas: ofOrigin(shared) });
  if (channel !== null)
    subjects.push({ of: 'channel', tally: NO_TALLY, items: channel.items, quotas: ofChannel(shared) });
  return subjects;
}

/** A channel may have any number of callers, so all that is limited is how much of a SKU they keep from other channels. */
function ofChannel(quotas: QuotaSettings): QuotaSettings {
  return {
    ...quotas,
    units_per_sku: null,
    share_percent: quotas.origin_share_percent,
    live_reservations: null,
    reservations_per_hour: null,
    renewals: null,
    idle_per_day: null,
    held_orders: null,
    orders_per_hour: null,
    ordered_units_per_hour: null,
  };
}

function ofOrigin(quotas: QuotaSettings): QuotaSettings {
  const { origin_factor } = quotas;
  const times = (limit: number | null) => (limit === null ? null : limit * origin_factor);
  return {
    ...quotas,
    units_per_sku: times(quotas.units_per_sku),
    share_percent: quotas.origin_share_percent,
    live_reservations: times(quotas.live_reservations),
    reservations_per_hour: times(quotas.reservations_per_hour),
    renewals: times(quotas.renewals),
    idle_per_day: times(quotas.idle_per_day),
    held_orders: times(quotas.held_orders),
    orders_per_hour: null,
    ordered_units_per_hour: null,
  };
}

function named(items: readonly Item[]): { sku: string; stock_hash: string }[] {
  return items.map(({ sku, stock_hash }) => ({ sku, stock_hash }));
}

/** Figures of an origin, a channel or everyone are those of other callers, too: they are told to none of them. */
function refusal(
  verdict: Verdict,
  items: readonly Pick<ItemRoom, 'sku' | 'stock_hash'>[],
  now: LedgerMs,
  retry: 'later' | 'changed_request' = 'later',
): Result<never> {
  const { limit, of, allowed, used, retry_at_ms } = verdict;
  return refused(
    'quota_exceeded',
    MESSAGES[limit],
    {
      limit,
      of,
      ...(of === 'principal' ? { allowed, used } : {}),
      items,
    },
    retry_at_ms === null ? undefined : Math.max(1, Math.ceil((retry_at_ms - now) / 1000)),
    retry,
  );
}
