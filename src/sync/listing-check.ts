/**
 * Compares what the ledger sells with the shop's own flags: whether an item is published, tracked, a bundle. Not all of their changes
 * move a time at the shop (a scheduled launch does not), so that a heartbeat may miss them. Only finds what has to be read
 * again: the ledger is told by that read.
 */

import type { ListingObservation } from '../ledger/model/values/observation.js';
import type { Clock, ItemTimes, Store } from '../ledger/state/state.js';

/** When the flags of all listings are to be read. By the time that has passed in this process: ledger time may jump. */
export class ListingSchedule {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #readAt_ms: number | null = null;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  get now_ms(): number {
    return this.#clock.elapsed();
  }

  /** A process that has just started does not know what it has missed. */
  isDue(): boolean {
    return this.#readAt_ms === null || this.now_ms - this.#readAt_ms >= this.#intervalMs;
  }

  /** All of them are read, by reads that began no earlier. */
  done(beganAtMs: number): void {
    this.#readAt_ms = beganAtMs;
  }
}

/** Ids of the items that the ledger sells, or does not sell, otherwise than these listings say. */
export async function findChangedListings(
  store: Pick<Store, 'itemTimes'>,
  listings: readonly ListingObservation[],
): Promise<readonly string[]> {
  const known = await store.itemTimes([...new Set(listings.map(({ item_id }) => item_id))]);
  const changed = listings.filter((listing) => isChanged(listing, known.get(listing.item_id)));
  return [...new Set(changed.map(({ item_id }) => item_id))];
}

function isChanged(listing: ListingObservation, known: ItemTimes | undefined): boolean {
  const isSold = listing.lifecycle === 'active';
  if (known === undefined) return isSold;
  // Another listing of a shared item: it matters when the item could be sold as this one.
  if (known.variant_id !== listing.variant_id) return isSold && known.lifecycle !== 'active';
  return known.lifecycle !== listing.lifecycle || known.off_sale !== listing.off_sale;
}
