/** Granting a reservation: sum first, then compare, then take. */

import type { Allocation, ReservationLine, ReservationState } from '../model/reservation.js';
import { grantedBySku, stateAt } from '../model/reservation.js';
import { type Item, isItemFresh, itemRoom, levelAtp } from '../model/stock.js';
import { describeOffSale } from '../model/values/off-sale.js';
import { granted, type Result, refused } from '../model/values/refusal.js';
import { basketHash } from '../model/values/stock-hash.js';
import type { LedgerMs, Units } from '../model/values/units.js';
import {
  describeRoom,
  isPooled,
  longestHoldOf,
  type QuotaRoom,
  refuseCaller,
  refuseRoom,
  roomFor,
} from '../quota/check-quota.js';
import type {
  Decision,
  IdempotencyKey,
  LedgerSettings,
  LedgerState,
  LevelSums,
  NewReservation,
} from '../state/state.js';
import { tellTime } from '../state/time.js';
import { allocate, type Promisable } from './allocation.js';
import { decideInPlace } from './replace.js';

export interface ReserveLine {
  readonly sku: string;
  readonly quantity: Units;
  /** Only there; left out, wherever it fits best. */
  readonly location_id?: string | undefined;
}

export interface ReserveRequest {
  readonly principal: string;
  /** Where the caller sells, as its token says. */
  readonly channel?: string | null | undefined;
  /** What the transport says of where the caller came from; null when it says nothing. */
  readonly origin?: string | null | undefined;
  readonly lines: readonly ReserveLine[];
  /** Asked for; clamped to the configured bounds. Seconds. */
  readonly ttl_seconds: number | undefined;
  readonly allow_partial: boolean;
  /** A reservation of the same caller that the new one takes the place of. */
  readonly replaces?: string | undefined;
  readonly idempotency: IdempotencyKey | undefined;
  /** Hash of the arguments: the same key with other arguments is refused. */
  readonly input_hash: string;
  /** The id to give, made outside: a decision has no randomness of its own. */
  readonly reservation_id: string;
  /** When the call came in: a re-read that began since answers it, see `isItemFresh`. */
  readonly asked_at_ms: LedgerMs;
}

/** A line as its caller sees it. Where the shop chooses the location of a draft order, none is told before it was seen. */
export interface GrantedLine extends Omit<ReservationLine, 'allocations'> {
  readonly allocations: readonly { readonly location_id: string | null; readonly quantity: number }[];
}

export interface ReserveAnswer {
  readonly reservation_id: string;
  readonly status: ReservationState;
  readonly lines: readonly GrantedLine[];
  readonly stock_hash: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly ttl_seconds: number;
  readonly replayed: boolean;
}

/**
 * All lines or none, unless `allow_partial`. Lines of one SKU are summed before they are compared with what can
 * be promised, and with what the caller's quotas leave it. Refuses more than a quota allows, unknown SKUs and
 * locations, items that are not for sale, stock that is too old to promise, and more than there is. With
 * `allow_partial` as much is granted as both the stock and the quotas allow. A replay is refused by no quota. With `replaces`
 * units of the old reservation count for the new one, and both change together.
 */
export function decideReserve(
  state: LedgerState,
  asked: ReserveRequest,
  settings: LedgerSettings,
): Decision<Result<ReserveAnswer>> {
  if (state.remembered !== null) return { result: replay(state, asked) };
  const { principal, replaces } = asked;
  if (replaces === undefined) return decideNew(state, asked, settings);
  return decideInPlace(state, principal, (without) => decideNew(without, asked, settings));
}

function decideNew(
  state: LedgerState,
  asked: ReserveRequest,
  settings: LedgerSettings,
): Decision<Result<ReserveAnswer>> {
  const request = { ...asked, lines: asked.lines.map((line) => nameLine(state, line)) };
  const refusal =
    refuseCaller(state, settings, () => knownItems(state, request)) ?? refuseUnsellable(state, request);
  if (refusal !== null) return { result: refusal };

  const whole = allocateLines(state, request, stockRooms(state, request, settings));
  const isShort = whole.some((line) => line.reserved < line.requested);
  const nothing = whole.every((line) => line.reserved === 0);
  if (nothing || (isShort && !request.allow_partial))
    return { result: refuseInsufficient(state, request, settings) };

  const ttl_seconds = grantableTtl(state, request, settings);
  const rooms = quotaRooms(state, request, settings, ttl_seconds);
  const over = overRoom(state, whole, rooms, request.allow_partial);
  if (over.length === 0) return grant(state, request, settings, whole, ttl_seconds);
  if (!request.allow_partial) return { result: refuseRoom(state, settings, over, request.asked_at_ms) };
  const least = stockRooms(state, request, settings);
  for (const [sku, { units }] of rooms) least.set(sku, Math.min(units, least.get(sku) ?? units));
  const lines = allocateLines(state, request, least);
  if (lines.every((line) => line.reserved === 0)) {
    return { result: refuseRoom(state, settings, over, request.asked_at_ms) };
  }
  return grant(state, request, settings, lines, ttl_seconds);
}

