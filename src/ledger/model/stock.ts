/** The state of one SKU as the ledger holds it, and what can be promised of it. */

import type { MirrorMode } from './outbox-row.js';
import { isFresh, maxAgeSeconds, type Velocity } from './values/freshness.js';
import type { InventoryPolicy, Lifecycle, OffSale } from './values/observation.js';
import type { StockHash } from './values/stock-hash.js';
import type { LedgerMs } from './values/units.js';

/** One inventory item at one location. */
export interface Level {
  /** The ledger's own row number; not an upstream id. */
  readonly level_key: number;
  readonly location_id: string;
  readonly location_name: string;
  /** The shop's order of preference, 0 first. */
  readonly location_position: number;
  /**
   * False when, at the last report, the location was closed, fulfilled no online orders or no longer stocked the item: nothing is
   * promised there.
   */
  readonly sellable_here: boolean;
  /** False as soon as the shop has closed the location, or taken it off online orders: even before the next report. */
  readonly location_open: boolean;
  /** The location is open to the till alone: what drafts have taken there, below zero, is missing elsewhere. */
  readonly till_only: boolean;
  /** What the shop says can be sold. May be negative; that promises 0. */
  readonly upstream_available_units: number;
  readonly upstream_on_hand_units: number | null;
  readonly upstream_committed_units: number | null;
  /** Sum of the holds here that `upstream_available_units` does not yet exclude, expired ones that no sweep has tidied included. */
  readonly held_units: number;
  /** The part of `held_units` whose reservations are past their expiry: it promises nothing and hinders nothing. */
  readonly expired_units: number;
  /** Sum of the holds here that the shop's own figure already excludes. */
  readonly mirrored_units: number;
  /** The part of `mirrored_units` that the shop may not hold any more: withheld from every promise until the drafts were read back. */
  readonly doubted_units: number;
  /**
   * Units of holds here whose level is a guess, as of the last read, while the guesses of the item are right together; 0 as soon as
   * they may not be. Enters no promise and no checksum (place-units.ts).
   */
  readonly guessed_units: number;
  /**
   * Units by which the shop's figure, when it was last read, ran ahead of what we know of our own writes: one was under
   * way and the figure shows it already. Part of the checksum's sum and of no promise: those units count on our side, too.
   */
  readonly under_way_units: number;
  /** Units that an order of ours is being moved here to be shipped with, as long as no report shows it. */
  readonly routed_units: number;
  /** The part of the shop's figure by which it rose implausibly, as one read alone has shown it: withheld from every promise (rise.ts). */
  readonly unproven_units: number;
  /** The shop's clock; null when it did not say. */
  readonly upstream_updated_at_ms: number | null;
  /** Ledger time at which the read that gave these figures began. */
  readonly read_at_ms: LedgerMs;
}

export interface Item {
  readonly item_key: number;
  readonly item_id: string;
  readonly variant_id: string;
  readonly product_id: string;
  /** As agents name it: the shop's SKU, or a name of the ledger's where another item has that. Never two alike. */
  readonly sku: string;
  /** The shop's SKU, which several items may have; null where there is none that can be named. */
  readonly given_sku: string | null;
  readonly title: string;
  readonly variant_title: string;
  readonly lifecycle: Lifecycle;
  /** Why it is not active; null while it is, or where nobody has said. */
  readonly off_sale: OffSale | null;
  /** `continue`: the shop sells it below zero on purpose, so a level below zero is no shortage. */
  readonly inventory_policy: InventoryPolicy;
  /** Our own buffer per level; Shopify's `available` already excludes Shopify's safety stock. */
  readonly safety_stock_units: number;
  readonly state_version: number;
  readonly salt: string;
  readonly stock_hash: StockHash;
  /** When the present state was first observed. */
  readonly as_of_ms: LedgerMs;
  /** When this item itself was last read. */
  readonly read_at_ms: LedgerMs;
  /** When we last knew the state to be current: its own read, or a heartbeat that covers the whole shop; before `dirty_at_ms`. */
  readonly confirmed_at_ms: LedgerMs;
  /** When the shop last said that the item has changed; null once a read that began no earlier is taken over. */
  readonly dirty_at_ms: LedgerMs | null;
  readonly velocity: Velocity;
  /** Sorted by the shop's order of preference, then by id. */
  readonly levels: readonly Level[];
}

/**
 * What the shop could sell at a level if it knew nothing of us: its own figure plus our own holds that it leaves out. The
 * checksum is over this sum, so that mirroring a hold leaves it as it was.
 */
