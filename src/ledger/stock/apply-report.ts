/** Applying what the shop says: the only place where upstream figures enter the ledger. */

import type { Findings } from '../model/drift-report.js';
import { type Hold, type HoldEvent, nextHoldState } from '../model/hold.js';
import type { JournalDraft } from '../model/journal.js';
import type { RoutedUnits } from '../model/route.js';
import { type Item, isReadSince, type Level, sellableUnits } from '../model/stock.js';
import { observeSales, startVelocity } from '../model/values/freshness.js';
import type { ItemObservation, LevelObservation } from '../model/values/observation.js';
import { type StockSnapshot, stockHash } from '../model/values/stock-hash.js';
import { cleanText, TITLE_MAX_CHARS } from '../model/values/text.js';
import type { LedgerMs } from '../model/values/units.js';
import { sumsAfter } from '../reservation/end-reservation.js';
import { findRouted, routedAt, routedUnderWay, settleRouted } from '../state/routed-units.js';
import type {
  Changes,
  Decision,
  HoldMove,
  ItemPut,
  LedgerSettings,
  LedgerState,
  LevelPut,
  RenamedItem,
  UnitsUnderWay,
} from '../state/state.js';
import { findingsOf } from './drift.js';
import { type DraftUnits, placeUnits } from './place-units.js';
import { compareRise, type Rise, withholdRise } from './rise.js';
import { assignNames, type Names, readGivenSku } from './sku-owner.js';

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
  | {
      readonly applied: true;
      readonly sku: string;
      readonly changed: boolean;
      /** Rows of the outbox are due because of it. */
      readonly woken: boolean;
      readonly found?: Findings;
      /** Levels of which more or less is withheld than before, because they rose implausibly. Left out where there are none. */
      readonly rises?: readonly Rise[];
    }
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
  const told = newestEntry(before, report);
  if (told === null) return { result: { applied: false, why: 'item_unknown' } };
  if (report.levels.some((level) => !state.locations.has(level.location_id))) {
    return { result: { applied: false, why: 'location_unknown' } };
  }
  const names = assignNames({ item_id: report.item_id, ...told }, before, state.findClaimants);
  const entry = { ...told, sku: names.sku };
  const levels = mergeLevels(state, before, report);
  const settled = settledRoutes(state, levels, report);
  const { moves, puts, doubted } = moveHolds(state, before, levels, { ...report, settled }, settings);
  const item = nextItem(state, before, report, { ...entry, levels: puts }, settings);
  const changed = item.is_new_version;
  const listed = new Set(report.levels.map((level) => level.location_id));
  const { read_at_ms } = report;
  const found = findingsOf({ state, before, after: item, levels, listed, read_at_ms, settings });
  const isNews =
    changed ||
    moves.length > 0 ||
    settled.length > 0 ||
    hasOtherFigures(levels) ||
    isSoldOtherwise(before, item);
  const news: JournalDraft[] = isNews
    ? [{ kind: changed ? 'stock.changed' : 'holds.moved', of_item: true, data: journalData(item, moves) }]
    : [];
  const rises = levels.flatMap(({ put, level }) => compareRise(level, put) ?? []);
  const woken = wakes(before, item, doubted);
  const renamed = names.renamed.map((one) => renameItem(state, one, report.salt));
  return {
    result: {
      applied: true,
      sku: item.sku,
      changed,
      woken: woken.wake !== undefined,
      ...(found === null ? {} : { found }),
      ...(rises.length > 0 ? { rises } : {}),
    },
    changes: {
      item,
      holds: moves,
      ...(settled.length > 0 ? { routed: { drop: settled } } : {}),
      ...woken,
      ...(renamed.length > 0 ? { renamed } : {}),
      journal: [
        ...jumpNotes(item.sku, found),
        ...riseNotes(item.sku, rises),
        ...news,
        ...renamed.map(renameNote),
      ],
    },
  };
}

