/** What the oracle knows of the shop, by looking at the shop itself: its units over time, its drafts and its orders. */

import type { ShopEvent } from '../../src/sandbox/base/events.js';
import type { Shop } from '../../src/sandbox/shop/shop.js';
import { currentLife, type Universe } from './universe.js';

/** Requests that may take or give units. */
const MOVES_STOCK: ReadonlySet<string> = new Set([
  'call CreateHold',
  'call UpdateHold',
  'call CompleteHold',
  'call DeleteHold',
  'call MoveStock',
  'call PlaceOrder',
  'call MoveFulfilment',
]);

interface Moment {
  readonly at_ms: number;
  readonly units: number;
}

export interface PlacedOrder {
  readonly id: string;
  readonly name: string;
  readonly tag: string;
  readonly units: ReadonlyMap<string, number>;
  readonly at_ms: number;
}

/** Reads of one item that are remembered. */
const READS_KEPT = 200;
export interface OversoldOrder {
  readonly name: string;
  readonly tag: string;
  readonly item_id: string;
  /** Since when the units were not there, in virtual time. */
  readonly since_ms: number;
}

/** How long the past is remembered. */
const MEMORY_MS = 2_000_000;

export class ShopTruth {
  readonly shop: Shop;
  /** Orders of ours that sold what was not there, as the shop stood at that moment, and since when it was not. */
  readonly oversold: OversoldOrder[] = [];
  /** Changes of stock by a request that has no business with it. */
  readonly meddling: string[] = [];
  readonly orders: PlacedOrder[] = [];
  readonly #universe: Universe;
  /** By SKU: units that nobody but us has bought, with those that we have. Only others change it. */
  readonly #totals = new Map<string, Moment[]>();
  /** By item and location: what the shop says can be sold there. */
  readonly #figures = new Map<string, Moment[]>();
  readonly #sold = new Map<string, number>();
  /** Tags of reservations that the ledger does not know any more. */
  readonly #lost = new Set<string>();
  #is_changed = true;

  /** By item: when reads of it arrived at the shop, newest last. */
  readonly #reads = new Map<string, number[]>();
  readonly #isExact: boolean;
  /** By item: when others than our requests last changed its stock. */
  readonly #touched_at_ms = new Map<string, number>();

