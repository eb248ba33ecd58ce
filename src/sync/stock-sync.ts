/**
 * Keeps the ledger in step with the shop: the first full read, the heartbeat, and re-reads on demand. Figures
 * enter only through `decideApplyReport`, stamped with the ledger time at which their read began.
 */

import type { ItemObservation, LevelObservation } from '../ledger/observation.js';
import type {
  Clock,
  Ids,
  LedgerSettings,
  LocationRow,
  StockFreshener,
  Store,
  SyncState,
} from '../ledger/ports.js';
import { decideApplyReport, type ReportResult, type StockReport } from '../ledger/report.js';
import { READ_ITEMS_MAX, type StockSource, UpstreamError } from '../upstream/upstream.js';

export interface StockSyncPorts {
  readonly store: Store;
  readonly source: StockSource;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: LedgerSettings;
  /** Where what went wrong is told. `detail` may come from outside: for the log only. */
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Unique per process: who holds the lease of the heartbeat. */
  readonly worker: string;
  readonly limits: StockSyncLimits;
}

export interface StockSyncLimits {
  readonly lease_ms: number;
  /** Everything is read in full again after so long: what the shop's search never showed, a heartbeat does not see. */
  readonly resync_after_ms: number;
  /** One heartbeat or one page at most. */
  readonly call_ms: number;
  /** Items that the full read did not see, looked at again in groups of this size. */
  readonly unseen_batch: number;
}

const LEASE = 'sync';

export class StockSync implements StockFreshener {
  readonly #ports: StockSyncPorts;
  /** Re-reads under way, by SKU: a crowd that asks for one stale SKU makes one call. */
  readonly #freshening = new Map<string, Promise<boolean>>();

  constructor(ports: StockSyncPorts) {
    this.#ports = ports;
  }

  /** One heartbeat, or the first full read. Does nothing while another process has the lease. */
  async beat(signal: AbortSignal): Promise<void> {
    const { store, clock, worker, limits } = this.#ports;
    if (!(await store.lease(LEASE, worker, limits.lease_ms))) return;
    await this.#readLocations(signal);
    const sync = await store.read({}, (state) => state.sync);
    const { baseline_at_ms, cursor } = sync;
    const isDue = baseline_at_ms === null || clock.now() - baseline_at_ms > limits.resync_after_ms;
    if (isDue || cursor === null) await this.readAll(signal);
    else await this.#readChanges(sync, cursor, signal);
  }

  /** The whole catalogue, page by page. Answers are served meanwhile, and say how old they are. */
  async readAll(signal: AbortSignal): Promise<number> {
    const { store, source, clock, worker, limits } = this.#ports;
    const began_ms = clock.now();
    await this.#readLocations(signal);
    const cursor = await source.cursorNow(signal);
    let items = 0;
    let page_began_ms = clock.now();
    for await (const page of source.catalogue(signal)) {
      await this.#applyItems(page.items, page_began_ms);
      items += page.items.length;
      await store.lease(LEASE, worker, limits.lease_ms);
      page_began_ms = clock.now();
    }
    await this.#readUnseen(began_ms, signal);
    await store.putSync({ baseline_at_ms: clock.now(), confirmed_at_ms: began_ms, cursor });
    return items;
  }