/** Rows that rest on units which this report shows to be gone, or on an item that is not sold any more. */
function wakes(
  before: Item | undefined,
  after: ItemPut,
  doubted: readonly HoldMove[],
): Pick<Changes, 'wake'> {
  if (before === undefined) return {};
  const expired = before.levels.reduce((units, level) => units + level.expired_units, 0);
  const was = before.inventory_policy === 'continue' ? 0 : shortUnits(before.levels) - expired;
  const is = after.inventory_policy === 'continue' ? 0 : shortUnits(after.levels) - expired;
  const short_units = is > Math.max(0, was) ? is : 0;
  const sales = before.lifecycle === 'active' && after.lifecycle !== 'active';
  const reservation_keys = [...new Set(doubted.flatMap(({ to }) => to?.reservation_key ?? []))];
  const isWake = short_units > 0 || sales || reservation_keys.length > 0;
  return isWake ? { wake: { short_units, sales, reservation_keys } } : {};
}

/** Units that are held on our side beyond what the levels have together; below zero when there are more. */
function shortUnits(
  levels: readonly Pick<LevelPut, 'sellable_here' | 'held_units' | 'upstream_available_units'>[],
): number {
  return levels.reduce((units, level) => {
    const available = level.sellable_here ? level.upstream_available_units : 0;
    return units + level.held_units - available;
  }, 0);
}

function jumpNotes(sku: string, found: Findings | null): JournalDraft[] {
  const jumps = found?.jumps ?? [];
  return jumps.map((jump) => ({ kind: 'stock.jumped', of_item: true, data: { sku, ...jump } }));
}

function riseNotes(sku: string, rises: readonly Rise[]): JournalDraft[] {
  return rises.map((rise) => ({
    kind: rise.withheld_units > 0 ? 'stock.rise_withheld' : 'stock.rise_settled',
    of_item: true,
    data: { sku, ...rise },
  }));
}

const NO_SUMS = { held_units: 0, mirrored_units: 0, doubted_units: 0, guessed_units: 0 } as const;
const NO_UNITS = { upstream_available_units: 0, under_way_units: 0, unproven_units: 0 } as const;

/** A level as merged, and whether this report's own figures were taken over. */
interface Merged {
  readonly put: LevelPut;
  readonly level: Level | undefined;
  readonly is_news: boolean;
}

/** A report, and the moves of orders that it settles. */
type SettlingReport = StockReport & { readonly settled: readonly RoutedUnits[] };

function settledRoutes(
  state: LedgerState,
  levels: readonly Merged[],
  { item_id, read_at_ms }: StockReport,
): readonly RoutedUnits[] {
  const keys = (those: readonly Merged[]) => new Set(those.flatMap(({ level }) => level?.level_key ?? []));
  return settleRouted(findRouted(state, item_id), read_at_ms, {
    news: keys(levels.filter(({ is_news }) => is_news)),
    known: keys(levels),
  });
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
      put: observedPut(state, observation, NO_SUMS, report.read_at_ms),
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
  const put = observedPut(state, observation, level, readAt);
  const unproven_units = withholdRise(level, observation.available_units, readAt);
  return { put: { ...put, unproven_units, upstream_updated_at_ms: theirs ?? ours }, level, is_news: true };
}

function observedPut(
  state: LedgerState,
  observation: LevelObservation,
  { held_units, mirrored_units, doubted_units, guessed_units }: Pick<Level, keyof typeof NO_SUMS>,
  readAt: LedgerMs,
): LevelPut {
  return {
    location_id: observation.location_id,
    sellable_here: isOpen(state, observation.location_id),
    upstream_available_units: observation.available_units,
    upstream_on_hand_units: observation.on_hand_units,
    upstream_committed_units: observation.committed_units,
    held_units,
    mirrored_units,
    doubted_units,
    guessed_units,
    under_way_units: 0,
    unproven_units: 0,
    upstream_updated_at_ms: observation.upstream_updated_at_ms,
    read_at_ms: readAt,
  };
}

function putOf(level: Level): LevelPut {
  const {
    level_key,
    location_name,
    location_position,
    location_open,
    till_only,
    expired_units,
    routed_units,
    ...put
  } = level;
  return put;
}

function isOpen(state: LedgerState, locationId: string): boolean {
  return state.locations.get(locationId)?.active === true;
}

