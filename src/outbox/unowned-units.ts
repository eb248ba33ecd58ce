/**
 * Finds units that the shop keeps reserved for no row of the ledger (a ledger that was put back to an older copy does not know
 * of later moves), and gives them back when a person says so. Never by itself: they may be another app's.
 */

import type { StockMove } from '../ledger/model/stock-transfer.js';
import { nameUuid } from '../ledger/model/values/stock-hash.js';
import { findUnowned, type UnownedUnits } from '../ledger/model/values/unowned-units.js';
import type { Store } from '../ledger/state/state.js';
import { type OrderSink, READ_ITEMS_MAX, type ReservedSource } from '../sources/source.js';

export interface UnownedPorts {
  readonly store: Store;
  readonly source: ReservedSource;
  readonly sink: Pick<OrderSink, 'moveStock'>;
  readonly rereadItems: (itemIds: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Nothing may be written to the shop. */
  readonly read_only: boolean;
  /** Unlike any other. */
  readonly makeKey: () => string;
}

export type Returned =
  | { readonly ok: true; readonly level: UnownedUnits; readonly returned_units: number }
  | {
      readonly ok: false;
      readonly code:
        | 'read_only'
        | 'id_malformed'
        | 'nothing_unowned'
        | 'too_many'
        | 'not_moved'
        | 'unknown_outcome';
      readonly message: string;
    };

export class UnownedStock {
  readonly #ports: UnownedPorts;

  constructor(ports: UnownedPorts) {
    this.#ports = ports;
  }

  /** All levels with such units, of every item that the ledger knows. Throws UpstreamError. */
  async list(signal: AbortSignal): Promise<UnownedUnits[]> {
    const { store } = this.#ports;
    const found: UnownedUnits[] = [];
    for (let after = 0; !signal.aborted; ) {
      const items = await store.itemsNotReadSince(Number.MAX_SAFE_INTEGER, after, READ_ITEMS_MAX);
      const last = items.at(-1);
      if (last === undefined) break;
      found.push(
        ...(await this.#look(
          items.map(({ item_id }) => item_id),
          signal,
        )),
      );
      after = last.item_key;
    }
    return found;
  }

  /**
   * Gives units of a level back to what can be sold, on a person's word. `units`: null for all that nobody owns. The figure is read
   * anew, so that saying it twice gives nothing back twice. Throws UpstreamError of reads.
   */
  async giveBack(id: string, units: number | null, by: string, signal: AbortSignal): Promise<Returned> {
    const { sink, rereadItems, read_only } = this.#ports;
    if (read_only) return READ_ONLY;
    const itemId = LEVEL_ID.exec(id)?.[1];
    if (itemId === undefined) return MALFORMED;
    const level = (await this.#look([itemId], signal)).find((one) => one.id === id);
    if (level === undefined) return NOTHING;
    const quantity_units = units ?? level.unowned_units;
    if (quantity_units > level.unowned_units) return tooMany(level);
    const move = this.#buildTransfer(level, quantity_units);
    await this.#note('holds.returning', { id, units: quantity_units, move: move.key, by });
    const outcome = await sink.moveStock(move, signal);
    if (outcome.outcome === 'unknown') return UNKNOWN;
    if (outcome.outcome !== 'done')
      return { ok: false, code: 'not_moved', message: `The shop did not move them: ${outcome.detail}` };
    await this.#note('holds.returned', { id, units: quantity_units, move: move.key, by });
    await rereadItems([itemId], signal);
    return { ok: true, level, returned_units: quantity_units };
  }

  async #look(itemIds: readonly string[], signal: AbortSignal): Promise<UnownedUnits[]> {
    const { store, source } = this.#ports;
    const before = await store.movedUnits();
    const reserved = await source.readReserved(itemIds, signal);
    return findUnowned(reserved, before, await store.movedUnits());
  }

  #buildTransfer({ id, item_id, location_id }: UnownedUnits, quantity_units: number): StockMove {
    const key = nameUuid(`return/${id}/${this.#ports.makeKey()}`);
    const changes = [{ item_id, location_id, quantity_units, available_units: null }];
    return { key, attempt: 1, direction: 'back', reservation_id: 'returned-by-hand', changes };
  }

  async #note(
    kind: 'holds.returning' | 'holds.returned',
    data: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    await this.#ports.store.transact({}, () => ({ result: null, changes: { journal: [{ kind, data }] } }));
  }
}

/** See `makeLevelId`. */
const LEVEL_ID = /^(\d+)@\d+$/u;

const READ_ONLY = {
  ok: false,
  code: 'read_only',
  message: 'HOLDFAST_READ_ONLY is on, so nothing is written to the shop. Run this command without it.',
} as const;

const MALFORMED = {
  ok: false,
  code: 'id_malformed',
  message: 'The id wants the form that holdfast holds prints: two numbers with an @ between, like 4012@8160.',
} as const;

const NOTHING = {
  ok: false,
  code: 'nothing_unowned',
  message:
    'The shop keeps nothing reserved there that no reservation owns. holdfast holds lists what there is; a level with a move under way is listed when that is over.',
} as const;

const UNKNOWN = {
  ok: false,
  code: 'unknown_outcome',
  message:
    'The shop’s answer was lost, and it may still act on the request. Wait ten minutes, then run holdfast holds: it shows whether the units are back.',
} as const;

function tooMany({ unowned_units }: UnownedUnits): Returned {
  return { ok: false, code: 'too_many', message: `Only ${unowned_units} of them belong to nobody.` };
}
