/** Applying what the shop says: the only place where upstream figures enter the ledger. */

import { findingsOf } from './drift.js';
import { sumsAfter } from './ending.js';
import { observeSales, startVelocity } from './freshness.js';
import { type Hold, type HoldEvent, nextHoldState } from './hold.js';
import type { JournalDraft } from './journal.js';
import type { ItemObservation, LevelObservation } from './observation.js';
import type { Decision, HoldMove, ItemPut, LedgerSettings, LedgerState, LevelPut } from './ports.js';
import type { Findings } from './reconciliation.js';
import { type Item, isReadSince, type Level, sellableUnits } from './stock.js';
import { type StockSnapshot, stockHash } from './stock-hash.js';
import { cleanText, isNameableSku, TITLE_MAX_CHARS } from './text.js';
import type { LedgerMs } from './units.js';

/** One observation of an item: its catalogue entry with all of its levels, or only some of the levels. */
export interface StockReport {
  readonly item_id: string;
  /** Null when only levels were read: the catalogue entry stays as it is. */
  readonly catalogue: Omit<ItemObservation, 'levels'> | null;
  readonly levels: readonly LevelObservation[];
  /** True when levels that are not listed do not exist any more. */
  readonly is_complete: boolean;
  /** Ledger time at which the read began: what happened later is not in it. */
  readonly read_at_ms: LedgerMs;
  /** 128 random bits in hex, used when the state turns out to be new. */
  readonly salt: string;
}

export type ReportResult =
  /** `changed`: the SKU's answer is different now. `found`: where the shop's figures are not those the ledger had. */
  | { readonly applied: true; readonly sku: string; readonly changed: boolean; readonly found?: Findings }
  /** Levels of an item that the ledger does not know: read the whole item. */
  | { readonly applied: false; readonly why: 'item_unknown' }
  /** A level at a location that the ledger does not know: read the locations. */
  | { readonly applied: false; readonly why: 'location_unknown' };

/**
 * Takes over the shop's figures, level by level, unless a newer observation is there already, and moves on the
 * holds that waited for this news. A new state gets a new version, time, salt and checksum.
 */
export function decideApplyReport(
  state: LedgerState,
  report: StockReport,
  settings: LedgerSettings,
): Decision<ReportResult> {
  const before = state.items_by_id.get(report.item_id);
  const entry = newestEntry(state, before, report);
  if (entry === null) return { result: { applied: false, why: 'item_unknown' } };
  if (report.levels.some((level) => !state.locations.has(level.location_id))) {
    return { result: { applied: false, why: 'location_unknown' } };
  }
  const levels = mergeLevels(state, before, report);
  const moves = holdMoves(state, before, levels, report, settings);
  const puts = attributed(state, withSums(before, levels, moves), report.read_at_ms);
  const item = nextItem(state, before, report, { ...entry, levels: puts }, settings);
  const changed = item.is_new_version;
  const listed = new Set(report.levels.map((level) => level.location_id));
  const { read_at_ms } = report;
  const found = findingsOf({ state, before, after: item, levels, listed, read_at_ms, settings });
  const isNews = changed || moves.length > 0 || hasOtherFigures(levels);
  const news: JournalDraft[] = isNews
    ? [{ kind: changed ? 'stock.changed' : 'holds.moved', of_item: true, data: journalData(item, moves) }]
    : [];
  return {
    result: { applied: true, sku: item.sku, changed, ...(found === null ? {} : { found }) },
    changes: { item, holds: moves, journal: [...jumpNotes(item.sku, found), ...news] },
  };
}

function jumpNotes(sku: string, found: Findings | null): JournalDraft[] {
  const jumps = found?.jumps ?? [];
  return jumps.map((jump) => ({ kind: 'stock.jumped', of_item: true, data: { sku, ...jump } }));
}

const NO_UNITS = { upstream_available_units: 0, under_way_units: 0 } as const;

/** A level as merged, and whether this report's own figures were taken over. */
interface Merged {
  readonly put: LevelPut;
  readonly level: Level | undefined;
  readonly is_news: boolean;
}

function mergeLevels(state: LedgerState, before: Item | undefined, report: StockReport): Merged[] {
  const observed = new Map(report.levels.map((level) => [level.location_id, level]));
  const known = before?.levels ?? [];
  const merged = known.map((level): Merged => {
    const observation = observed.get(level.location_id);
    observed.delete(level.location_id);
    if (observation !== undefined) return mergeLevel(state, level, observation, report.read_at_ms);
    const vanished = report.is_complete && report.read_at_ms >= level.read_at_ms;
    const put = vanished
      ? { ...putOf(level), sellable_here: false, ...NO_UNITS, read_at_ms: report.read_at_ms }
      : { ...putOf(level), sellable_here: level.sellable_here && isOpen(state, level.location_id) };
    return { put, level, is_news: vanished };
  });
  for (const observation of observed.values()) {
    merged.push({
      put: observedPut(state, observation, 0, 0, report.read_at_ms),
      level: undefined,
      is_news: true,
    });
  }
  return merged;
}