/** By the SKU as the ledger has it: a caller may spell it otherwise, and differently on two lines. */
function nameLine(state: LedgerState, line: ReserveLine): ReserveLine {
  return { ...line, sku: state.items.get(line.sku)?.sku ?? line.sku };
}

function knownItems(state: LedgerState, request: ReserveRequest): Item[] {
  const skus = [...new Set(request.lines.map((line) => line.sku))];
  return skus.flatMap((sku) => state.items.get(sku) ?? []);
}

/** By SKU: what the item as a whole has left, where that is bounded apart from its levels. */
function stockRooms(
  state: LedgerState,
  request: ReserveRequest,
  settings: LedgerSettings,
): Map<string, number> {
  const rooms = knownItems(state, request).map(
    (item) => [item.sku, itemRoom(item, settings.mirror)] as const,
  );
  return new Map(rooms.filter(([, units]) => Number.isFinite(units)));
}

/** By SKU: what the quotas leave the caller, where one limits it. */
function quotaRooms(
  state: LedgerState,
  request: ReserveRequest,
  settings: LedgerSettings,
  ttl_seconds: number,
): ReadonlyMap<string, QuotaRoom> {
  const asked = { ttl_ms: ttl_seconds * 1000, at_ms: request.asked_at_ms };
  const rooms = new Map<string, QuotaRoom>();
  if (state.usage.principal === null) return rooms;
  for (const item of knownItems(state, request)) {
    const room = roomFor(state, settings, item, asked);
    if (room !== null) rooms.set(item.sku, room);
  }
  return rooms;
}

/** SKUs of which the lines together take more than the quotas leave. */
function overRoom(
  state: LedgerState,
  lines: readonly ReservationLine[],
  rooms: ReadonlyMap<string, QuotaRoom>,
  allowPartial: boolean,
): { item: Item; room: QuotaRoom; least_units: number }[] {
  const over: { item: Item; room: QuotaRoom; least_units: number }[] = [];
  for (const [sku, room] of rooms) {
    const units = lines.reduce((sum, line) => (line.sku === sku ? sum + line.reserved : sum), 0);
    if (units <= room.units) continue;
    over.push({ item: itemOf(state, sku), room, least_units: allowPartial ? 1 : units });
  }
  return over;
}

function replay(state: LedgerState, request: ReserveRequest): Result<ReserveAnswer> {
  const { remembered } = state;
  if (remembered === null) throw new Error('nothing to replay');
  if (remembered.input_hash !== request.input_hash) {
    return refused(
      'idempotency_key_reused',
      'This idempotency key was used before with other arguments. Send the same arguments again to see the first answer, or a new key for a new wish.',
      { reservation_id: remembered.reservation.id },
    );
  }
  const first = remembered.answer as unknown as ReserveAnswer;
  return granted({ ...first, status: stateAt(remembered.reservation, state.now_ms), replayed: true });
}

function refuseUnsellable(state: LedgerState, request: ReserveRequest): Result<never> | null {
  const skus = [...new Set(request.lines.map((line) => line.sku))];
  const unknown = skus.filter((sku) => !state.items.has(sku));
  if (unknown.length > 0) {
    return refused('sku_unknown', 'No item has one of these SKUs. Use find_items to look it up.', {
      skus: unknown,
    });
  }
  for (const line of request.lines) {
    const item = itemOf(state, line.sku);
    if (
      line.location_id !== undefined &&
      !item.levels.some((level) => level.location_id === line.location_id)
    ) {
      return refused(
        'location_unknown',
        'The item is not stocked at that location. check_stock lists its locations.',
        {
          ...named(item),
          location_id: line.location_id,
        },
      );
    }
  }
  const items = skus.map((sku) => itemOf(state, sku));
  const gone = items.find((item) => item.lifecycle !== 'active');
  if (gone !== undefined) {
    return refused('item_discontinued', describeOffSale(gone.off_sale), {
      ...named(gone),
      status: gone.lifecycle,
      ...(gone.off_sale === null ? {} : { off_sale: gone.off_sale }),
    });
  }
  const old = items.find((item) => !isItemFresh(item, state.now_ms, request.asked_at_ms));
  if (old !== undefined) {
    return refused(
      'stock_stale',
      'The stock of this item is older than it may be to promise anything, and the shop could not be read in time. Try again shortly.',
      { ...named(old), confirmed_at: tellTime(old.confirmed_at_ms, state.lead_ms) },
      STALE_RETRY_S,
    );
  }
  return null;
}

