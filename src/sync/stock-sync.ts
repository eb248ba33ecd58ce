/**
 * Keeps the ledger in step with the shop: the first full read, the heartbeat, and re-reads on demand. Figures
 * enter only through `decideApplyReport`, stamped with the ledger time at which their read began.
 */

import { Loop } from '../jobs/loop.js';
import type { Jump, ReconcileReport } from '../ledger/model/drift-report.js';
import type { ItemObservation, LevelObservation } from '../ledger/model/values/observation.js';
import { cleanText, LOCATION_NAME_MAX_CHARS } from '../ledger/model/values/text.js';
import type {
  Clock,
  FoundItem,
  Ids,
  LedgerSettings,
  LocationRow,
  ShopSearch,
  ShopSearcher,
  StockFreshener,
  Store,
  SyncState,
} from '../ledger/state/state.js';
import { decideApplyReport, type ReportResult, type StockReport } from '../ledger/stock/apply-report.js';
import { decideReconciled } from '../ledger/stock/drift.js';
import type { Rise } from '../ledger/stock/rise.js';
import { ReadBatch } from '../sources/read-batch.js';
import { type CataloguePage, READ_ITEMS_MAX, type StockSource, UpstreamError } from '../sources/source.js';
import { DriftTally } from './drift-collector.js';
import { findChangedListings, ListingSchedule } from './listing-check.js';
import { eachWithin, PageTooLate } from './page-limit.js';

export interface StockSyncPorts {
  readonly store: Store;
  readonly source: StockSource;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: LedgerSettings;
  /** Called after a commit that made rows of the outbox due: a hint, they are found without it. */
  readonly onDue?: () => void;
  /** Where what went wrong is told. `detail` may come from outside: for the log only. */
  readonly report: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Hears of what went well and happens seldom. */
  readonly note?: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Unique per process: who holds the lease of the heartbeat. */
  readonly worker: string;
  readonly limits: StockSyncLimits;
}

export interface StockSyncLimits {
  readonly lease_ms: number;
  /** Everything is read in full again after so long: what the shop's search never showed, a heartbeat does not see. */
  readonly resync_after_ms: number;
  /** The flags of all listings are read again after so long: not all of their changes move a time at the shop. */
  readonly listings_ms: number;
  /** One page at most. */
  readonly call_ms: number;
  /** Items of one page that are taken over at once. */
  readonly apply_max: number;
  /** Items that the full read did not see, looked at again in groups of this size. */
  readonly unseen_batch: number;
  /** While a full read runs, heartbeats go on, this far apart. Shorter than the lease. */
  readonly pulse_ms: number;
  /** Reads that calls of agents wait for, under way at once. What is asked for meanwhile is read together next. */
  readonly on_demand_reads: number;
  /** Differing levels, and differing items, that the record of a reconciliation lists; it counts all. */
  readonly drift_rows_max: number;
}

export interface FullReadOptions {
  readonly onProgress?: (progress: FullReadProgress) => void;
}

export interface FullReadProgress {
  readonly items_read: number;
  /** By the shop's own count; null when it does not say. */
  readonly items_total: number | null;
}

/** `another_process` has the lease: it keeps the ledger in step, and reads in full when that is due. */
export type Reconciled =
  | { readonly done: true; readonly report: ReconcileReport }
  | { readonly done: false; readonly why: 'another_process' };

const LEASE = 'sync';

