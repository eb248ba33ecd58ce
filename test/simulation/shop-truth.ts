/** What the oracle knows of the shop, by looking at the shop itself: its units over time, its drafts and its orders. */

import type { ShopEvent } from '../../src/sandbox/events.js';
import type { Shop } from '../../src/sandbox/shop.js';
import { currentLife, type Universe } from './universe.js';

/** Requests that may take or give units. */
const MOVES_STOCK: ReadonlySet<string> = new Set([
  'call CreateHold',
  'call UpdateHold',
  'call CompleteHold',
  'call DeleteHold',
  'call MoveStock',
  'call PlaceOrder',
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
}

/** How long the past is remembered. */
const MEMORY_MS = 2_000_000;

export class ShopTruth {
  readonly shop: Shop;
  /** Orders of ours that sold what was not there, as the shop stood at that moment. */
  readonly oversold: string[] = [];
  /** Changes of stock by a request that has no business with it. */
  readonly meddling: string[] = [];
  readonly orders: PlacedOrder[] = [];
  readonly #universe: Universe;
  /** By SKU: units that nobody but us has bought, with those that we have. Only others change it. */
  readonly #totals = new Map<string, Moment[]>();
  /** By item and location: what the shop says can be sold there. */
  readonly #figures = new Map<string, Moment[]>();
  readonly #sold = new Map<string, number>();
  #is_changed = true;

  constructor(shop: Shop, universe: Universe) {
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
      // Below zero somewhere else is nothing that lessens what is here.
      const there = Math.max(0, quantities.available + quantities.reserved);
      totals.set(sku, (totals.get(sku) ?? 0) + there);
      this.#remember(this.#figures, `${tailOf(itemId)} ${tailOf(locationId)}`, quantities.available);
    }
    for (const [sku, units] of totals) this.#remember(this.#totals, sku, units + (this.#sold.get(sku) ?? 0));
    return true;
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
  }[] {
    return [...this.shop.draftOrders.all()]
      .filter(({ orderId, tags }) => orderId === null && tags.includes('holdfast'))
      .map(({ name, tags, lines }) => ({ name, tag: ownTag(tags), units: unitsOf(lines) }));
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
    this.orders.push({ id: tailOf(id), name: order.name, tag: ownTag(order.tags), units });
    for (const [sku, count] of units) this.#sold.set(sku, (this.#sold.get(sku) ?? 0) + count);
    // Units that nobody has bought: what is for sale, and what is only held. A draft takes them where the shop likes, so it
    // is the item that counts and not the place. Below zero, an order can't be shipped.
    const short = order.lines.some(({ itemId }) => {
      const levels = itemId === null ? [] : this.shop.inventory.levelsOfItem(itemId);
      return levels.reduce((sum, { quantities }) => sum + quantities.available + quantities.reserved, 0) < 0;
    });
    if (short) this.oversold.push(`${order.name} sold what was not there`);
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
