/**
 * A move of stock at the shop, fixed before it is sent. It is stored in the transaction that writes the intent, so that
 * a retry after a crash or a lost answer says the same under the same key: the shop then carries it out once.
 */

export interface StockMove {
  /** A UUID that no other move has. */
  readonly key: string;
  /** Counts the moves of a reservation, and makes the key. */
  readonly attempt: number;
  /** `out`: from what can be sold to what is reserved. `back`: the same units the other way. */
  readonly direction: 'out' | 'back';
  readonly reservation_id: string;
  /** All of them happen, or none. */
  readonly changes: readonly StockMoveChange[];
}

export interface StockMoveChange {
  readonly item_id: string;
  readonly location_id: string;
  readonly quantity_units: number;
  /** What must be available there for the move to happen; null when any figure will do. */
  readonly available_units: number | null;
}