export function sellableUnits(
  level: Pick<Level, 'upstream_available_units' | 'mirrored_units' | 'under_way_units'>,
): number {
  return level.upstream_available_units + level.mirrored_units + level.under_way_units;
}

/** Units at one level that can still be promised, freshness and lifecycle aside. Never negative. */
export function levelAtp(level: Level, safetyStockUnits: number): number {
  if (!level.sellable_here || !level.location_open) return 0;
  return Math.max(0, level.upstream_available_units - withheldUnits(level) - safetyStockUnits);
}

/**
 * Units of the item that can still be promised over all locations; 0 unless it is active and fresh enough. Where the shop
 * chooses the location of an order, a level below zero is covered from the others, so the item as a whole bounds the sum.
 */
export function itemAtp(
  item: Item,
  mirror: MirrorMode,
  now: LedgerMs,
  askedAt: LedgerMs | null = null,
): number {
  return isPromisable(item, now, askedAt) ? unitsLeft(item, mirror) : 0;
}

/** The same by the newest figures, freshness and lifecycle aside. */
export function unitsLeft(item: Item, mirror: MirrorMode): number {
  const sum = item.levels.reduce((units, level) => units + levelAtp(level, item.safety_stock_units), 0);
  return Math.max(0, Math.min(sum, itemRoom(item, mirror)));
}

/**
 * Units that the item as a whole has left: its figures at levels that can sell, those below zero included, less every unit that
 * is held on our side alone, wherever it was promised. Infinite in mode `move`, which takes units exactly where they were promised.
 */
export function itemRoom(item: Item, mirror: MirrorMode): number {
  if (mirror === 'move') return Number.POSITIVE_INFINITY;
  const withheld = item.levels.reduce((units, level) => units + withheldUnits(level), 0);
  return availableUnits(item) - withheld - item.safety_stock_units;
}

/**
 * Units that the figure has, or may have, and that are not to be promised: of live holds, of orders that are being moved here, and
 * those by which it rose implausibly.
 */
function withheldUnits(level: Level): number {
  const { held_units, expired_units, doubted_units, routed_units, unproven_units } = level;
  return held_units - expired_units + doubted_units + routed_units + unproven_units;
}

/** The shop's figure as far as reads have proved it. */
export function provenUnits(level: Pick<Level, 'upstream_available_units' | 'unproven_units'>): number {
  return level.upstream_available_units - level.unproven_units;
}

/** The shop's figures at the levels that can sell, summed. May be negative. */
export function availableUnits(item: Pick<Item, 'levels'>): number {
  return item.levels.reduce(
    (units, level) => units + coveringUnits(level, level.upstream_available_units),
    0,
  );
}

/**
 * Units of a level that cover what is sold anywhere of the item, of the figure given. One that can't sell covers nothing. Where the
 * shop takes drafts from a location that only the till sells at, and it falls below zero, the others have to cover that.
 */
export function coveringUnits(
  { sellable_here, location_open, till_only }: Pick<Level, 'sellable_here' | 'location_open' | 'till_only'>,
  units: number,
): number {
  if (sellable_here && location_open) return units;
  return till_only ? Math.min(0, units) : 0;
}

/**
 * Young enough, and the shop has not said since that it changed. `askedAt`: when the call that wants to know came in. A
 * read that began after it answers it whatever was said meanwhile: the figure was true at a moment of the call. Without
 * that, an item that changes faster than it can be read would never be sold.
 */
export function isItemFresh(item: Item, now: LedgerMs, askedAt: LedgerMs | null = null): boolean {
  return !isDirty(item, askedAt) && isFresh(item.confirmed_at_ms, maxAgeSeconds(item.velocity, now), now);
}

/** The shop has said that the item changed, and nothing that was read since, or for this question, shows how. */
export function isDirty(item: Item, askedAt: LedgerMs | null): boolean {
  return item.dirty_at_ms !== null && (askedAt === null || !isReadSince(item, askedAt));
}

/** The item and each level that is sold at: a figure that lost to a newer one, or came from a lagging copy, is no news. */
export function isReadSince(
  item: {
    readonly read_at_ms: LedgerMs;
    readonly levels: readonly Pick<Level, 'sellable_here' | 'read_at_ms'>[];
  },
  sinceMs: LedgerMs,
): boolean {
  return (
    item.read_at_ms >= sinceMs &&
    item.levels.every((level) => !level.sellable_here || level.read_at_ms >= sinceMs)
  );
}

export function isPromisable(item: Item, now: LedgerMs, askedAt: LedgerMs | null = null): boolean {
  return item.lifecycle === 'active' && isItemFresh(item, now, askedAt);
}