/** What the report's news does to the holds that waited for it, and the levels with their new sums. */
function moveHolds(
  state: LedgerState,
  before: Item | undefined,
  levels: readonly Merged[],
  report: SettlingReport,
  settings: LedgerSettings,
): {
  readonly moves: readonly HoldMove[];
  readonly puts: readonly LevelPut[];
  readonly doubted: readonly HoldMove[];
} {
  if (before === undefined) return { moves: [], puts: levels.map(({ put }) => put), doubted: [] };
  const ended = waitedFor(state, levels, report.read_at_ms, settings);
  const read = withSums(before, levels, ended);
  const placed = placeUnits(draftUnits(state, read, report, ended));
  const doubted = placed.riseUnits > 0 ? doubtHolds(state, levels, [...ended, ...placed.moves]) : [];
  const moves = [...ended, ...placed.moves, ...doubted];
  const puts = withSums(before, levels, moves).map(({ put, level }) => {
    if (level === undefined) return put;
    const under_way_units = placed.underWayUnits.get(level.level_key) ?? 0;
    const guessed_units = doubted.length > 0 ? 0 : (placed.guessedUnits.get(level.level_key) ?? 0);
    return { ...put, under_way_units, guessed_units };
  });
  return { moves, puts, doubted };
}

/**
 * The item has more than before without a reason of ours: units came in, or a person has removed or changed a draft. Which of the two
 * only the drafts tell, so what they hold is withheld until they were read back.
 */
function doubtHolds(state: LedgerState, levels: readonly Merged[], others: readonly HoldMove[]): HoldMove[] {
  const moved = new Set(others.map(({ hold, to }) => (hold ?? to)?.reservation_key));
  return levels.flatMap(({ level }) => {
    const holds = level === undefined ? [] : (state.mirrored.get(level.level_key) ?? []);
    return holds
      .filter((hold) => hold.awaits === null && hold.place !== 'doubted' && !moved.has(hold.reservation_key))
      .map((hold): HoldMove => ({ hold, to: { ...hold, place: 'doubted' } }));
  });
}

/**
 * Moves of holds that a level's own news decides. A sale whose units were never seen to go is settled only when every level that
 * can have had them was read since: any of them may be the one that the shop took them from.
 */
function waitedFor(
  state: LedgerState,
  levels: readonly Merged[],
  readAt: LedgerMs,
  settings: LedgerSettings,
): HoldMove[] {
  const covering = levels.filter(({ put, level }) => put.sellable_here || level?.till_only === true);
  const allReadAt = Math.min(readAt, ...covering.map(({ put }) => put.read_at_ms));
  return levels.flatMap(({ level, is_news }) => {
    if (level === undefined) return [];
    const holds = state.awaiting.get(level.level_key) ?? [];
    return holds.flatMap((hold) => {
      if (isUnseenSale(hold)) return moveOf(hold, allReadAt, settings);
      return is_news ? moveOf(hold, readAt, settings) : [];
    });
  });
}

/** It was sold before any figure showed where its units were taken. */
function isUnseenSale({ state, awaits }: Hold): boolean {
  return state === 'counted' && awaits === 'settle';
}

function moveOf(hold: Hold, readAt: LedgerMs, settings: LedgerSettings): HoldMove[] {
  const lapses = hold.mirror_until_ms !== null && hold.mirror_until_ms - settings.mirror_margin_ms <= readAt;
  if (hold.state === 'mirrored' && lapses && hold.awaits !== 'settle') {
    const ours = {
      place: 'promised',
      awaits: null,
      awaits_after_ms: null,
      mirror_until_ms: null,
    } as const;
    return [moved(hold, 'mirror_lapsed', ours)];
  }
  if (hold.awaits === null || hold.awaits_after_ms === null || readAt < hold.awaits_after_ms) return [];
  const rest = { awaits: null, awaits_after_ms: null } as const;
  switch (hold.awaits) {
    case 'settle':
      return [moved(hold, 'settle_reported', rest)];
    case 'return':
      return [moved(hold, 'return_reported', rest)];
    case 'mirror':
      if (lapses) return [{ hold, to: { ...hold, ...rest, place: 'promised' } }];
      // A move takes the units where we hold them, and has no end. Where a draft takes them, the item's levels tell.
      return hold.mirror_until_ms === null
        ? [moved(hold, 'mirror_reported', { ...rest, place: 'seen' })]
        : [];
  }
}

