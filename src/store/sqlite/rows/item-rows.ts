/** The rows of an item and of its levels. */

import type { Item, Level } from '../../../ledger/model/stock.js';
import { confirmedAt } from '../../../ledger/model/values/freshness.js';
import type { InventoryPolicy, Lifecycle, OffSale } from '../../../ledger/model/values/observation.js';
import { skuKey } from '../../../ledger/model/values/text.js';
import type { LedgerMs } from '../../../ledger/model/values/units.js';
import type { ItemPut, LocationRow } from '../../../ledger/state/state.js';
import type { Statements } from './statements.js';

/** Columns in the order of ITEM_COLUMNS: as arrays, because naming so many fields costs more than finding the row. */
export type ItemRow = readonly [
  item_key: number,
  item_id: string,
  variant_id: string,
  sku: string,
  title: string,
  variant_title: string,
  lifecycle: Lifecycle,
  safety_stock_units: number,
  state_version: number,
  salt: string,
  stock_hash: string,
  as_of_ms: number,
  read_at_ms: number,
  micro_units_per_hour: number,
  velocity_at_ms: number,
  watched_since_ms: number,
  product_id: string,
  dirty_at_ms: number | null,
  inventory_policy: InventoryPolicy,
  short_micro_units_per_hour: number,
  off_sale: OffSale | null,
  given_sku: string | null,
];

/** Columns in the order of the statement `levels`. */
export type LevelRow = readonly [
  level_key: number,
  location_key: number,
  sellable_here: 0 | 1,
  upstream_available_units: number,
  upstream_on_hand_units: number | null,
  upstream_committed_units: number | null,
  held_units: number,
  mirrored_units: number,
  under_way_units: number,
  upstream_updated_at_ms: number | null,
  read_at_ms: number,
  doubted_units: number,
  guessed_units: number,
  unproven_units: number,
];

/**
 * `heartbeatMs`: when the heartbeat last heard that nothing is new. `doubtMs`: by how much more than ledger time says the
 * item may have aged since then.
 */
export function itemOf(
  row: ItemRow,
  { heartbeatMs, doubtMs }: { readonly heartbeatMs: LedgerMs; readonly doubtMs: (since: LedgerMs) => number },
  levels: readonly Level[],
): Item {
  const confirmed_ms = confirmedAt(row[12], heartbeatMs, row[17]);
  return {
    item_key: row[0],
    item_id: row[1],
    variant_id: row[2],
    sku: row[3],
    title: row[4],
    variant_title: row[5],
    lifecycle: row[6],
    safety_stock_units: row[7],
    state_version: row[8],
    salt: row[9],
    stock_hash: row[10],
    as_of_ms: row[11],
    read_at_ms: row[12],
    confirmed_at_ms: confirmed_ms - doubtMs(confirmed_ms),
    velocity: {
      micro_units_per_hour: row[13],
      short_micro_units_per_hour: row[19],
      at_ms: row[14],
      watched_since_ms: row[15],
    },
    product_id: row[16],
    dirty_at_ms: row[17],
    inventory_policy: row[18],
    off_sale: row[20],
    given_sku: row[21],
    levels,
  };
}

/**
 * `expiredUnits`: of reservations past their time, whether or not they have been swept. `routedUnits`: of orders that are being
 * moved there.
 */
export function levelOf(
  row: LevelRow,
  location: LocationRow,
  { expiredUnits, routedUnits }: { readonly expiredUnits: number; readonly routedUnits: number },
): Level {
  return {
    level_key: row[0],
    location_id: location.location_id,
    location_name: location.name,
    location_position: location.position,
    location_open: location.active,
    till_only: location.till_only ?? false,
    sellable_here: row[2] === 1,
    upstream_available_units: row[3],
    upstream_on_hand_units: row[4],
    upstream_committed_units: row[5],
    held_units: row[6],
    expired_units: expiredUnits,
    routed_units: routedUnits,
    mirrored_units: row[7],
    under_way_units: row[8],
    upstream_updated_at_ms: row[9],
    read_at_ms: row[10],
    doubted_units: row[11],
    guessed_units: row[12],
    unproven_units: row[13],
  };
}

export function putItem(sql: Statements, item: ItemPut): number {
  const { velocity } = item;
  const { item_key } = sql.put_item.get(
    item.item_id,
    item.variant_id,
    item.sku,
    item.title,
    item.variant_title,
    item.lifecycle,
    item.safety_stock_units,
    item.state_version,
    item.salt,
    item.stock_hash,
    item.as_of_ms,
    item.read_at_ms,
    velocity.micro_units_per_hour,
    velocity.at_ms,
    velocity.watched_since_ms,
    item.product_id,
    item.dirty_at_ms,
    item.inventory_policy,
    velocity.short_micro_units_per_hour,
    item.off_sale,
    item.given_sku,
    skuKey(item.sku),
  ) as { item_key: number };
  for (const level of item.levels) {
    sql.put_level.run(
      item_key,
      level.location_id,
      level.sellable_here ? 1 : 0,
      level.upstream_available_units,
      level.upstream_on_hand_units,
      level.upstream_committed_units,
      level.held_units,
      level.mirrored_units,
      level.under_way_units,
      level.upstream_updated_at_ms,
      level.read_at_ms,
      level.doubted_units,
      level.guessed_units,
      level.unproven_units,
    );
  }
  if (item.is_new_version) sql.put_version.run(item_key, item.state_version, item.stock_hash, item.as_of_ms);
  return item_key;
}