/** Another process has taken over: what this one has read so far is in the ledger, the rest is that one's business. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export class StockSync implements StockFreshener, ShopSearcher {
  readonly #ports: StockSyncPorts;
  /** Re-reads under way, by SKU: a crowd that asks for one stale SKU makes one call. */
  readonly #freshening = new Map<string, Promise<boolean>>();
  /** And a crowd that asks for many makes few. */
  readonly #onDemand: ReadBatch;
  /** The same for the outbox, which works on several reservations at once. */
  readonly #together: ReadBatch;
  readonly #listings: ListingSchedule;
  /** Variants that the last full read was short of: a shop that never shows them is not read twice each time. */
  #missing_variants = 0;

  constructor(ports: StockSyncPorts) {
    this.#ports = ports;
    this.#listings = new ListingSchedule(ports.clock, ports.limits.listings_ms);
    const { settings, limits } = ports;
    this.#onDemand = new ReadBatch({
      read: (itemIds) => this.rereadItems(itemIds, AbortSignal.timeout(settings.freshen_wait_ms)),
      size_max: READ_ITEMS_MAX,
      concurrency: limits.on_demand_reads,
    });
    this.#together = new ReadBatch({
      read: (itemIds) => this.rereadItems(itemIds, AbortSignal.timeout(limits.call_ms)),
      size_max: READ_ITEMS_MAX,
      concurrency: limits.on_demand_reads,
    });
  }

  /**
   * One heartbeat, or the first full read, or the reconciliation when that is due. While another process has the lease it only
   * hears once what time it is at the shop: the ledger may be a copy that was put back, and this machine's clock wrong. A heartbeat
   * that can't be caught up with becomes a full read at once.
   */
  async beat(signal: AbortSignal): Promise<void> {
    const { store, source, clock, limits } = this.#ports;
    if (!(await this.#renewLease())) {
      await source.hearTime(within(signal, limits.call_ms));
      return;
    }
    await this.#readLocations(signal);
    await this.#followPublication(signal);
    const sync = await store.read({}, (state) => state.sync);
    const { baseline_at_ms, cursor } = sync;
    await this.#settleRises(signal);
    const isDue = baseline_at_ms === null || clock.now() - baseline_at_ms > limits.resync_after_ms;
    if (isDue || cursor === null) {
      await this.reconcile(signal);
      return;
    }
    let isWhole = false;
    try {
      isWhole = await this.#readChanges(sync, cursor, signal);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      if (!(await this.#isGivenUp(error))) throw error;
    }
    if (isWhole) await this.#checkListings(signal);
    else await this.readAll(signal);
  }

  /**
   * Compares the whole shop with the ledger, which takes its figures over, and puts on record what differed. A
   * heartbeat comes first: what is found then is what heartbeats do not see.
   */
  async reconcile(signal: AbortSignal, options: FullReadOptions = {}): Promise<Reconciled> {
    if (!(await this.#renewLease())) return NOT_OURS;
    try {
      await this.#beatIfPossible(signal);
    } catch (error) {
      if (error instanceof LeaseLost) return NOT_OURS;
      if (!(error instanceof UpstreamError)) throw error;
      if (!(await this.#isGivenUp(error))) this.#ports.report('heartbeat_failed', describe(error));
    }
    return this.readAll(signal, options);
  }

  /**
   * The whole catalogue, in pages or in bulk. Answers are served meanwhile, and say how old they are; heartbeats go on.
   * Throws UpstreamError, and has then confirmed nothing.
   */
  async readAll(signal: AbortSignal, options: FullReadOptions = {}): Promise<Reconciled> {
    const { store, source, clock, limits, report } = this.#ports;
    if (!(await this.#renewLease())) return NOT_OURS;
    const began_at_ms = clock.now();
    const listings_began_ms = this.#listings.now_ms;
    await this.#readLocations(signal);
    const before = await store.read({}, ({ sync, locations }) => ({ ...sync, locations }));
    const cursor = await source.cursorNow(within(signal, limits.call_ms));
    const is_first = before.baseline_at_ms === null;
    const tally = new DriftTally({ began_at_ms, is_first, rows_max: limits.drift_rows_max });
    const isWhole = await this.#whileLeased(signal, async (leased) => {
      await this.#readConfirmed(tally, leased, options);
      await this.#readUnseen(began_at_ms, leased, tally);
    });
    if (!isWhole) return NOT_OURS;
    this.#listings.done(listings_began_ms);
    const found = tally.report(clock.now());
    await store.transact({}, () => decideReconciled(found));
    await this.#putBaseline(before, { confirmed_at_ms: began_at_ms, cursor });
    if (is_first) {
      const seconds = Math.round((clock.now() - began_at_ms) / 1_000);
      this.#ports.note?.('first_read_done', {
        items: found.items_read,
        levels: found.levels_compared,
        seconds,
      });
    }
    if (found.drift_total + found.catalogue_drift_total > 0) report('drift', driftDetail(found));
    return { done: true, report: found };
  }

  /**
   * Re-reads items by upstream id, with all of their levels. An item that the shop no longer knows is discontinued. Throws
   * UpstreamError, also when one of them can't be taken over.
   */
  async rereadItems(itemIds: readonly string[], signal: AbortSignal): Promise<void> {
    for (const ids of chunks(itemIds, READ_ITEMS_MAX)) {
      if ((await this.#reread(ids, signal, null)).length > 0) throw unlisted();
    }
  }

  /** The same, in one call with what others ask for at the same time: a read that begins now or later. */
  async rereadTogether(itemIds: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#together.read(itemIds, signal);
  }

  /** When one of them has changed, the next heartbeat reads everything again. */
  async rereadLocations(signal: AbortSignal): Promise<void> {
    await this.#readLocations(signal);
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

  async search({ query, limit }: ShopSearch, deadlineMs: number): Promise<readonly FoundItem[] | null> {
    const { store, source, clock, report } = this.#ports;
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      await this.#readFirstLocations(signal);
      const read_at_ms = clock.now();
      const items = await source.findByWords(query, limit, signal);
      const unplaced = await this.#applyItems(items, read_at_ms);
      if (unplaced.length > 0) throw unlisted();
      const item_ids = items.map(({ item_id }) => item_id);
      return await store.read({ item_ids }, ({ items_by_id }) =>
        item_ids.flatMap((item_id) => {
          const item = items_by_id.get(item_id);
          if (item?.lifecycle !== 'active') return [];
          return [{ sku: item.sku, title: item.title, variant: item.variant_title }];
        }),
      );
    } catch (error) {
      report('search_failed', describe(error));
      return null;
    }
  }

  /** Gives up the lease, so that another process need not wait for it to end. */
  async close(): Promise<void> {
    await this.#ports.store.releaseLease(LEASE, this.#ports.worker);
  }

  #renewLease(): Promise<boolean> {
    const { store, worker, limits } = this.#ports;
    return store.lease(LEASE, worker, limits.lease_ms);
  }

  /** Between two steps of something long. */
  async #keepLease(): Promise<void> {
    if (!(await this.#renewLease())) throw new LeaseLost('another process has it');
  }

  /**
   * Whether heartbeats will never get past this: more has changed than the shop can tell of, or than we wait for. Then all
   * is marked to be read again, in full and with a new cursor.
   */
  async #isGivenUp(error: unknown): Promise<boolean> {
    const { store, report } = this.#ports;
    if (!(error instanceof UpstreamError)) return false;
    if (error.failure !== 'protocol' && !(error instanceof PageTooLate)) return false;
    report('heartbeat_given_up', describe(error));
    const sync = await store.read({}, (state) => state.sync);
    await store.putSync({ ...sync, cursor: null });
    return true;
  }

  /**
   * After a full read. Heartbeats that went on beside it are further than the cursor from its start; whoever has marked
   * everything to be read again meanwhile is heard. The cursor only ever replaces the one that was looked at.
   */
  async #putBaseline(
    before: SyncState & { readonly locations: ReadonlyMap<string, LocationRow> },
    { confirmed_at_ms, cursor }: Pick<SyncState, 'confirmed_at_ms' | 'cursor'>,
  ): Promise<void> {
    const { store, clock } = this.#ports;
    for (let isPut = false; !isPut; ) {
      const now = await store.read({}, (state) => state.sync);
      const next = now.cursor === before.cursor ? cursor : now.cursor;
      const sync = { baseline_at_ms: clock.now(), confirmed_at_ms, cursor: next };
      isPut = await store.putSync(sync, { cursor: now.cursor });
    }
    // Only now: a change that came after this look has set its own mark, and that one stays.
    const after = await store.read({}, ({ sync, locations }) => ({ sync, locations }));
    if (!isSameList([...after.locations.values()], before.locations))
      await store.putSync({ ...after.sync, cursor: null });
  }

  /**
   * Does something long while the lease is renewed and heartbeats go on. False when another process has taken over,
   * which ends the work. A process that was suspended learns of it at the latest with the next page.
   */
  async #whileLeased(signal: AbortSignal, work: (leased: AbortSignal) => Promise<void>): Promise<boolean> {
    const lost = new AbortController();
    const leased = AbortSignal.any([signal, lost.signal]);
    const pulse = this.#pulse(leased, lost);
    pulse.start();
    try {
      await work(leased);
      return !lost.signal.aborted;
    } catch (error) {
      if (error instanceof LeaseLost || lost.signal.aborted) return false;
      throw error;
    } finally {
      await pulse.stop();
    }
  }

  #pulse(leased: AbortSignal, lost: AbortController): Loop {
    const { limits, report } = this.#ports;
    let isFirst = true;
    return new Loop({
      name: 'pulse',
      interval_ms: limits.pulse_ms,
      run: async (signal) => {
        // A heartbeat has just been.
        if (!isFirst) {
          await this.#keepLease();
          await this.#beatIfPossible(signal);
        }
        isFirst = false;
      },
      onError: (error) => {
        if (error instanceof LeaseLost) lost.abort(error);
        else if (!leased.aborted) report('heartbeat_failed', describe(error));
      },
    });
  }

  /** A heartbeat, unless there is nothing yet that it could go on from: then all has to be read first. */
  async #beatIfPossible(signal: AbortSignal): Promise<void> {
    const { store } = this.#ports;
    const canBeat = ({ baseline_at_ms, cursor }: SyncState) => baseline_at_ms !== null && cursor !== null;
    // Not even the locations: one that changed during such a read has to be seen by the heartbeat after it.
    if (!canBeat(await store.read({}, (state) => state.sync))) return;
    await this.#readLocations(signal);
    const sync = await store.read({}, (state) => state.sync);
    if (sync.cursor !== null) await this.#readChanges(sync, sync.cursor, signal);
  }

  /**
   * Reads the catalogue, and once more when its lists show less than the shop counts. What is missing then is known to be
   * missing: it is told, and nothing that the read did not show is taken for deleted.
   */
  async #readConfirmed(tally: DriftTally, signal: AbortSignal, options: FullReadOptions): Promise<void> {
    const { source, limits, report } = this.#ports;
    const count = () => source.countVariants(within(signal, limits.call_ms));
    for (let isFirst = true; ; isFirst = false) {
      const before = await count();
      await this.#readCatalogue(tally, signal, options);
      const after = await count();
      // What came or went meanwhile is in one of them only.
      const counts = [before, after].flatMap((one) => one?.variants ?? []);
      tally.counted(counts.length === 0 ? null : Math.min(...counts));
      const missing = tally.missing_variants;
      if (missing > 0) report('full_read_short', { missing_variants: missing, counted: Math.min(...counts) });
      if (missing === 0 || missing === this.#missing_variants || !isFirst) {
        this.#missing_variants = missing;
        return;
      }
      tally.readAgain();
    }
  }

  async #readCatalogue(tally: DriftTally, signal: AbortSignal, options: FullReadOptions): Promise<void> {
    const { source, clock } = this.#ports;
    const walk_began_ms = clock.now();
    let page_began_ms = walk_began_ms;
    let as_of: CataloguePage['as_of'] | null = null;
    for await (const page of source.catalogue(signal)) {
      if (as_of !== null && as_of !== page.as_of) tally.readAgain();
      as_of = page.as_of;
      const read_at_ms = page.as_of === 'walk' ? walk_began_ms : page_began_ms;
      await this.#setAside(await this.#applyItems(page.items, read_at_ms, tally), unlisted());
      for (const { levels } of page.items) tally.read(levels.length);
      tally.readVariants(page.variants);
      options.onProgress?.({ items_read: tally.items_read, items_total: page.total_items });
      await this.#keepLease();
      page_began_ms = clock.now();
    }
  }

  /** At most `READ_ITEMS_MAX`. Returns those that can't be taken over: promised is nothing of them. */
  async #reread(
    itemIds: readonly string[],
    signal: AbortSignal,
    tally: DriftTally | null,
  ): Promise<readonly string[]> {
    const { source, clock } = this.#ports;
    const read_at_ms = clock.now();
    const items = await source.readItems(itemIds, signal);
    const unplaced = await this.#applyItems(items, read_at_ms, tally);
    for (const { levels } of items) tally?.read(levels.length);
    const gone = itemIds.filter((id) => !items.some((item) => item.item_id === id));
    // Of a shop that counts more than it shows, what is not shown may be there.
    if ((tally?.missing_variants ?? 0) > 0) return [...unplaced, ...gone];
    await Promise.all(gone.map((id) => this.#applyGone(id, read_at_ms, tally)));
    return unplaced;
  }

  /**
   * Re-reads items of which single ones may be beyond us: those are set aside, so that they don't stop the rest of the
   * shop. Throws LeaseLost, and what the shop as a whole fails with.
   */
  async #rereadEach(
    itemIds: readonly string[],
    signal: AbortSignal,
    tally: DriftTally | null,
  ): Promise<void> {
    const { limits } = this.#ports;
    for (const ids of chunks(itemIds, READ_ITEMS_MAX)) {
      try {
        await this.#setAside(await this.#reread(ids, within(signal, limits.call_ms), tally), unlisted());
      } catch (error) {
        if (!isOwnFailure(error)) throw error;
        if (ids.length === 1) await this.#setAside(ids, error);
        else for (const id of ids) await this.#rereadEach([id], signal, tally);
      }
      await this.#keepLease();
    }
  }

  /** They promise nothing until they have been read again: on demand, by the next change of theirs, or in full. */
  async #setAside(itemIds: readonly string[], error: UpstreamError): Promise<void> {
    const { store, report } = this.#ports;
    if (itemIds.length === 0) return;
    await store.markDirty(itemIds);
    report('items_unread', {
      count: itemIds.length,
      item_ids: itemIds.slice(0, ITEMS_TOLD_MAX),
      ...describe(error),
    });
  }

  /** Those of a shop that is quite new to us; changes of them are the heartbeat's business. */
  async #readFirstLocations(signal: AbortSignal): Promise<void> {
    const isNew = await this.#ports.store.read({}, (state) => state.locations.size === 0);
    if (isNew) await this.#readLocations(signal);
  }

  async #readSkus(skus: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { store, source, clock, report } = this.#ports;
    try {
      const known = await store.read({ skus }, (state) =>
        skus.flatMap((sku) => state.items.get(sku)?.item_id ?? []),
      );
      const unknown = await store.read({ skus }, (state) => skus.filter((sku) => !state.items.has(sku)));
      if (known.length > 0) await this.#onDemand.read(known, signal);
      if (unknown.length > 0) {
        await this.#readFirstLocations(signal);
        const read_at_ms = clock.now();
        const unplaced = await this.#applyItems(await source.findBySku(unknown, signal), read_at_ms);
        if (unplaced.length > 0) throw unlisted();
      }
      return true;
    } catch (error) {
      report('freshen_failed', describe(error));
      return false;
    }
  }

  /**
   * False when something was deleted that the shop does not name: everything is then marked to be read again, and nothing
   * is confirmed.
   */
  async #readChanges(sync: SyncState, cursor: string, signal: AbortSignal): Promise<boolean> {
    const { store, source, clock, limits, report } = this.#ports;
    const began_ms = clock.now();
    const pages = eachWithin(limits.call_ms, signal, (limited) => source.changesSince(cursor, limited));
    let page_began_ms = began_ms;
    let next = cursor;
    let isWhole = true;
    for await (const page of pages) {
      const unknown = await this.#applyLevels(page.levels, page_began_ms);
      const known = await this.#itemsOfProducts(page.product_ids);
      await this.#rereadEach([...new Set([...unknown, ...page.item_ids, ...known])], signal, null);
      next = page.cursor;
      if (page.has_lost_variants) isWhole = false;
      await this.#keepLease();
      page_began_ms = clock.now();
    }
    // Only now: a heartbeat that could not be applied whole confirms nothing. And nothing at all when everything was
    // marked to be read again meanwhile, or somebody else is further.
    const { baseline_at_ms, confirmed_at_ms } = sync;
    if (!isWhole) report('variants_lost', {});
    await store.putSync(
      isWhole
        ? { baseline_at_ms, confirmed_at_ms: began_ms, cursor: next }
        : { baseline_at_ms, confirmed_at_ms, cursor: null },
      { cursor },
    );
    return isWhole;
  }

  /** Items that the ledger knows as theirs, and not as gone. */
  async #itemsOfProducts(productIds: readonly string[]): Promise<readonly string[]> {
    const { store } = this.#ports;
    if (productIds.length === 0) return [];
    const item_ids = [...(await store.itemsNamed('product', productIds)).values()].flat();
    return await store.read({ item_ids }, (state) =>
      item_ids.filter((id) => state.items_by_id.get(id)?.lifecycle !== 'discontinued'),
    );
  }

  /**
   * A location that opened, closed or moved changes what every level there is worth, so all of them have to be read
   * again. That is written down before the change itself: a full read that fails, or a crash, must not lose it.
   */
  async #readLocations(signal: AbortSignal): Promise<void> {
    const { store, source, limits } = this.#ports;
    const observed = await source.locations(within(signal, limits.call_ms));
    const locations = observed.map(({ location_id, name, active, till_only = false }, position) => ({
      location_id,
      name: cleanText(name, LOCATION_NAME_MAX_CHARS),
      position,
      active,
      till_only,
    }));
    const lost = await store.read({}, ({ sync, locations: known }) => {
      const same = isSameList(locations, known);
      return same ? null : { baseline_at_ms: sync.baseline_at_ms, confirmed_at_ms: sync.confirmed_at_ms };
    });
    if (lost !== null) await store.putSync({ ...lost, cursor: null });
    await store.putLocations(locations);
  }

  /**
   * Where items have to be published may be another place than before: by the merchant's setting, or because it is gone at the shop.
   * Then all has to be read again, which is written down first.
   */
  async #followPublication(signal: AbortSignal): Promise<void> {
    const { store, source, limits } = this.#ports;
    if (!this.#listings.isDue()) return;
    const key = await source.publicationKey(within(signal, limits.call_ms));
    if (key === (await store.publicationKey())) return;
    const sync = await store.read({}, (state) => state.sync);
    if (sync.cursor !== null) await store.putSync({ ...sync, cursor: null });
    await store.putPublicationKey(key);
  }

  /** Reads items again whose flags are not what the ledger has. Heartbeats go on beside it. */
  async #checkListings(signal: AbortSignal): Promise<void> {
    const { store, source, limits, report } = this.#ports;
    if (!this.#listings.isDue()) return;
    const began_ms = this.#listings.now_ms;
    try {
      const isDone = await this.#whileLeased(signal, async (leased) => {
        const pages = eachWithin(limits.call_ms, leased, (limited) => source.listings(limited));
        for await (const page of pages) {
          await this.#rereadEach(await findChangedListings(store, page), leased, null);
          await this.#keepLease();
        }
      });
      if (isDone) this.#listings.done(began_ms);
    } catch (error) {
      if (!(error instanceof UpstreamError) || signal.aborted) throw error;
      // Due as before: the next heartbeat tries again.
      report('listings_unread', describe(error));
    }
  }

  /** Reads items a second time of which a rise is withheld since an earlier heartbeat. One that fails is tried again with the next. */
  async #settleRises(signal: AbortSignal): Promise<void> {
    const { store, limits, report } = this.#ports;
    let after_key = 0;
    try {
      for (;;) {
        const unproven = await store.unprovenItems(after_key, limits.unseen_batch);
        const last = unproven.at(-1);
        if (last === undefined) return;
        await this.#rereadEach(
          unproven.map(({ item_id }) => item_id),
          signal,
          null,
        );
        await this.#keepLease();
        after_key = last.item_key;
      }
    } catch (error) {
      if (!(error instanceof UpstreamError) || signal.aborted) throw error;
      report('rises_unread', describe(error));
    }
  }

  /** Items that the ledger knows and the full read did not bring: deleted at the shop, or moved between pages. */
  async #readUnseen(began_ms: number, signal: AbortSignal, tally: DriftTally): Promise<void> {
    const { store, limits } = this.#ports;
    let after_key = 0;
    for (;;) {
      const unseen = await store.itemsNotReadSince(began_ms, after_key, limits.unseen_batch);
      const last = unseen.at(-1);
      if (last === undefined) return;
      await this.#rereadEach(
        unseen.map(({ item_id }) => item_id),
        signal,
        tally,
      );
      after_key = last.item_key;
    }
  }

  /** Returns the items that can't be taken over: they are stocked where the ledger knows no location. */
  async #applyItems(
    items: readonly ItemObservation[],
    readAt: number,
    tally: DriftTally | null = null,
  ): Promise<readonly string[]> {
    const results = await this.#each(items, ({ levels, ...catalogue }) =>
      this.#apply({ item_id: catalogue.item_id, catalogue, levels, is_complete: true, read_at_ms: readAt }),
    );
    const unplaced: string[] = [];
    for (const [item, result] of results) {
      if (!result.applied) {
        unplaced.push(item.item_id);
        continue;
      }
      tally?.found(item.item_id, result);
    }
    return unplaced;
  }

  /** Groups of decisions share one commit; a page of any size must not queue up whole. */
  async #each<T, R>(all: readonly T[], apply: (one: T) => Promise<R>): Promise<(readonly [T, R])[]> {
    const results: (readonly [T, R])[] = [];
    for (const some of chunks(all, this.#ports.limits.apply_max))
      results.push(...(await Promise.all(some.map(async (one) => [one, await apply(one)] as const))));
    return results;
  }

  /** Returns the items that have to be read whole: the ledger does not know them, or not where they are stocked. */
  async #applyLevels(levels: readonly LevelObservation[], readAt: number): Promise<string[]> {
    const results = await this.#each([...groupByItem(levels)], ([item_id, own]) =>
      this.#apply({ item_id, catalogue: null, levels: own, is_complete: false, read_at_ms: readAt }),
    );
    return results.flatMap(([[item_id], result]) => (result.applied ? [] : [item_id]));
  }

  async #applyGone(itemId: string, readAt: number, tally: DriftTally | null): Promise<void> {
    const known = await this.#ports.store.read({ item_ids: [itemId] }, (state) =>
      state.items_by_id.get(itemId),
    );
    if (known === undefined) return;
    const { variant_id, product_id, given_sku: sku, title, variant_title } = known;
    const names = { item_id: itemId, variant_id, product_id, sku, title, variant_title };
    const catalogue = { ...names, lifecycle: 'discontinued' as const, off_sale: 'deleted' as const };
    const nothing = { levels: [], is_complete: true };
    const result = await this.#apply({ item_id: itemId, catalogue, ...nothing, read_at_ms: readAt });
    tally?.found(itemId, result);
  }

  async #apply(report: Omit<StockReport, 'salt'>): Promise<ReportResult> {
    const { store, ids, settings } = this.#ports;
    const salt = ids.salt();
    const result = await store.transact({ item_ids: [report.item_id] }, (state) =>
      decideApplyReport(state, { ...report, salt }, settings),
    );
    if (result.applied && result.woken) this.#ports.onDue?.();
    if (result.applied && result.found !== undefined)
      this.#tellJumps(report.item_id, result.sku, result.found.jumps);
    if (result.applied && result.rises !== undefined)
      this.#tellRises(report.item_id, result.sku, result.rises);
    return result;
  }

  #tellJumps(item_id: string, sku: string, jumps: readonly Jump[]): void {
    for (const jump of jumps) this.#ports.report('stock_jumped', { item_id, sku, ...jump });
  }

  #tellRises(item_id: string, sku: string, rises: readonly Rise[]): void {
    const { report, note } = this.#ports;
    for (const rise of rises) {
      if (rise.withheld_units > 0) report('stock_rise_withheld', { item_id, sku, ...rise });
      else note?.('stock_rise_settled', { item_id, sku, ...rise });
    }
  }
}