function moved(hold: Hold, event: HoldEvent, change: Partial<Hold>): HoldMove {
  const state = nextHoldState(hold.state, event);
  return { hold, to: state === null ? null : { ...hold, ...change, state } };
}

function withSums(before: Item, levels: readonly Merged[], moves: readonly HoldMove[]): Merged[] {
  const sums = new Map(sumsAfter(before.levels, moves).map((sum) => [sum.level_key, sum]));
  return levels.map((merged) => {
    const sum = merged.level === undefined ? undefined : sums.get(merged.level.level_key);
    if (sum === undefined) return merged;
    const { held_units, mirrored_units, doubted_units } = sum;
    return { ...merged, put: { ...merged.put, held_units, mirrored_units, doubted_units } };
  });
}

/** What this report can say of units that draft orders took, after the holds that it has ended. */
function draftUnits(
  state: LedgerState,
  levels: readonly Merged[],
  report: SettlingReport,
  ended: readonly HoldMove[],
): DraftUnits {
  const keys = levels.flatMap(({ level }) => (level === undefined ? [] : [level.level_key]));
  const nameOf = ({ level_key, reservation_key }: Hold): string => `${level_key}/${reservation_key}`;
  const over = new Set(ended.flatMap(({ hold }) => (hold === null ? [] : [nameOf(hold)])));
  const holdsAt = (holds: LedgerState['awaiting']): Hold[] =>
    keys.flatMap((key) => (holds.get(key) ?? []).filter((hold) => !over.has(nameOf(hold))));
  const opened = holdsAt(state.awaiting).filter(
    (hold) =>
      hold.awaits === 'mirror' &&
      hold.mirror_until_ms !== null &&
      (hold.awaits_after_ms ?? Number.POSITIVE_INFINITY) <= report.read_at_ms,
  );
  return {
    levels,
    isWhole: levels.every(({ put, is_news }) => !put.sellable_here || is_news),
    opened,
    guessed: holdsAt(state.guessed),
    left: ended.flatMap(({ hold }) =>
      hold?.place === 'guessed' && hold.awaits !== 'settle' && hold.state !== 'counted' ? [hold] : [],
    ),
    settledUnits: settledUnits(keys, ended, report.settled),
    hasUnsettled: holdsAt(state.awaiting).some(isUnseenSale),
    underWay: new Map(
      keys.map((key) => {
        const routed = routedUnderWay(findRouted(state, report.item_id), report.settled, key);
        return [key, [...unclearUnits(state, key, report.read_at_ms, ended), ...routed]];
      }),
    ),
  };
}

/**
 * By level: units that stood in the mirrored sum and are sold now, and those that went with an order that was moved. They have left
 * the stock there (or are back in it, below zero), so nothing has to explain them.
 */
function settledUnits(
  keys: readonly number[],
  ended: readonly HoldMove[],
  routed: readonly RoutedUnits[],
): ReadonlyMap<number, number> {
  const units = new Map(keys.map((key) => [key, routedAt(routed, key)]));
  for (const { hold } of ended) {
    if (hold?.awaits !== 'settle' || hold.state !== 'mirrored') continue;
    units.set(hold.level_key, (units.get(hold.level_key) ?? 0) + hold.quantity_units);
  }
  return units;
}

