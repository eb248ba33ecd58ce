/** The ledger's rows as the oracle sees them: by plain SQL, past all of the program's own code. */

import type { Statement } from '../../src/store/sqlite/database/driver.js';
import { plainDriver } from './disk.js';

export interface LevelRow {
  readonly level_key: number;
  readonly sku: string;
  readonly item_id: string;
  readonly location_id: string;
  readonly available: number;
  readonly held: number;
  readonly mirrored: number;
  readonly read_at_ms: number;
}

export interface ItemRow {
  readonly item_key: number;
  readonly sku: string;
  readonly state_version: number;
  readonly stock_hash: string;
  readonly read_at_ms: number;
  readonly dirty_at_ms: number | null;
}

export interface ReservationRow {
  readonly key: number;
  readonly id: string;
  readonly principal: string;
  readonly state: string;
  readonly lines: string;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly tag: string;
  readonly shop_state: string;
  readonly parked: number;
  readonly last_failure: string | null;
  readonly due_at_ms: number | null;
  readonly claimed_until_ms: number | null;
}

export interface HoldRow {
  readonly key: number;
  readonly level_key: number;
  readonly units: number;
  readonly state: string;
  readonly place: string;
  readonly awaits: string | null;
}

export interface OrderRow {
  readonly id: string;
  readonly key: number;
  readonly state: string;
  readonly verdict: string;
  readonly stock_hash: string;
  readonly placed_at_ms: number | null;
  readonly upstream_order_ref: string | null;
  /** JSON: what the shop's order has where that is not what was submitted. */
  readonly shop_lines: string | null;
}

export interface EntryRow {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  readonly reservation_key: number | null;
  readonly item_key: number | null;
  readonly data: string;
  readonly hash: Buffer;
}

export interface HeadRow {
  readonly last_at_ms: number;
  readonly journal_seq: number;
  readonly journal_hash: Buffer;
  readonly confirmed_at_ms: number;
}

/** Everything that a transaction may have changed. */
export interface Snapshot {
  readonly head: HeadRow;
  readonly levels: readonly LevelRow[];
  readonly items: readonly ItemRow[];
  readonly reservations: ReadonlyMap<number, ReservationRow>;
  readonly holds: readonly HoldRow[];
  readonly orders: ReadonlyMap<number, OrderRow>;
  /** Only those since the last snapshot. */
  readonly entries: readonly EntryRow[];
}

const SQL = {
  version: 'PRAGMA data_version',
  head: 'SELECT last_at_ms, journal_seq, journal_hash, confirmed_at_ms FROM ledger',
  levels: `SELECT level_key, sku, item_id, location_id, upstream_available_units AS available, held_units AS held,
    mirrored_units AS mirrored, levels.read_at_ms
    FROM levels JOIN items USING (item_key) JOIN locations USING (location_key) ORDER BY level_key`,
  items: 'SELECT item_key, sku, state_version, stock_hash, read_at_ms, dirty_at_ms FROM items',
  reservations: `SELECT reservation_key AS key, id, principal, state, lines, created_at_ms, expires_at_ms, tag, shop_state, parked, last_failure,
    due_at_ms, claimed_until_ms
    FROM reservations`,
  holds: 'SELECT reservation_key AS key, level_key, quantity_units AS units, state, place, awaits FROM holds',
  orders: `SELECT id, reservation_key AS key, state, hash_verdict AS verdict, stock_hash, placed_at_ms, upstream_order_ref, shop_lines
    FROM orders`,
  entries:
    'SELECT seq, at_ms, kind, reservation_key, item_key, data, hash FROM journal WHERE seq > ? ORDER BY seq',
} as const;

type Database = InstanceType<ReturnType<typeof plainDriver>>;
type Prepared = Record<keyof typeof SQL, Statement>;

export class Rows {
  readonly #db: Database;
  readonly #sql: Prepared;
  #version = -1;
  #seq = 0;

  constructor(path: string) {
    const Driver = plainDriver();
    this.#db = new Driver(path, { readonly: true });
    const prepared = Object.entries(SQL).map(([name, text]) => [name, this.#db.prepare(text)]);
    this.#sql = Object.fromEntries(prepared) as Prepared;
  }

  /** Null when nobody has committed anything since the last one. */
  changed(): Snapshot | null {
    const { data_version: version } = this.#sql.version.get() as { data_version: number };
    if (version === this.#version) return null;
    this.#version = version;
    const all = <T>(name: keyof typeof SQL, ...args: unknown[]): T[] => this.#sql[name].all(...args) as T[];
    const [head] = all<HeadRow>('head');
    if (head === undefined) return null;
    const entries = all<EntryRow>('entries', this.#seq);
    this.#seq = entries.at(-1)?.seq ?? this.#seq;
    return {
      head,
      levels: all('levels'),
      items: all('items'),
      reservations: new Map(all<ReservationRow>('reservations').map((row) => [row.key, row])),
      holds: all('holds'),
      orders: new Map(all<OrderRow>('orders').map((row) => [row.key, row])),
      entries,
    };
  }

  close(): void {
    this.#db.close();
  }
}

/** Units by SKU of a reservation: [sku, requested, reserved, …] a line. */
export function unitsOf({ lines }: ReservationRow): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const [sku, , reserved] of JSON.parse(lines) as [string, number, number][]) {
    if (reserved > 0) units.set(sku, (units.get(sku) ?? 0) + reserved);
  }
  return units;
}
