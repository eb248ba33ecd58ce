/**
 * Finds out from the levels of one item where the units of draft orders stand. A draft has no location: the shop takes its
 * units where the merchant's routing says, and may split a line over several levels. So nothing is assumed of the place.
 *
 * The figures of a read are compared with those of the read before it. Units count at the item first: a fall of the total that
 * is at least as large as all drafts that the read must show means that the figures leave their units out, and the ledger must
 * not subtract them a second time. A smaller fall is ambiguous: those holds stay counted on our side (`missed`), until a later
 * fall explains them exactly, or they end. The level is a matter of the checksum and of what people are told, never of a
 * promise: it is `seen` when only one assignment explains all levels, else `guessed`.
 *
 * The next read is compared with where the guesses put the units, so a wrong guess explains itself. What makes a guess `seen` later
 * is that another one was given back; that proves something only as long as the guesses of an item are right together, level by
 * level, whichever draft has which unit. They are when the reads that placed them explain them to the unit. A till that sold
 * beside them, a draft that was sold from an unknown level, a hold that lapsed: each ends that. So every level keeps how many
 * units are proved in this way (`Level.guessed_units`), and a sum of guesses that differs from it proves nothing.
 */

import { type Hold, type HoldPlace, nextHoldState } from '../model/hold.js';
import { type Level, sellableUnits } from '../model/stock.js';
import type { HoldMove, LevelPut, UnitsUnderWay } from '../state/state.js';

/** A level of the item after a report, before units of drafts are placed. */
export interface ReadLevel {
  readonly put: LevelPut;
  readonly level: Level | undefined;
}

export interface DraftUnits {
  readonly levels: readonly ReadLevel[];
  /** Every level that can sell was read, and this read is the newest of each. */
  readonly isWhole: boolean;
  /** Counted holds of drafts that were open before the read began. */
  readonly opened: readonly Hold[];
  /** Holds that the figures leave out already, at a level that is a guess. */
  readonly guessed: readonly Hold[];
  /** Guessed holds that the shop has given back, or may have by now: what is left may have become certain. */
  readonly left: readonly Hold[];
  /** Units of the item were sold from drafts whose level was never known, and this read may show some of them gone, or not. */
  readonly hasUnsettled: boolean;
  /** By level: mirrored units that became sold with this report, and units that left with an order that was moved there. */
  readonly settledUnits: ReadonlyMap<number, number>;
  /** By level of the hold: writes of ours that the read may show or not. */
  readonly underWay: ReadonlyMap<number, readonly UnitsUnderWay[]>;
}

export interface PlacedUnits {
  readonly moves: readonly HoldMove[];
  /** By level: units of guessed holds that are right together with those of the other levels; `Level.guessed_units`. */
  readonly guessedUnits: ReadonlyMap<number, number>;
  /** By level: units that the figure leaves out and our sums do not. */
  readonly underWayUnits: ReadonlyMap<number, number>;
  /** Units that the item has more than before, and nothing of ours explains. */
  readonly riseUnits: number;
}

/** The holds of one draft order, with their units of this item. */
interface Group {
  readonly holds: readonly Hold[];
  readonly units: number;
}

/** One level, and by how much its figure is lower than all known holds explain. */
interface Slot {
  readonly level_key: number;
  readonly gap: number;
}

/** Places the units of drafts at the levels that show them gone. */
export function placeUnits(draft: DraftUnits): PlacedUnits {
  const slots = slotsOf(draft);
  const guessed = groupHolds(draft.guessed);
  const isProved = areGuessesProved(draft);
  const gap = sum(slots.map((slot) => slot.gap));
  const { shown, missed } = splitByFall(groupHolds(draft.opened), gap - unitsOf(guessed));
  const groups = [...guessed, ...shown];
  // With more there than before nothing can be learnt of guesses: they stay where they are.
  const { isUnique, assigned } = gap < unitsOf(guessed) ? keepPlaces(groups) : assign(groups, slots);
  const moves = groups.flatMap((group, index) => {
    const isNew = index >= guessed.length;
    // A return from a level that was guessed wrongly looks like a fall at the guessed one, also to a new draft.
    const isComparable = isNew ? isProved || draft.left.length === 0 : isProved && draft.left.length > 0;
    const maySettle = slots.length === 1 || (isComparable && !draft.hasUnsettled);
    return moveGroup(group, assigned[index] ?? new Map(), isUnique && maySettle ? 'seen' : 'guessed');
  });
  const taken = (key: number) => sum(assigned.map((units) => units.get(key) ?? 0));
  const rest = slots.map(({ level_key, gap: own }) => ({ level_key, gap: own - taken(level_key) }));
  const underWayUnits = explainRest(rest, draft, missed);
  const rise = sum(rest.map(({ level_key, gap: own }) => (underWayUnits.has(level_key) ? 0 : -own)));
  const isExplained = sum(slots.map((slot) => Math.abs(slot.gap))) === unitsOf(groups);
  const isExact = isExplained && draft.isWhole && !draft.hasUnsettled;
  return {
    moves: [...moves, ...(draft.isWhole ? missed.flatMap(markMissed) : [])],
    guessedUnits: isProved ? proveGuesses(draft, moves, isExact) : new Map(),
    underWayUnits,
    riseUnits: Math.max(0, rise),
  };
}