const NOT_OURS: Reconciled = { done: false, why: 'another_process' };

/** Items that one line of the log names. */
const ITEMS_TOLD_MAX = 20;

function unlisted(): UpstreamError {
  return new UpstreamError('protocol', 'not shown although counted, or a level at an unlisted location');
}

/** A failure that is about what was asked for, and not about the shop. */
function isOwnFailure(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && (error.failure === 'protocol' || error.failure === 'refused');
}

function* chunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}

function driftDetail({ drift, catalogue_drift, ...totals }: ReconcileReport): Record<string, unknown> {
  const found = [...drift, ...catalogue_drift];
  const told = <T>(all: readonly T[]): T[] => [...new Set(all)].slice(0, ITEMS_TOLD_MAX);
  return {
    ...totals,
    item_ids: told(found.map(({ item_id }) => item_id)),
    skus: told(found.map(({ sku }) => sku)),
  };
}

/** A location that the shop has deleted is not listed any more; the ledger keeps it, closed. */
function isSameList(rows: readonly LocationRow[], known: ReadonlyMap<string, LocationRow>): boolean {
  const listed = new Set(rows.map((row) => row.location_id));
  const isGone = [...known.values()].some(
    (row) => (row.active || row.till_only) && !listed.has(row.location_id),
  );
  return !isGone && rows.every((row) => isSame(row, known));
}

function isSame(row: LocationRow, known: ReadonlyMap<string, LocationRow>): boolean {
  const before = known.get(row.location_id);
  return (
    before !== undefined &&
    before.position === row.position &&
    before.active === row.active &&
    (before.till_only ?? false) === (row.till_only ?? false)
  );
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
  return { failure: 'unexpected', error };
}
