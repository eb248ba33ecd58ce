/**
 * Order routing: where a draft order, or an order without a location of its own, takes its units. At Shopify the merchant
 * sets it; it is dynamic, applies to draft orders too, and may split a line over several locations. What a draft does in
 * a given shop can't be known beforehand, so the sandbox has several rules, and `any` draws one for every taking from the
 * seed: a client has to look at the levels.
 */

import { FaultError } from '../../base/faults.js';
import type { Line } from '../../base/line.js';
import type { Random } from '../../base/random.js';
import type { Inventory, Level, Taken } from '../stock/inventory.js';

/**
 * `lowest_id`: the first location that stocks the item, by id, whatever its stock. `preferred`: the same by the merchant's
 * preference. `in_stock`: the most preferred location that has all units of the line; when none has, the most preferred.
 * `split`: down the preference, from each location what it has; what is missing from the most preferred.
 */
export const ROUTING_RULES = ['lowest_id', 'preferred', 'in_stock', 'split'] as const;

export type RoutingRule = (typeof ROUTING_RULES)[number];

export interface RoutingSettings {
  /** `any`: another one of the rules for each taking, drawn from the seed. Default `in_stock`. */
  readonly rule?: RoutingRule | 'any';
  /** Names of locations, most preferred first; those not named follow by id. Default: by id. */
  readonly preference?: readonly string[];
  /**
   * Whether locations that do not fulfil online orders serve drafts and orders like any other. Shopify does not document
   * it for draft orders. Default false: only where no other location stocks the item.
   */
  readonly uses_offline?: boolean;
}

/** Units of one level, for the line at that position. */
export interface Allocation {
  readonly position: number;
  readonly level: Level;
  readonly units: number;
}

export class Routing {
  readonly #inventory: Inventory;
  readonly #random: Random;
  #settings: Required<RoutingSettings>;

  constructor(inventory: Inventory, settings: RoutingSettings, random: Random) {
    this.#inventory = inventory;
    this.#random = random;
    this.#settings = { rule: 'in_stock', preference: [], uses_offline: false, ...settings };
  }

  get settings(): Required<RoutingSettings> {
    return this.#settings;
  }