  /** Re-reads items by upstream id, with all of their levels. An item that the shop no longer knows is discontinued. */
  async rereadItems(itemIds: readonly string[], signal: AbortSignal): Promise<void> {
    const { source, clock } = this.#ports;
    for (let at = 0; at < itemIds.length; at += READ_ITEMS_MAX) {
      const ids = itemIds.slice(at, at + READ_ITEMS_MAX);
      const read_at_ms = clock.now();
      const items = await source.readItems(ids, signal);
      await this.#applyItems(items, read_at_ms);
      const gone = ids.filter((id) => !items.some((item) => item.item_id === id));
      await Promise.all(gone.map((id) => this.#applyGone(id, read_at_ms)));
    }
  }

  async freshen(skus: readonly string[], deadlineMs: number): Promise<boolean> {
    const waits = skus.filter((sku) => !this.#freshening.has(sku));
    if (waits.length > 0) {
      const reading = this.#readSkus(waits, AbortSignal.timeout(deadlineMs)).finally(() => {
        for (const sku of waits) this.#freshening.delete(sku);
      });
      for (const sku of waits) this.#freshening.set(sku, reading);
    }
    const done = await Promise.all(skus.map((sku) => this.#freshening.get(sku)));
    return done.every((ok) => ok === true);
  }

  /** Gives up the lease, so that another process need not wait for it to end. */
  async close(): Promise<void> {
    await this.#ports.store.releaseLease(LEASE, this.#ports.worker);
  }

  async #readSkus(skus: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { store, source, clock, report } = this.#ports;
    try {
      const known = await store.read({ skus }, (state) =>
        skus.flatMap((sku) => state.items.get(sku)?.item_id ?? []),
      );
      const unknown = await store.read({ skus }, (state) => skus.filter((sku) => !state.items.has(sku)));
      if (known.length > 0) await this.rereadItems(known, signal);
      if (unknown.length > 0) {
        // Those of a shop that is quite new to us; changes of them are the heartbeat's business.
        const isNew = await store.read({}, (state) => state.locations.size === 0);
        if (isNew) await this.#readLocations(signal);
        const read_at_ms = clock.now();
        await this.#applyItems(await source.findBySku(unknown, signal), read_at_ms);
      }
      return true;
    } catch (error) {
      report('freshen_failed', describe(error));
      return false;
    }
  }

  async #readChanges(sync: SyncState, cursor: string, signal: AbortSignal): Promise<void> {
    const { store, source, clock, limits } = this.#ports;
    const began_ms = clock.now();
    const changes = await source.changesSince(cursor, within(signal, limits.call_ms));
    await this.#applyItems(changes.items, began_ms);
    const seen = new Set(changes.items.map((item) => item.item_id));
    const rest = changes.levels.filter((level) => !seen.has(level.item_id));
    const unknown = await this.#applyLevels(rest, began_ms);
    if (unknown.length > 0) await this.rereadItems(unknown, signal);
    // Only now: a heartbeat that could not be applied whole confirms nothing.
    const { baseline_at_ms } = sync;
    await store.putSync({ baseline_at_ms, confirmed_at_ms: began_ms, cursor: changes.cursor });
  }

  /**
   * A location that opened, closed or moved changes what every level there is worth, so all of them have to be read
   * again. That is written down before the change itself: a full read that fails, or a crash, must not lose it.
   */
  async #readLocations(signal: AbortSignal): Promise<void> {
    const { store, source, limits } = this.#ports;
    const observed = await source.locations(within(signal, limits.call_ms));
    const locations = observed.map((location, position) => ({ ...location, position }));
    const lost = await store.read({}, ({ sync, locations: known }) => {
      const same = locations.length === known.size && locations.every((row) => isSame(row, known));
      return same ? null : { baseline_at_ms: sync.baseline_at_ms, confirmed_at_ms: sync.confirmed_at_ms };
    });
    if (lost !== null) await store.putSync({ ...lost, cursor: null });
    await store.putLocations(locations);
  }