function slotsOf({ levels, guessed, settledUnits }: DraftUnits): Slot[] {
  const guessedAt = sumByLevel(guessed);
  return levels.flatMap(({ put, level }): Slot[] => {
    if (level === undefined || !put.sellable_here) return [];
    const { level_key } = level;
    const known = put.upstream_available_units + put.mirrored_units - (guessedAt.get(level_key) ?? 0);
    const before = sellableUnits(level) - (settledUnits.get(level_key) ?? 0);
    // A level that could not sell before has no figure to compare with.
    return [{ level_key, gap: level.sellable_here ? before - known : 0 }];
  });
}

/** Whether the guesses that stood before this read are right together: nothing has joined or left them since they were proved. */
function areGuessesProved({ levels, guessed, left }: DraftUnits): boolean {
  const units = sumByLevel([...guessed, ...left]);
  return levels.every(
    ({ level }) =>
      level === undefined ||
      (level.doubted_units === 0 && level.guessed_units === (units.get(level.level_key) ?? 0)),
  );
}

/** By level: units of the guesses after this read, if they are still right together. What else has changed matters only to new ones. */
function proveGuesses(
  { guessed, left }: DraftUnits,
  moves: readonly HoldMove[],
  isExact: boolean,
): ReadonlyMap<number, number> {
  const moved = new Set(moves.flatMap(({ hold }) => (hold === null ? [] : [hold])));
  const kept = guessed.filter((hold) => !moved.has(hold));
  const placed = moves.flatMap(({ to }) => (to?.place === 'guessed' ? [to] : []));
  const isUntouched = kept.length === guessed.length && left.length === 0 && placed.length === 0;
  return isExact || isUntouched ? sumByLevel([...kept, ...placed]) : new Map();
}

/** Which drafts the fall of the item's total shows. Those of a read that had missed them want an exact match. */
function splitByFall(groups: readonly Group[], fall: number): { shown: Group[]; missed: Group[] } {
  const isOld = ({ holds }: Group) => holds.some(({ place }) => place === 'missed');
  const fresh = groups.filter((group) => !isOld(group));
  const old = groups.filter(isOld);
  const isFreshShown = fall >= unitsOf(fresh);
  const rest = isFreshShown ? fall - unitsOf(fresh) : fall;
  const isOldShown = old.length > 0 && rest === unitsOf(old);
  return {
    shown: [...(isOldShown ? old : []), ...(isFreshShown ? fresh : [])],
    missed: [...(isOldShown ? [] : old), ...(isFreshShown ? [] : fresh)],
  };
}

interface Assignment {
  readonly isUnique: boolean;
  /** By group: units by level. */
  readonly assigned: readonly ReadonlyMap<number, number>[];
}

function keepPlaces(groups: readonly Group[]): Assignment {
  const assigned = groups.map(
    ({ holds }) => new Map(holds.map(({ level_key, quantity_units }) => [level_key, quantity_units])),
  );
  return { isUnique: false, assigned };
}

/** Gives each group its units at levels that have a gap, where it stood before if it can. */
function assign(groups: readonly Group[], slots: readonly Slot[]): Assignment {
  const left = new Map(slots.map(({ level_key, gap }) => [level_key, Math.max(0, gap)]));
  const lower = slots.filter(({ gap }) => gap > 0);
  const isExact = sum(slots.map(({ gap }) => Math.abs(gap))) === unitsOf(groups);
  // One level that is lower, and no other that has changed: also what the till took, it took there.
  const isOnePlace = slots.length === 1 || (lower.length === 1 && slots.every(({ gap }) => gap >= 0));
  const assigned = groups.map(({ holds, units }) => {
    const own = new Map<number, number>();
    let wanted = units;
    const take = (level_key: number, most: number): void => {
      const some = Math.min(wanted, most);
      if (some <= 0) return;
      own.set(level_key, (own.get(level_key) ?? 0) + some);
      left.set(level_key, (left.get(level_key) ?? 0) - some);
      wanted -= some;
    };
    for (const { level_key, quantity_units } of holds)
      take(level_key, Math.min(quantity_units, left.get(level_key) ?? 0));
    for (const { level_key } of slots) take(level_key, left.get(level_key) ?? 0);
    const [first] = holds;
    if (first !== undefined) take(first.level_key, wanted);
    return own;
  });
  return { isUnique: isOnePlace || (isExact && groups.length === 1), assigned };
}