  /** Changes what is named, for what is taken from now on. */
  set(settings: RoutingSettings): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /**
   * Where the lines take their units, without a look at whether there are enough. Custom lines, untracked items and items
   * that no active location stocks take nothing.
   */
  allocate(lines: readonly Line[]): readonly Allocation[] {
    const rule = this.#drawRule();
    const taken = new Map<Level, number>();
    return lines.flatMap((line, position) =>
      listTakings(this.#inventory, line).flatMap(({ itemId, quantity }) => {
        const levels = this.#levelsFor(itemId, rule);
        return takeUnits(levels, quantity, { rule, taken }).map((one) => ({ position, ...one }));
      }),
    );
  }

  /**
   * Where an order takes its units if every line is in stock at one location, or under `split` at several. With
   * `obeysPolicy` only variants with the policy CONTINUE may take more than there is: null when another one has to.
   */
  claim(lines: readonly Line[], obeysPolicy: boolean): readonly Allocation[] | null {
    const drawn = this.#drawRule();
    const rule = drawn === 'split' ? 'split' : 'in_stock';
    const taken = new Map<Level, number>();
    const allocations: Allocation[] = [];
    const wanted = lines.flatMap((line, position) =>
      listTakings(this.#inventory, line).map((one) => ({ position, ...one })),
    );
    for (const { position, itemId, variantId, quantity } of wanted) {
      const before = new Map(taken);
      const own = takeUnits(this.#levelsFor(itemId, drawn), quantity, { rule, taken });
      const isCovered = own.every(
        ({ level, units }) => level.quantities.available - (before.get(level) ?? 0) >= units,
      );
      const isOversellable = this.#inventory.variants.get(variantId)?.inventoryPolicy === 'CONTINUE';
      if (obeysPolicy && !isOversellable && !(own.length > 0 && isCovered)) return null;
      allocations.push(...own.map((one) => ({ position, ...one })));
    }
    return allocations;
  }

  #drawRule(): RoutingRule {
    const { rule } = this.#settings;
    if (rule !== 'any') return rule;
    return ROUTING_RULES[Math.floor(this.#random() * ROUTING_RULES.length)] ?? 'in_stock';
  }

  /** The levels that can serve the item, first choice first. */
  #levelsFor(itemId: string, rule: RoutingRule): readonly Level[] {
    const byId = this.#onlineLevels(itemId);
    if (rule === 'lowest_id') return byId;
    const { preference } = this.#settings;
    const rank = (level: Level): number => {
      const name = this.#inventory.locations.get(level.locationId)?.name ?? '';
      const at = preference.indexOf(name);
      return at < 0 ? preference.length : at;
    };
    return [...byId].sort((left, right) => rank(left) - rank(right));
  }

  #onlineLevels(itemId: string): readonly Level[] {
    const open = this.#inventory.servingLevels(itemId);
    if (this.#settings.uses_offline) return open;
    const online = open.filter(
      ({ locationId }) => this.#inventory.locations.get(locationId)?.fulfillsOnlineOrders,
    );
    return online.length > 0 ? online : open;
  }
}

/** Takes so many units at the levels, by the rule. `taken`: what other lines of the same order take; added to. */
function takeUnits(
  levels: readonly Level[],
  quantity: number,
  { rule, taken }: { readonly rule: RoutingRule; readonly taken: Map<Level, number> },
): { readonly level: Level; readonly units: number }[] {
  const [first] = levels;
  if (first === undefined) return [];
  const left = (level: Level) => Math.max(0, level.quantities.available - (taken.get(level) ?? 0));
  const units = new Map<Level, number>();
  if (rule === 'split') {
    let wanted = quantity;
    for (const level of levels) {
      const some = Math.min(wanted, left(level));
      if (some > 0) units.set(level, some);
      wanted -= some;
    }
    if (wanted > 0) units.set(first, (units.get(first) ?? 0) + wanted);
  } else {
    const able = rule === 'in_stock' ? levels.find((level) => left(level) >= quantity) : undefined;
    units.set(able ?? first, quantity);
  }
  for (const [level, some] of units) taken.set(level, (taken.get(level) ?? 0) + some);
  return [...units].map(([level, some]) => ({ level, units: some }));
}

/** Settings from outside. Throws `FaultError` on what makes no sense. */
export function parseRouting(value: Readonly<Record<string, unknown>>): RoutingSettings {
  const { rule, preference, uses_offline, ...unknown } = value;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new FaultError(`routing has rule, preference and uses_offline, not ${name}`);
  if (rule !== undefined && rule !== 'any' && !ROUTING_RULES.includes(rule as RoutingRule)) {
    throw new FaultError(`routing.rule must be one of ${ROUTING_RULES.join(', ')} or any`);
  }
  const isList = Array.isArray(preference) && preference.every((one) => typeof one === 'string');
  if (preference !== undefined && !isList)
    throw new FaultError('routing.preference must be a list of names of locations');
  if (uses_offline !== undefined && typeof uses_offline !== 'boolean')
    throw new FaultError('routing.uses_offline must be true or false');
  return {
    ...(uses_offline === undefined ? {} : { uses_offline }),
    ...(rule === undefined ? {} : { rule: rule as RoutingRule | 'any' }),
    ...(preference === undefined ? {} : { preference: preference as readonly string[] }),
  };
}

/** Stock that a line takes. Custom lines and untracked items take none; the item of a deleted variant may live on with another. */
export function listTakings(inventory: Inventory, { variantId, itemId, quantity }: Line): readonly Taken[] {
  if (variantId === null || itemId === null) return [];
  const variant = inventory.variants.get(variantId);
  if (variant !== undefined) return inventory.listTakings(variant, quantity);
  return inventory.items.get(itemId)?.tracked ? [{ itemId, variantId, quantity }] : [];
}