  /** Items that the ledger knows and the full read did not bring: deleted at the shop, or moved between pages. */
  async #readUnseen(began_ms: number, signal: AbortSignal): Promise<void> {
    const { store, limits } = this.#ports;
    for (;;) {
      const unseen = await store.itemsNotReadSince(began_ms, limits.unseen_batch);
      if (unseen.length === 0) return;
      await this.rereadItems(unseen, signal);
    }
  }

  async #applyItems(items: readonly ItemObservation[], readAt: number): Promise<void> {
    const results = await Promise.all(
      items.map(({ levels, ...catalogue }) =>
        this.#apply({ item_id: catalogue.item_id, catalogue, levels, is_complete: true, read_at_ms: readAt }),
      ),
    );
    for (const [index, result] of results.entries()) {
      if (!result.applied) throw new UpstreamError('protocol', 'a level at an unlisted location');
      const item = items[index];
      if (item !== undefined && item.sku !== result.sku) await this.#takeOverSku(item, readAt);
    }
  }

  /**
   * A product that was deleted or archived and made anew has the same SKU under another id: agents mean the one
   * that is sold. A SKU that two items sell stays with the first.
   */
  async #takeOverSku(item: ItemObservation, readAt: number): Promise<void> {
    const { store, clock } = this.#ports;
    const { sku, levels, ...rest } = item;
    if (sku === null || item.lifecycle === 'discontinued') return;
    const holder = await store.read({ skus: [sku] }, (state) => state.items.get(sku));
    if (holder?.lifecycle !== 'discontinued' || holder.item_id === item.item_id) return;
    const { item_id, variant_id, product_id, title, variant_title, lifecycle } = holder;
    const nameless = { item_id, variant_id, product_id, title, variant_title, lifecycle, sku: null };
    const levelsAsTheyAre = { levels: [], is_complete: false };
    await this.#apply({ item_id, catalogue: nameless, ...levelsAsTheyAre, read_at_ms: clock.now() });
    const { item_id: id } = item;
    await this.#apply({
      item_id: id,
      catalogue: { ...rest, sku },
      levels,
      is_complete: true,
      read_at_ms: readAt,
    });
  }

  /** Returns the items that the ledger does not know. */
  async #applyLevels(levels: readonly LevelObservation[], readAt: number): Promise<string[]> {
    const results = await Promise.all(
      [...groupByItem(levels)].map(async ([item_id, own]) => ({
        item_id,
        result: await this.#apply({
          item_id,
          catalogue: null,
          levels: own,
          is_complete: false,
          read_at_ms: readAt,
        }),
      })),
    );
    return results.filter(({ result }) => !result.applied).map(({ item_id }) => item_id);
  }

  async #applyGone(itemId: string, readAt: number): Promise<void> {
    const known = await this.#ports.store.read({ item_ids: [itemId] }, (state) =>
      state.items_by_id.get(itemId),
    );
    if (known === undefined) return;
    const { variant_id, product_id, sku, title, variant_title } = known;
    const names = { item_id: itemId, variant_id, product_id, sku, title, variant_title };
    const catalogue = { ...names, lifecycle: 'discontinued' as const };
    await this.#apply({ item_id: itemId, catalogue, levels: [], is_complete: true, read_at_ms: readAt });
  }

  #apply(report: Omit<StockReport, 'salt'>): Promise<ReportResult> {
    const { store, ids, settings } = this.#ports;
    const salt = ids.salt();
    const sku = report.catalogue?.sku;
    const keys = {
      item_ids: [report.item_id],
      ...(sku === null || sku === undefined ? {} : { skus: [sku] }),
    };
    return store.transact(keys, (state) => decideApplyReport(state, { ...report, salt }, settings));
  }
}

function isSame(row: LocationRow, known: ReadonlyMap<string, LocationRow>): boolean {
  const before = known.get(row.location_id);
  return before !== undefined && before.position === row.position && before.active === row.active;
}

function groupByItem(levels: readonly LevelObservation[]): Map<string, LevelObservation[]> {
  const byItem = new Map<string, LevelObservation[]>();
  for (const level of levels) {
    const own = byItem.get(level.item_id);
    if (own === undefined) byItem.set(level.item_id, [level]);
    else own.push(level);
  }
  return byItem;
}

function within(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

function describe(error: unknown): Record<string, unknown> {
  if (error instanceof UpstreamError) return { failure: error.failure, detail: error.detail };
  return { failure: 'unexpected', detail: String(error) };
}
