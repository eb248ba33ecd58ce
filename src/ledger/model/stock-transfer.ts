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
  /** The units of this reservation. All of them happen, or none. */
  readonly changes: readonly StockMoveChange[];
  /** What is sent, where one call serves several reservations; left out where it is `changes`. */
  readonly together?: JointMove;
}

/**
 * One call for several reservations, stored in the row of each. Every row may send it again: it is the same request under the
 * same key. No row may leave it for another request while others of them could still send it, because that would move its
 * units a second time.
 */
export interface JointMove {
  /** One for each level, with the units of all. */
  readonly changes: readonly StockMoveChange[];
  readonly reservation_keys: readonly number[];
}

export interface StockMoveChange {
  readonly item_id: string;
  readonly location_id: string;
  readonly quantity_units: number;
  /** What must be available there for the move to happen; null when any figure will do. */
  readonly available_units: number | null;
}
