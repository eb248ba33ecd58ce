/**
 * The sandbox shop: everything that stands behind its API, on one clock. Besides the API there are a few verbs for
 * the person who plays the merchant or the other customers in a demo or a test.
 */

import type { CatalogueSource } from '../base/catalogue.js';
import { toGid } from '../base/gid.js';
import { NO_UNITS, onHand, type Quantities } from '../base/quantities.js';
import { BULK_DEFAULTS, BulkOperations, type BulkSettings } from './bulk-operations.js';
import type { DealingSettings } from './shop-parts.js';
import type { InventoryItem } from './stock/inventory.js';
import { StockVerbs } from './stock-verbs.js';
import { WebhookSubscriptions } from './webhook-subscriptions.js';

export const SHOP_DOMAIN = 'sandbox.myshopify.com';
export const SHOP_ID = toGid('Shop', 68_817_911_977n);
export const SHOP_CURRENCY = 'EUR';

export interface ShopSettings extends DealingSettings {
  readonly catalogue: CatalogueSource;
  /** Milliseconds since 1970. Tests move it. */
  readonly now: () => number;
  /** How long a new draft order or order stays invisible to searches, though not to reads by id. */
  readonly searchLagMs: number;
  /** How far the shop's clock is ahead of `now`; behind when it is negative. Default 0. */
  readonly clockSkewMs?: number;
  readonly bulk?: Partial<BulkSettings>;
  /** Default false; see `Shop.refusesEvents`. */
  readonly refusesEvents?: boolean;
  /** Default none; see `Shop.hiddenSkus`. */
  readonly hiddenSkus?: readonly string[];
}

export class Shop extends StockVerbs {
  readonly webhookSubscriptions = new WebhookSubscriptions();
  readonly bulkOperations: BulkOperations;
  /** May be changed at any time. */
  searchLagMs: number;
  /**
   * SKUs whose items the API does not show, neither in lists nor by id, although the shop counts their variants: a copy
   * that lags, or data that is not this app's to see. May be changed at any time.
   */
  hiddenSkus: ReadonlySet<string>;
  /** Whether the app may not read the log of events. May be changed at any time. */
  refusesEvents: boolean;
  /** May be changed at any time; stamps that are in the shop already do not move. */
  clockSkewMs: number;
  readonly createdMs: number;
  readonly #now: () => number;
  #name = 'Sandbox Apparel';
  #updatedMs: number;

  constructor(settings: ShopSettings) {
    super(settings.catalogue, settings, settings.now() + (settings.clockSkewMs ?? 0));
    this.#now = settings.now;
    this.searchLagMs = settings.searchLagMs;
    this.refusesEvents = settings.refusesEvents ?? false;
    this.hiddenSkus = new Set(settings.hiddenSkus);
    this.clockSkewMs = settings.clockSkewMs ?? 0;
    this.createdMs = this.nowMs();
    this.#updatedMs = this.createdMs;
    this.bulkOperations = new BulkOperations(this.events, { ...BULK_DEFAULTS, ...settings.bulk });
  }

  /** The shop's time now, in milliseconds, with everything done that was due by then. */
  override settle(): number {
    const nowMs = this.nowMs();
    this.events.beginAction();
    this.doDue(nowMs);
    this.bulkOperations.advance(nowMs);
    this.events.beginAction();
    return nowMs;
  }

  /** The shop's clock, in milliseconds since 1970, without doing what is due. */
  nowMs(): number {
    return this.#now() + this.clockSkewMs;
  }

  /** Whether the API shows the item. */
  isItemShown({ sku }: InventoryItem): boolean {
    return !this.hiddenSkus.has(sku ?? '');
  }

  get name(): string {
    return this.#name;
  }

  /** When the shop itself last changed. */
  get updatedMs(): number {
    return this.#updatedMs;
  }

  /** The merchant gives the shop another name. */
  rename(name: string): void {
    const nowMs = this.settle();
    this.#name = name;
    this.#updatedMs = nowMs;
    this.events.publish({ kind: 'shop', change: 'updated', atMs: nowMs });
  }

  /** The item's units at the location of that name, in every state, with their sum on hand. Zeros when not stocked. */
  readStock(sku: string, locationName: string): Readonly<Quantities> & { readonly on_hand: number } {
    this.settle();
    const location = this.inventory.locationNamed(locationName);
    const level = this.inventory.levelAt(this.inventory.variantOfSku(sku).itemId, location.id);
    const quantities = level?.quantities ?? NO_UNITS;
    return { ...quantities, on_hand: onHand(quantities) };
  }
}