function moveGroup({ holds }: Group, units: ReadonlyMap<number, number>, place: HoldPlace): HoldMove[] {
  const [first] = holds;
  if (first === undefined) return [];
  const before = new Map(holds.map((hold) => [hold.level_key, hold]));
  const gone = holds
    .filter(({ level_key }) => !units.has(level_key))
    .map((hold): HoldMove => ({ hold, to: null }));
  const placed = [...units].flatMap(([level_key, quantity_units]): HoldMove[] => {
    const hold = before.get(level_key);
    const to = mirrored({ ...(hold ?? first), level_key, quantity_units }, place);
    if (hold === undefined) return [{ hold: null, to }];
    const isSame =
      hold.state === to.state && hold.place === to.place && hold.quantity_units === to.quantity_units;
    return isSame ? [] : [{ hold, to }];
  });
  return [...gone, ...placed];
}

function mirrored(hold: Hold, place: HoldPlace): Hold {
  if (hold.state !== 'counted') return { ...hold, place };
  const state = nextHoldState(hold.state, 'mirror_reported');
  if (state === null) throw new Error('a hold that is mirrored stays');
  return { ...hold, state, place, awaits: null, awaits_after_ms: null };
}

function markMissed({ holds }: Group): HoldMove[] {
  return holds
    .filter(({ place }) => place !== 'missed')
    .map((hold) => ({ hold, to: { ...hold, place: 'missed' } }));
}

/**
 * What is left of the gaps is taken for writes of ours under way where they can explain all of it, to the unit: else every draft
 * made beside another would turn everybody's checksum stale for a moment. It enters no promise.
 */
function explainRest(
  rest: readonly Slot[],
  { underWay, isWhole }: DraftUnits,
  missed: readonly Group[],
): ReadonlyMap<number, number> {
  const exact = (key: number) =>
    (underWay.get(key) ?? []).filter(({ is_exact }) => is_exact).map(({ units }) => units);
  const byMoves = rest.filter(({ level_key, gap }) => gap !== 0 && canSumTo(gap, exact(level_key)));
  const others = rest.filter((slot) => slot.gap !== 0 && !byMoves.includes(slot));
  const drafts = [...underWay.values()].flat().filter(({ is_exact }) => !is_exact);
  const units = drafts.map((one) => one.units);
  const shown = isWhole ? units : [...units, ...missed.map((group) => group.units)];
  const explained = isExplained(others, shown, isWhole) ? others : [];
  return new Map([...byMoves, ...explained].map(({ level_key, gap }) => [level_key, gap]));
}

/** A read of some levels may show a part of a draft; one of all levels shows it whole or not at all. */
function isExplained(gaps: readonly Slot[], units: readonly number[], isWhole: boolean): boolean {
  if (units.length === 0) return false;
  const fall = sum(gaps.map(({ gap }) => Math.max(0, gap)));
  const rise = sum(gaps.map(({ gap }) => Math.max(0, -gap)));
  const taken = units.filter((one) => one > 0);
  const back = units.filter((one) => one < 0).map((one) => -one);
  if (!isWhole) return fall <= sum(taken) && rise <= sum(back);
  return (canSumTo(fall, taken) && canSumTo(rise, back)) || canSumTo(fall - rise, units);
}

/** More writes than that at one level at one moment are not told apart: the checksum then changes, which only costs a re-check. */
const UNCLEAR_MAX = 64;

/** Sums of writes of many different sizes double with each: beyond this many none is looked for either. */
const SUMS_MAX = 4_096;

function canSumTo(units: number, parts: readonly number[]): boolean {
  if (parts.length > UNCLEAR_MAX) return false;
  let sums = new Set([0]);
  for (const part of parts) {
    sums = new Set([...sums, ...[...sums].map((one) => one + part)]);
    if (sums.size > SUMS_MAX) return false;
  }
  return sums.has(units);
}

/** By reservation, the oldest first. */
function groupHolds(holds: readonly Hold[]): Group[] {
  const byOwner = new Map<number, Hold[]>();
  for (const hold of [...holds].sort((a, b) => a.reservation_key - b.reservation_key)) {
    const own = byOwner.get(hold.reservation_key);
    if (own === undefined) byOwner.set(hold.reservation_key, [hold]);
    else own.push(hold);
  }
  return [...byOwner.values()].map((own) => ({
    holds: own,
    units: sum(own.map((hold) => hold.quantity_units)),
  }));
}

function unitsOf(groups: readonly Group[]): number {
  return sum(groups.map(({ units }) => units));
}

function sumByLevel(holds: readonly Hold[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { level_key, quantity_units } of holds)
    sums.set(level_key, (sums.get(level_key) ?? 0) + quantity_units);
  return sums;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
