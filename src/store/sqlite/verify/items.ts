/** Proves of every item that its checksum is that of its state, and that its state is the journaled one. */

import type { Lifecycle } from '../../../ledger/model/values/observation.js';
import { type StockSnapshot, stockHash } from '../../../ledger/model/values/stock-hash.js';
import type { Database } from '../database/driver.js';
import { type Findings, PROGRESS_EVERY, type Progress, parseJson } from './findings.js';

interface ItemRow {
  readonly item_key: number;
  readonly sku: string;
  readonly lifecycle: Lifecycle;
  readonly variant_id: string;
  readonly inventory_policy: 'deny' | 'continue';
  readonly state_version: number;
  readonly salt: string;
  readonly stock_hash: string;
  readonly as_of_ms: number;
  readonly newest_version: number | null;
  readonly newest_hash: string | null;
  readonly newest_as_of_ms: number | null;
  readonly told: string | null;
}

interface LevelRow {
  readonly item_key: number;
  readonly location_id: string;
  readonly upstream_available_units: number;
}

/** What the last journal entry of an item tells of it. */
interface Told {
  readonly state_version: number;
  readonly stock_hash: string;
  readonly sku: string;
  readonly lifecycle: string;
  /** Entries of older versions have neither this nor a policy. */
  readonly variant_id?: string;
  /** Left out where the shop sells nothing below zero. */
  readonly policy?: 'continue';
  /** Location, what the shop has available there, held, mirrored, under way. */
  readonly levels: readonly (readonly [string, number, number, number, number])[];
}

/** L5: every checksum that can be matched is that of the state it stands for. L6: and that state is the journaled one. */
export function checkItems(db: Database, shop: string, found: Findings, progress: Progress): number {
  const items = db
    .prepare(
      `SELECT items.item_key AS item_key, sku, lifecycle, variant_id, inventory_policy, items.state_version AS state_version, salt,
         items.stock_hash AS stock_hash, items.as_of_ms AS as_of_ms, newest.state_version AS newest_version,
         newest.stock_hash AS newest_hash, newest.as_of_ms AS newest_as_of_ms,
         (SELECT data FROM journal WHERE journal.item_key = items.item_key AND journal.kind NOT IN ('stock.jumped', 'stock.rise_withheld', 'stock.rise_settled')
           ORDER BY seq DESC LIMIT 1) AS told
       FROM items LEFT JOIN stock_versions AS newest ON newest.item_key = items.item_key
         AND newest.state_version = (SELECT max(state_version) FROM stock_versions AS v WHERE v.item_key = items.item_key)
       ORDER BY items.item_key`,
    )
    .iterate() as IterableIterator<ItemRow>;
  const sellableLevels = db.prepare(
    `SELECT item_key, location_id, upstream_available_units FROM levels
     JOIN locations ON locations.location_key = levels.location_key WHERE item_key = ? AND sellable_here = 1`,
  );
  let count = 0;
  for (const item of items) {
    count += 1;
    if (count % PROGRESS_EVERY === 0) progress('stock', count);
    checkItem(item, sellableLevels.all(item.item_key) as LevelRow[], shop, found);
  }
  progress('stock', count);
  return count;
}

/** L6: what is withheld of a level that rose implausibly is what the journal says last. */
export function checkRises(db: Database, found: Findings): void {
  const rows = db
    .prepare(
      `WITH told AS (
         SELECT item_key, json_extract(data, '$.location_id') AS location_id, json_extract(data, '$.withheld_units') AS units, max(seq)
         FROM journal WHERE kind IN ('stock.rise_withheld', 'stock.rise_settled') GROUP BY 1, 2
       )
       SELECT levels.item_key AS item_key, locations.location_id AS location_id, unproven_units, coalesce(told.units, 0) AS told_units
       FROM levels JOIN locations ON locations.location_key = levels.location_key
       LEFT JOIN told ON told.item_key = levels.item_key AND told.location_id = locations.location_id
       WHERE unproven_units <> coalesce(told.units, 0)`,
    )
    .iterate() as IterableIterator<{
    item_key: number;
    location_id: string;
    unproven_units: number;
    told_units: number;
  }>;
  for (const { item_key, location_id, unproven_units, told_units } of rows)
    found.add(
      'L6',
      `${unproven_units} units of item ${item_key} are withheld at location ${location_id}, but the journal says ${told_units}`,
    );
}

function checkItem(item: ItemRow, levels: readonly LevelRow[], shop: string, found: Findings): void {
  const { item_key, sku, lifecycle, state_version, salt, stock_hash, as_of_ms } = item;
  if (
    item.newest_version !== state_version ||
    item.newest_hash !== stock_hash ||
    item.newest_as_of_ms !== as_of_ms
  )
    found.add('L5', `the newest remembered checksum of item ${item_key} is not its own`);
  const told = parseTold(item.told);
  if (told === null || told.state_version !== state_version || told.stock_hash !== stock_hash) {
    found.add('L6', `the journal's last word on item ${item_key} is not its version ${state_version}`);
    return;
  }
  if (told.sku !== sku || told.lifecycle !== lifecycle)
    found.add(
      'L6',
      `item ${item_key} is ${sku} and ${lifecycle}, but the journal says ${told.sku} and ${told.lifecycle}`,
    );
  if (told.variant_id !== undefined && told.variant_id !== item.variant_id)
    found.add(
      'L6',
      `item ${item_key} is sold as variant ${item.variant_id}, but the journal says as ${told.variant_id}`,
    );
  if (told.variant_id !== undefined && (told.policy ?? 'deny') !== item.inventory_policy)
    found.add('L6', `the shop's policy for item ${item_key} below zero is another than the journal says`);
  const figures = new Map(
    told.levels.map(([location, available, , mirrored, underWay]) => [
      location,
      { available, ours: mirrored + underWay },
    ]),
  );
  const locations: { id: string; sellable: number }[] = [];
  for (const { location_id, upstream_available_units } of levels) {
    const figure = figures.get(location_id);
    if (figure?.available !== upstream_available_units)
      found.add('L6', `item ${item_key} has another figure at location ${location_id} than the journal says`);
    // As mirrored when the shop was read: a hold that the shop drops later counts on our side at once, and only
    // the next report makes that a new state.
    locations.push({ id: location_id, sellable: upstream_available_units + (figure?.ours ?? 0) });
  }
  const snapshot: StockSnapshot = { shop, sku, state_version, lifecycle, locations, as_of: as_of_ms, salt };
  if (stockHash(snapshot) !== stock_hash)
    found.add('L5', `the checksum of item ${item_key} is not that of its state`);
}

function parseTold(data: string | null): Told | null {
  const told = parseJson<Told>(data);
  return Array.isArray(told?.levels) ? told : null;
}