/**
 * Newer wins: by the shop's own time of change where it gives one (a replica may answer with yesterday's
 * figure to today's question), then by when our read began.
 */
function mergeLevel(
  state: LedgerState,
  level: Level,
  observation: LevelObservation,
  readAt: LedgerMs,
): Merged {
  const theirs = observation.upstream_updated_at_ms;
  const ours = level.upstream_updated_at_ms;
  const older = readAt < level.read_at_ms || (theirs !== null && ours !== null && theirs < ours);
  if (older) return { put: putOf(level), level, is_news: false };
  const put = observedPut(state, observation, level.held_units, level.mirrored_units, readAt);
  return { put: { ...put, upstream_updated_at_ms: theirs ?? ours }, level, is_news: true };
}

function observedPut(
  state: LedgerState,
  observation: LevelObservation,
  held: number,
  mirrored: number,
  readAt: LedgerMs,
): LevelPut {
  return {
    location_id: observation.location_id,
    sellable_here: isOpen(state, observation.location_id),
    upstream_available_units: observation.available_units,
    upstream_on_hand_units: observation.on_hand_units,
    upstream_committed_units: observation.committed_units,
    held_units: held,
    mirrored_units: mirrored,
    under_way_units: 0,
    upstream_updated_at_ms: observation.upstream_updated_at_ms,
    read_at_ms: readAt,
  };
}

function putOf(level: Level): LevelPut {
  const { level_key, location_name, location_position, location_open, expired_units, ...put } = level;
  return put;
}

function isOpen(state: LedgerState, locationId: string): boolean {
  return state.locations.get(locationId)?.active === true;
}

/** What the report's news does to the holds that waited for it. */
function holdMoves(
  state: LedgerState,
  before: Item | undefined,
  levels: readonly Merged[],
  report: StockReport,
  settings: LedgerSettings,
): HoldMove[] {
  if (before === undefined) return [];
  const shopHoldsAt = shopHoldLevel(before, levels);
  return levels.flatMap(({ level, is_news }) => {
    if (level === undefined || !is_news) return [];
    const holds = state.awaiting.get(level.level_key) ?? [];
    return holds.flatMap((hold) =>
      moveOf(hold, report.read_at_ms, level.level_key === shopHoldsAt, settings),
    );
  });
}

/**
 * Where the shop takes the units of a hold from. Shopify gives a draft order no location: it reserves at the
 * first location, in the shop's order, that stocks the item. A hold that we took elsewhere stays counted on
 * our side: that promises less, where trusting it as mirrored would promise the same unit twice.
 */
function shopHoldLevel(before: Item, levels: readonly Merged[]): number | undefined {
  const stocked = new Set(levels.filter(({ put }) => put.sellable_here).map(({ put }) => put.location_id));
  return before.levels.find((level) => stocked.has(level.location_id))?.level_key;
}

function moveOf(
  hold: Hold,
  readAt: LedgerMs,
  isWhereShopHolds: boolean,
  settings: LedgerSettings,
): HoldMove[] {
  const lapses = hold.mirror_until_ms !== null && hold.mirror_until_ms - settings.mirror_margin_ms <= readAt;
  if (hold.state === 'mirrored' && lapses && hold.awaits !== 'settle') {
    return [moved(hold, 'mirror_lapsed', { awaits: null, awaits_after_ms: null, mirror_until_ms: null })];
  }
  if (hold.awaits === null || hold.awaits_after_ms === null || readAt < hold.awaits_after_ms) return [];
  const rest = { awaits: null, awaits_after_ms: null } as const;
  switch (hold.awaits) {
    case 'settle':
      return [moved(hold, 'settle_reported', rest)];
    case 'return':
      return [moved(hold, 'return_reported', rest)];
    case 'mirror':
      // A move takes the units where we hold them, and has no end; only a draft takes them elsewhere.
      if (lapses || (hold.mirror_until_ms !== null && !isWhereShopHolds))
        return [{ hold, to: { ...hold, ...rest } }];
      return [moved(hold, 'mirror_reported', rest)];
  }
}