  /** `isExact`: units are taken exactly where they were promised, so that what is below zero elsewhere lessens nothing. */
  constructor(shop: Shop, universe: Universe, isExact: boolean) {
    this.#isExact = isExact;
    this.shop = shop;
    this.#universe = universe;
    shop.events.listen((event) => this.#see(event));
  }

  /** True when something has happened at the shop since the last look. */
  look(): boolean {
    if (!this.#is_changed) return false;
    this.#is_changed = false;
    const totals = new Map<string, number>();
    for (const { itemId, locationId, quantities } of this.shop.inventory.levels.values()) {
      const sku = this.shop.inventory.items.get(itemId)?.sku ?? '';
      const units = quantities.available + quantities.reserved;
      const there = this.#isExact ? Math.max(0, units) : units;
      totals.set(sku, (totals.get(sku) ?? 0) + there);
      this.#remember(this.#figures, `${tailOf(itemId)} ${tailOf(locationId)}`, quantities.available);
    }
    for (const [sku, units] of totals) this.#remember(this.#totals, sku, units + (this.#sold.get(sku) ?? 0));
    return true;
  }

  /** The ledger was put back, and does not know these any more: what they have bought is what others have bought. */
  lose(tags: readonly string[]): void {
    for (const tag of tags) this.#lost.add(tag);
    for (const { tag, units, at_ms } of this.orders) {
      if (!tags.includes(tag)) continue;
      for (const [sku, count] of units) {
        this.#sold.set(sku, this.sold(sku) - count);
        const moments = this.#totals.get(sku) ?? [];
        const later = moments.map((one) => (one.at_ms < at_ms ? one : { ...one, units: one.units - count }));
        this.#totals.set(sku, later);
      }
    }
    this.#is_changed = true;
  }

  /** A read of these items has arrived at the shop. */
  readArrived(item_ids: readonly string[]): void {
    for (const id of item_ids.map(tailOf)) {
      const reads = this.#reads.get(id) ?? [];
      this.#reads.set(id, [...reads.slice(-READS_KEPT), this.#universe.now_ms]);
    }
  }

  /** The first read of the item that arrived at or after that time; null when there was none. */
  firstReadSince(item_id: string, since_ms: number): number | null {
    return this.#reads.get(item_id)?.find((at_ms) => at_ms >= since_ms) ?? null;
  }

  /** Whether anybody but our own requests has changed stock of the item at or after that time. */
  isTouchedSince(item_id: string, since_ms: number): boolean {
    return (this.#touched_at_ms.get(item_id) ?? Number.NEGATIVE_INFINITY) >= since_ms;
  }

  /** Units of the item that the open draft of that tag took at that location; null when there is no such draft. */
  takenAt(tag: string, item_id: string, location_id: string): number | null {
    const draft = [...this.shop.draftOrders.all()].find(
      ({ orderId, tags, held }) => orderId === null && tags.includes(tag) && held.length > 0,
    );
    if (draft === undefined) return null;
    return draft.held
      .filter(({ level }) => tailOf(level.itemId) === item_id && tailOf(level.locationId) === location_id)
      .reduce((units, one) => units + one.units, 0);
  }

  /** Units of ours that are orders at the shop by now. */
  sold(sku: string): number {
    return this.#sold.get(sku) ?? 0;
  }

  /** The most that was there at any moment since then, whoever of us had it. */
  mostSince(sku: string, since_ms: number): number {
    return Math.max(...since(this.#totals.get(sku) ?? [], since_ms));
  }

  /** Whether the shop gave that figure at some moment since then. */
  hadFigure(item_id: string, location_id: string, units: number, since_ms: number): boolean {
    const moments = this.#figures.get(`${item_id} ${location_id}`);
    return moments === undefined || since(moments, since_ms).includes(units);
  }

  /** What drafts of this tag hold, and whether there is one that is no order yet. */
  openDrafts(): readonly {
    readonly tag: string;
    readonly name: string;
    readonly units: ReadonlyMap<string, number>;
    readonly until_ms: number | null;
  }[] {
    return [...this.shop.draftOrders.all()]
      .filter(({ orderId, tags }) => orderId === null && tags.includes('holdfast'))
      .map(({ name, tags, lines, reserveUntilMs }) => ({
        name,
        tag: ownTag(tags),
        units: unitsOf(lines),
        until_ms: reserveUntilMs,
      }));
  }

  reserved(): ReadonlyMap<string, number> {
    const reserved = new Map<string, number>();
    for (const { itemId, quantities } of this.shop.inventory.levels.values()) {
      const sku = this.shop.inventory.items.get(itemId)?.sku ?? '';
      reserved.set(sku, (reserved.get(sku) ?? 0) + quantities.reserved);
    }
    return reserved;
  }

  #see(event: ShopEvent): void {
    this.#is_changed = true;
    if (event.kind === 'order' && event.change === 'created') this.#ordered(event.orderId);
    if (event.kind !== 'inventory_level') return;
    const actor = currentLife()?.name ?? '';
    if (!actor.startsWith('call ')) this.#touched_at_ms.set(tailOf(event.itemId), this.#universe.now_ms);
    if (!actor.startsWith('call ') || MOVES_STOCK.has(actor) || event.change !== 'updated') return;
    const { available = 0, reserved = 0, committed = 0 } = event.deltas;
    // The shop lets go of a draft's units by itself when its time is over, whoever asks next.
    const is_lapse = available > 0 && reserved === -available && committed === 0;
    if (!is_lapse) this.meddling.push(`${actor} changed ${JSON.stringify(event.deltas)}`);
  }

  #ordered(id: string): void {
    const order = this.shop.orders.get(id);
    if (order === undefined || !order.tags.includes('holdfast')) return;
    const units = unitsOf(order.lines);
    const tag = ownTag(order.tags);
    this.orders.push({ id: tailOf(id), name: order.name, tag, units, at_ms: this.#universe.now_ms });
    if (!this.#lost.has(tag)) for (const [sku, count] of units) this.#sold.set(sku, this.sold(sku) + count);
    // Units that nobody has bought: what is for sale, and what is only held. A draft takes them where the shop likes, so it
    // is the item that counts and not the place. Below zero, an order can't be shipped.
    for (const { itemId, sku } of order.lines) {
      if (itemId === null) continue;
      const levels = this.shop.inventory.levelsOfItem(itemId);
      const left = levels.reduce(
        (sum, { quantities }) => sum + quantities.available + quantities.reserved,
        0,
      );
      if (left >= 0) continue;
      const { name } = order;
      const since_ms = this.#shortSince(sku ?? '');
      this.oversold.push({ name, tag, item_id: tailOf(itemId), since_ms });
    }
  }

  /** Since when others have left less than we have sold by now. */
  #shortSince(sku: string): number {
    const moments = this.#totals.get(sku) ?? [];
    const enough = moments.findLastIndex(({ units }) => units >= this.sold(sku));
    return moments[enough + 1]?.at_ms ?? this.#universe.now_ms;
  }

  #remember(of: Map<string, Moment[]>, key: string, units: number): void {
    const at_ms = this.#universe.now_ms;
    const moments = of.get(key) ?? [];
    of.set(key, moments);
    if (moments.at(-1)?.units === units) return;
    moments.push({ at_ms, units });
    // The one before the edge of memory says how it stood at the edge.
    while ((moments[1]?.at_ms ?? Number.POSITIVE_INFINITY) < at_ms - MEMORY_MS) moments.shift();
  }
}

/** How it stood at that time, and everything since. */
function since(moments: readonly Moment[], since_ms: number): number[] {
  const first = moments.findLastIndex(({ at_ms }) => at_ms <= since_ms);
  return moments.slice(Math.max(0, first)).map(({ units }) => units);
}

function unitsOf(
  lines: readonly { readonly sku: string | null; readonly quantity: number }[],
): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const { sku, quantity } of lines) units.set(sku ?? '', (units.get(sku ?? '') ?? 0) + quantity);
  return units;
}

function ownTag(tags: readonly string[]): string {
  return tags.find((tag) => tag !== 'holdfast') ?? '';
}

export function tailOf(gid: string): string {
  return gid.slice(gid.lastIndexOf('/') + 1);
}