const STALE_RETRY_S = 15;

function promisableByLevel(state: LedgerState, request: ReserveRequest): Promisable {
  const promisable: Promisable = new Map();
  for (const { sku } of request.lines) {
    const item = itemOf(state, sku);
    for (const level of item.levels)
      promisable.set(level.level_key, levelAtp(level, item.safety_stock_units));
  }
  return promisable;
}

/**
 * Lines bound to a location take first, so that a free line never eats what only they can use. `room`: by SKU, units that
 * all lines of it together may take at most; where it has none, as many as there are.
 */
function allocateLines(
  state: LedgerState,
  request: ReserveRequest,
  room: Map<string, number>,
): ReservationLine[] {
  const promisable = promisableByLevel(state, request);
  const allocations = new Map<ReserveLine, Allocation[]>();
  const bound = request.lines.filter((line) => line.location_id !== undefined);
  const free = request.lines.filter((line) => line.location_id === undefined);
  for (const line of [...bound, ...free]) {
    const { levels } = itemOf(state, line.sku);
    const eligible =
      line.location_id === undefined
        ? levels
        : levels.filter((level) => level.location_id === line.location_id);
    const most = room.get(line.sku);
    const wanted = most === undefined ? line.quantity : Math.max(0, Math.min(line.quantity, most));
    const taken = allocate(eligible, promisable, wanted);
    if (most !== undefined) room.set(line.sku, most - unitsOf(taken));
    allocations.set(line, taken);
  }
  return request.lines.map((line) => {
    const taken = allocations.get(line) ?? [];
    return {
      sku: line.sku,
      requested: line.quantity,
      reserved: unitsOf(taken),
      allocations: taken,
      stock_hash: itemOf(state, line.sku).stock_hash,
    };
  });
}

function unitsOf(allocations: readonly Allocation[]): number {
  return allocations.reduce((sum, { quantity }) => sum + quantity, 0);
}

function refuseInsufficient(
  state: LedgerState,
  request: ReserveRequest,
  settings: LedgerSettings,
): Result<never> {
  const requested = new Map<string, number>();
  for (const line of request.lines) requested.set(line.sku, (requested.get(line.sku) ?? 0) + line.quantity);
  const short = [...requested].map(([sku, units]) => {
    return { ...describeRoom(state, settings, itemOf(state, sku), request.asked_at_ms), requested: units };
  });
  const isOwn = short.some(({ held_by_you }) => held_by_you > 0);
  return refused('stock_insufficient', isOwn ? `${INSUFFICIENT} ${HELD_BY_YOU}` : INSUFFICIENT, {
    items: short,
  });
}

const INSUFFICIENT =
  'There is not enough that can be promised. Nothing was reserved. Ask for less, another item, or allow_partial.';
const HELD_BY_YOU =
  'Your own reservations hold some of it (held_by_you): submit or release those rather than reserve again.';