function moved(hold: Hold, event: HoldEvent, change: Partial<Hold>): HoldMove {
  const state = nextHoldState(hold.state, event);
  return { hold, to: state === null ? null : { ...hold, ...change, state } };
}

function withSums(before: Item | undefined, levels: readonly Merged[], moves: readonly HoldMove[]): Merged[] {
  const sums = new Map(sumsAfter(before?.levels ?? [], moves).map((sum) => [sum.level_key, sum]));
  return levels.map((merged) => {
    const sum = merged.level === undefined ? undefined : sums.get(merged.level.level_key);
    if (sum === undefined) return merged;
    const { held_units, mirrored_units } = sum;
    return { ...merged, put: { ...merged.put, held_units, mirrored_units } };
  });
}

/**
 * A figure that was read while a write of our own was under way may show it or not, and the ledger can't know yet. Where
 * such writes alone explain why the level differs from what it was, they are the reason: else every mirror made beside
 * another would turn everybody's checksum stale for a moment. It is a matter of the checksum alone: until a report
 * that is certain, those units count on our side as well, so nothing more is promised.
 */
function attributed(state: LedgerState, levels: readonly Merged[], readAt: LedgerMs): LevelPut[] {
  return levels.map(({ put, level }) => {
    if (level === undefined || !put.sellable_here) return put;
    const missing = sellableUnits(level) - sellableUnits(put);
    const explains = missing !== 0 && canSumTo(missing, unclearUnits(state, level, readAt));
    return explains ? { ...put, under_way_units: missing } : put;
  });
}

/** Our writes at a level that a read begun at `readAt` may have seen or missed: units taken, or below zero given back. */
function unclearUnits(state: LedgerState, { level_key }: Level, readAt: LedgerMs): number[] {
  const justKnown = (state.awaiting.get(level_key) ?? []).flatMap((hold) => {
    if (hold.awaits_after_ms === null || hold.awaits_after_ms <= readAt) return [];
    if (hold.awaits === 'mirror') return [hold.quantity_units];
    return hold.awaits === 'return' && hold.awaits_after_ms <= state.now_ms ? [-hold.quantity_units] : [];
  });
  return [...justKnown, ...(state.under_way.get(level_key) ?? [])];
}

/** More writes than that at one level at one moment are not told apart: the checksum then flutters, which only costs a re-check. */
const UNCLEAR_MAX = 64;

/** Sums of writes of many different sizes double with each: beyond this many none is looked for either. */
const SUMS_MAX = 4_096;

function canSumTo(units: number, parts: readonly number[]): boolean {
  if (parts.length > UNCLEAR_MAX) return false;
  let sums = new Set([0]);
  for (const part of parts) {
    sums = new Set([...sums, ...[...sums].map((sum) => sum + part)]);
    if (sums.size > SUMS_MAX) return false;
  }
  return sums.has(units);
}

function nextItem(
  state: LedgerState,
  before: Item | undefined,
  report: StockReport,
  next: Entry & Pick<ItemPut, 'levels'>,
  settings: LedgerSettings,
): ItemPut {
  const { sku, lifecycle, levels } = next;
  const now = state.now_ms;
  const locations = [...sellable(levels)].map(([id, units]) => ({ id, sellable: units }));
  const told = { shop: state.shop, sku, lifecycle, locations };
  const same = before !== undefined && isStillTrue(before, told) ? before : null;
  const { state_version, salt, as_of_ms, stock_hash } = same ?? newVersion(before, told, now, report.salt);
  const unitsOut = before === undefined ? 0 : total(sellable(before.levels)) - total(sellable(levels));
  const velocity = before?.velocity ?? startVelocity(now);
  const read_at_ms = Math.max(before?.read_at_ms ?? 0, report.is_complete ? report.read_at_ms : 0);
  return {
    item_id: report.item_id,
    ...next,
    safety_stock_units: settings.safety_stock_units,
    state_version,
    salt,
    as_of_ms,
    stock_hash,
    read_at_ms,
    dirty_at_ms: stillDirty(before, { read_at_ms, levels }),
    velocity: unitsOut > 0 ? observeSales(velocity, unitsOut, now) : velocity,
    is_new_version: same === null,
  };
}

type Told = Pick<StockSnapshot, 'shop' | 'sku' | 'lifecycle' | 'locations'>;

function newVersion(
  before: Item | undefined,
  told: Told,
  now: LedgerMs,
  salt: string,
): Pick<ItemPut, 'state_version' | 'salt' | 'as_of_ms' | 'stock_hash'> {
  const state_version = (before?.state_version ?? 0) + 1;
  const stock_hash = stockHash({ ...told, state_version, as_of: now, salt });
  return { state_version, salt, as_of_ms: now, stock_hash };
}