/** Our writes of holds at a level that a read begun at `readAt` may have seen or missed. */
function unclearUnits(
  state: LedgerState,
  levelKey: number,
  readAt: LedgerMs,
  ended: readonly HoldMove[],
): UnitsUnderWay[] {
  const justKnown = (state.awaiting.get(levelKey) ?? []).flatMap((hold): UnitsUnderWay[] => {
    const { awaits, awaits_after_ms, quantity_units, mirror_until_ms } = hold;
    if (awaits_after_ms === null || awaits_after_ms <= readAt) return [];
    const is_exact = mirror_until_ms === null;
    if (awaits === 'mirror') return [{ units: quantity_units, is_exact }];
    return awaits === 'return' && awaits_after_ms <= state.now_ms
      ? [{ units: -quantity_units, is_exact }]
      : [];
  });
  // The shop may let go of it at any moment from now on: its figure still leaves the units out, or has them again.
  const lapsed = ended.flatMap(({ hold, to }): UnitsUnderWay[] =>
    hold?.level_key === levelKey && hold.state === 'mirrored' && to?.state === 'counted'
      ? [{ units: hold.quantity_units, is_exact: true }]
      : [],
  );
  return [...justKnown, ...lapsed, ...(state.under_way.get(levelKey) ?? [])];
}

function nextItem(
  state: LedgerState,
  before: Item | undefined,
  report: StockReport,
  next: Entry & Pick<ItemPut, 'sku' | 'levels'>,
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

/** Another name is another state of its SKU: a new version, and all else as it is. */
function renameItem(
  state: LedgerState,
  { item, sku, isOwner }: Names['renamed'][number],
  salt: string,
): RenamedItem {
  const { item_key, confirmed_at_ms, levels: known, ...rest } = item;
  const levels = known.map(putOf);
  const locations = [...sellable(levels)].map(([id, units]) => ({ id, sellable: units }));
  const told = { shop: state.shop, sku, lifecycle: item.lifecycle, locations };
  const version = newVersion(item, told, state.now_ms, salt);
  return { is_owner: isOwner, item: { ...rest, ...version, sku, levels, is_new_version: true } };
}

/** Whether orders are for another variant of the shop, or may go below zero where they might not. */
function isSoldOtherwise(before: Item | undefined, after: ItemPut): boolean {
  return (
    before !== undefined &&
    (before.variant_id !== after.variant_id || before.inventory_policy !== after.inventory_policy)
  );
}

function renameNote({ item }: RenamedItem): JournalDraft {
  return { kind: 'stock.changed', of_item_id: item.item_id, data: journalData(item, []) };
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

/** What the catalogue says of an item, as the ledger tells it. */
type Entry = Pick<
  ItemPut,
  | 'variant_id'
  | 'product_id'
  | 'given_sku'
  | 'title'
  | 'variant_title'
  | 'lifecycle'
  | 'off_sale'
  | 'inventory_policy'
>;

/**
 * Newer wins here too: a late answer must not bring back an item that the shop has discontinued since. Null when nobody
 * has told of the item yet.
 */
function newestEntry(before: Item | undefined, report: StockReport): Entry | null {
  const { catalogue } = report;
  if (before !== undefined && (catalogue === null || report.read_at_ms < before.read_at_ms)) {
    const { variant_id, product_id, given_sku, title, variant_title, lifecycle } = before;
    const { off_sale, inventory_policy } = before;
    const names = { variant_id, product_id, given_sku, title, variant_title };
    return { ...names, lifecycle, off_sale, inventory_policy };
  }
  if (catalogue === null) return null;
  return {
    variant_id: catalogue.variant_id,
    product_id: catalogue.product_id,
    given_sku: readGivenSku(catalogue.sku),
    title: cleanText(catalogue.title, TITLE_MAX_CHARS),
    variant_title: cleanText(catalogue.variant_title, TITLE_MAX_CHARS),
    lifecycle: catalogue.lifecycle,
    off_sale: catalogue.lifecycle === 'active' ? null : (catalogue.off_sale ?? null),
    inventory_policy: catalogue.inventory_policy ?? 'deny',
  };
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
    ...(item.off_sale === null ? {} : { off_sale: item.off_sale }),
    variant_id: item.variant_id,
    ...(item.inventory_policy === 'continue' ? { policy: item.inventory_policy } : {}),
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
            (hold ?? to).reservation_key,
            (hold ?? to).quantity_units,
            hold?.state ?? 'elsewhere',
            to?.state ?? 'gone',
          ]),
        }),
  };
}
