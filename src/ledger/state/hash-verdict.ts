/** Whether the checksum that a caller brings is true now, was true once, or never was. */

import type { HashVerdict } from '../model/order.js';
import { basketHash, sameHash } from '../model/values/stock-hash.js';
import type { LedgerState } from './state.js';

/** The basket checksum of the reservation's items as they are now; the one it was given when they are known no more. */
export function currentHash(state: LedgerState): string {
  if (state.owned_items.length > 0) return basketHash(state.shop, state.owned_items);
  if (state.owned === null) throw new Error('a checksum of nothing');
  return state.owned.reservation.stock_hash;
}

/**
 * `match` when the checksum is true now, `stale` when it was true once: for one SKU a version of it, for
 * several the basket at any moment that the ledger remembers. `unknown` otherwise.
 */
export function judgeHash(state: LedgerState, hash: string): HashVerdict | 'unknown' {
  if (sameHash(currentHash(state), hash)) return 'match';
  return wasTrueAtGrant(state, hash) || wasTrueOnce(state, hash) ? 'stale' : 'unknown';
}

/**
 * The checksum that the reservation was granted with. Versions alone can't always rebuild it: an item may have
 * been renamed since, or two may have changed in the very millisecond of the grant.
 */
function wasTrueAtGrant(state: LedgerState, hash: string): boolean {
  return state.owned !== null && sameHash(state.owned.reservation.stock_hash, hash);
}

/**
 * Walks back through the moments at which one of the items changed, rebuilding the basket as it stood before
 * each: at most as many steps as versions are kept. Stops where an item's memory ends.
 */
function wasTrueOnce(state: LedgerState, hash: string): boolean {
  const changes = state.owned_items.flatMap((item) => {
    const versions = state.history.get(item.item_key) ?? [];
    return versions.map((version, index) => ({ item, at_ms: version.as_of_ms, before: versions[index + 1] }));
  });
  changes.sort((a, b) => b.at_ms - a.at_ms);
  const basket = new Map(
    state.owned_items.map(({ item_key, sku, stock_hash }) => [item_key, { sku, stock_hash }]),
  );
  for (const { item, before } of changes) {
    if (before === undefined) return false;
    basket.set(item.item_key, { sku: item.sku, stock_hash: before.stock_hash });
    if (sameHash(basketHash(state.shop, [...basket.values()]), hash)) return true;
  }
  return false;
}