/** A read that began after the shop spoke shows what it spoke of; one whose figures lost to newer ones does not. */
function stillDirty(
  before: Item | undefined,
  after: Pick<ItemPut, 'read_at_ms' | 'levels'>,
): LedgerMs | null {
  const dirtyAt = before?.dirty_at_ms ?? null;
  return dirtyAt === null || isReadSince(after, dirtyAt) ? null : dirtyAt;
}

type Catalogue = NonNullable<StockReport['catalogue']>;

/** What the catalogue says of an item, as the ledger tells it. */
type Entry = Pick<ItemPut, 'variant_id' | 'product_id' | 'sku' | 'title' | 'variant_title' | 'lifecycle'>;

/**
 * Newer wins here too: a late answer must not bring back an item that the shop has discontinued since. Null when nobody
 * has told of the item yet.
 */
function newestEntry(state: LedgerState, before: Item | undefined, report: StockReport): Entry | null {
  const { catalogue } = report;
  if (before !== undefined && (catalogue === null || report.read_at_ms < before.read_at_ms)) {
    const { variant_id, product_id, sku, title, variant_title, lifecycle } = before;
    return { variant_id, product_id, sku, title, variant_title, lifecycle };
  }
  if (catalogue === null) return null;
  return {
    variant_id: catalogue.variant_id,
    product_id: catalogue.product_id,
    sku: ledgerSku(state, catalogue),
    title: cleanText(catalogue.title, TITLE_MAX_CHARS),
    variant_title: cleanText(catalogue.variant_title, TITLE_MAX_CHARS),
    lifecycle: catalogue.lifecycle,
  };
}

/** Names that the ledger makes itself. A shop that uses one as a SKU gets another, or two items would want it. */
const MADE_UP_SKU = /^variant-\d+$|~\d+$/u;
/** Of a SKU, when the variant id has to fit behind it. */
const SKU_STEM_MAX_CHARS = 200;

/**
 * The name an agent uses. The shop's SKU where there is one that can be named and that no other item has;
 * otherwise one made of the variant id, so that every item can be sold and none is confused with another.
 */
function ledgerSku(state: LedgerState, catalogue: Catalogue): string {
  const given = catalogue.sku ?? '';
  if (!isNameableSku(given)) return `variant-${catalogue.variant_id}`;
  const holder = state.items.get(given);
  if (holder?.item_id === catalogue.item_id) return given;
  if (holder === undefined && !MADE_UP_SKU.test(given)) return given;
  // Never cut through a surrogate pair: half a character can't be hashed.
  const stem = given.slice(0, SKU_STEM_MAX_CHARS).replace(/\p{Cs}$/u, '');
  return `${stem}~${catalogue.variant_id}`;
}

/** By location, where it can be sold. */
function sellable(levels: readonly Omit<LevelPut, 'read_at_ms'>[]): Map<string, number> {
  return new Map(
    levels.filter((level) => level.sellable_here).map((level) => [level.location_id, sellableUnits(level)]),
  );
}

/**
 * Whether the item's checksum stands for this state too. Asked of the checksum itself and not of the figures before
 * this report: those move between reports, when the shop has let go of a hold, and the checksum does not (L5).
 */
function isStillTrue({ state_version, as_of_ms, salt, stock_hash }: Item, told: Told): boolean {
  return stockHash({ ...told, state_version, as_of: as_of_ms, salt }) === stock_hash;
}

function total(byLocation: ReadonlyMap<string, number>): number {
  return [...byLocation.values()].reduce((sum, units) => sum + units, 0);
}

/** The shop's own figure may follow a hold that it has let go of: another figure, and the same state. */
function hasOtherFigures(levels: readonly Merged[]): boolean {
  return levels.some(({ put, level }) => level?.upstream_available_units !== put.upstream_available_units);
}

function journalData(item: ItemPut, moves: readonly HoldMove[]): Record<string, unknown> {
  return {
    sku: item.sku,
    state_version: item.state_version,
    lifecycle: item.lifecycle,
    stock_hash: item.stock_hash,
    levels: item.levels.map((level) => [
      level.location_id,
      level.upstream_available_units,
      level.held_units,
      level.mirrored_units,
      level.under_way_units,
    ]),
    ...(moves.length === 0
      ? {}
      : {
          moved: moves.map(({ hold, to }) => [
            hold.reservation_key,
            hold.quantity_units,
            hold.state,
            to?.state ?? 'gone',
          ]),
        }),
  };
}