function grant(
  state: LedgerState,
  request: ReserveRequest,
  settings: LedgerSettings,
  lines: readonly ReservationLine[],
  ttl_seconds: number,
): Decision<Result<ReserveAnswer>> {
  const now = state.now_ms;
  const expires_at_ms = now + ttl_seconds * 1000;
  const { holds, sums } = takeUnits(state, lines);
  const isMirrored = settings.mirror !== 'none' && state.waiting_mirrors < settings.waiting_mirrors_max;
  const grantedSkus = [...new Set(lines.filter((line) => line.reserved > 0).map((line) => line.sku))];
  const stock_hash = basketHash(
    state.shop,
    grantedSkus.map((sku) => ({ sku, stock_hash: itemOf(state, sku).stock_hash })),
  );
  const reservation: NewReservation = {
    id: request.reservation_id,
    principal: request.principal,
    channel: request.channel ?? null,
    origin: request.origin ?? null,
    pooled: isPooled(state, settings, grantedByItem(state, lines), ttl_seconds * 1000),
    lines,
    stock_hash,
    created_at_ms: now,
    expires_at_ms,
    holds,
    tag: shopTag(request.reservation_id),
    due_at_ms: isMirrored ? now : null,
  };
  const answer: ReserveAnswer = {
    reservation_id: request.reservation_id,
    status: 'active',
    lines: lines.map((line) => grantedLine(line, settings)),
    stock_hash,
    created_at: tellTime(now, state.lead_ms),
    expires_at: tellTime(expires_at_ms, state.lead_ms),
    ttl_seconds,
    replayed: false,
  };
  return {
    result: granted(answer),
    changes: {
      new_reservation: reservation,
      sums,
      ...(request.idempotency === undefined
        ? {}
        : { remember: { input_hash: request.input_hash, answer: { ...answer } } }),
      journal: [
        {
          kind: 'reservation.created',
          of_reservation: true,
          data: {
            id: reservation.id,
            principal: reservation.principal,
            ...(reservation.channel === null ? {} : { channel: reservation.channel }),
            // What the shop is not told of until there is an order.
            ...(settings.mirror !== 'none' && !isMirrored ? { mirror: 'skipped' } : {}),
            stock_hash,
            expires_at_ms,
            lines: lines.map((line) => [line.sku, line.requested, line.allocations.map(pair)]),
            age_ms: grantedSkus.map((sku) => Math.max(0, now - itemOf(state, sku).confirmed_at_ms)),
          },
        },
      ],
    },
  };
}

function grantedLine(line: ReservationLine, { mirror }: LedgerSettings): GrantedLine {
  if (mirror === 'move' || line.reserved === 0) return line;
  return { ...line, allocations: [{ location_id: null, quantity: line.reserved }] };
}

function takeUnits(
  state: LedgerState,
  lines: readonly ReservationLine[],
): { holds: NewReservation['holds']; sums: LevelSums[] } {
  const taken = new Map<number, { sums: LevelSums; quantity_units: number }>();
  for (const line of lines) {
    const { levels } = itemOf(state, line.sku);
    for (const { location_id, quantity } of line.allocations) {
      const level = levels.find((candidate) => candidate.location_id === location_id);
      if (level === undefined) throw new Error('allocated at a location that the item does not have');
      const quantity_units = (taken.get(level.level_key)?.quantity_units ?? 0) + quantity;
      const sums = {
        level_key: level.level_key,
        held_units: level.held_units + quantity_units,
        mirrored_units: level.mirrored_units,
        doubted_units: level.doubted_units,
        under_way_units: level.under_way_units,
      };
      taken.set(level.level_key, { sums, quantity_units });
    }
  }
  return {
    holds: [...taken].map(([level_key, { quantity_units }]) => ({ level_key, quantity_units })),
    sums: [...taken.values()].map(({ sums }) => sums),
  };
}

function clampTtl(asked: number | undefined, settings: LedgerSettings): number {
  const ttl = Math.floor(asked ?? settings.ttl_default_s);
  return Math.min(settings.ttl_max_s, Math.max(settings.ttl_min_s, ttl));
}

/** What was asked for, within the merchant's bounds, and within what the caller may have after it has kept these SKUs unsold. */
function grantableTtl(state: LedgerState, request: ReserveRequest, settings: LedgerSettings): number {
  const longest_s = Math.floor(longestHoldOf(state, settings, knownItems(state, request)) / 1000);
  return Math.min(clampTtl(request.ttl_seconds, settings), longest_s);
}

function grantedByItem(state: LedgerState, lines: readonly ReservationLine[]): ReadonlyMap<number, number> {
  return new Map(
    [...grantedBySku(lines)].map(([sku, units]) => [itemOf(state, sku).item_key, units] as const),
  );
}

/** Our mark on what we create at the shop; Shopify's tags hold at most 40 characters. */
export function shopTag(reservationId: string): string {
  return `hf-${reservationId.replace(/^res_/, '').toLowerCase()}`;
}

function itemOf(state: LedgerState, sku: string): Item {
  const item = state.items.get(sku);
  if (item === undefined) throw new Error('an item that was checked is missing');
  return item;
}

/** Every refusal that names a SKU carries its current checksum. */
function named(item: Item): { sku: string; stock_hash: string } {
  return { sku: item.sku, stock_hash: item.stock_hash };
}

function pair(allocation: Allocation): [string, number] {
  return [allocation.location_id, allocation.quantity];
}
