/**
 * Which of the items that the shop gives one SKU is known by it. Shopify lets many listings have one SKU: a relaunch beside the old
 * listing in draft, a copy, two items that swap. Agents mean the one that is sold, so the active one has the name, and of
 * several the newest. All others get a name of their own, made of the SKU and the variant id.
 */

import type { Item } from '../model/stock.js';
import type { Lifecycle } from '../model/values/observation.js';
import { isNameableSku } from '../model/values/text.js';

/** Names that the ledger makes itself. A shop that uses one as a SKU gets another, or two items would want it. */
const MADE_UP_SKU = /^variant-\d+$|~\d+$/u;
/** Of a SKU, when the variant id has to fit behind it. */
const SKU_STEM_MAX_CHARS = 200;

const RANKS = { active: 0, unlisted: 1, discontinued: 2 } as const satisfies Record<Lifecycle, number>;

/** What decides who is known by a SKU. */
export type Claimant = Pick<Item, 'item_id' | 'variant_id' | 'lifecycle' | 'given_sku'>;

export interface Names {
  /** Of the claimant that was asked for. */
  readonly sku: string;
  /** Others whose names change with it. Those that give a name up come first, those that get one last. */
  readonly renamed: readonly { readonly item: Item; readonly sku: string; readonly isOwner: boolean }[];
}

/** The shop's SKU without blanks around it; null where it has none that an agent could name. */
export function readGivenSku(sku: string | null): string | null {
  const given = sku?.trim() ?? '';
  return isNameableSku(given) ? given : null;
}

/**
 * Names an item and whoever else wants its SKU, or the one that it had before. `claimants`: the items that the ledger knows by a
 * SKU, or that want it most.
 */
export function assignNames(
  claimant: Claimant,
  before: Item | undefined,
  claimants: (sku: string) => readonly Item[],
): Names {
  const { given_sku } = claimant;
  if (before !== undefined && isSameClaim(before, claimant)) return { sku: before.sku, renamed: [] };
  const left = before === undefined || before.given_sku === given_sku ? null : before.given_sku;
  const renamed = [given_sku, left].flatMap((sku) => {
    if (sku === null) return [];
    const others = claimants(sku).filter(({ item_id }) => item_id !== claimant.item_id);
    const owner = chooseOwner(sku, sku === given_sku ? [...others, claimant] : others);
    return others.flatMap((item) => {
      const isOwner = item.item_id === owner;
      const name = isOwner ? sku : makeUpName(item, sku);
      return name === item.sku ? [] : [{ item, sku: name, isOwner }];
    });
  });
  if (given_sku === null) return { sku: makeUpName(claimant, null), renamed };
  const others = claimants(given_sku).filter(({ item_id }) => item_id !== claimant.item_id);
  const isOwner = chooseOwner(given_sku, [...others, claimant]) === claimant.item_id;
  return { sku: isOwner ? given_sku : makeUpName(claimant, given_sku), renamed };
}

/** Whatever else changes of an item, nobody's name does. */
function isSameClaim(before: Claimant, after: Claimant): boolean {
  return (
    before.given_sku === after.given_sku &&
    before.lifecycle === after.lifecycle &&
    before.variant_id === after.variant_id
  );
}

/** Null: nobody is known by it. */
function chooseOwner(sku: string, claimants: readonly Claimant[]): string | null {
  if (MADE_UP_SKU.test(sku)) return null;
  const [first, ...others] = claimants;
  if (first === undefined) return null;
  return others.reduce((best, one) => (isBetter(one, best) ? one : best), first).item_id;
}

function isBetter(one: Claimant, other: Claimant): boolean {
  const rank = RANKS[one.lifecycle] - RANKS[other.lifecycle];
  return rank === 0 ? isNewer(one.variant_id, other.variant_id) : rank < 0;
}

/** The shop's ids grow. They are digits without leading zeros, so the longer one is the larger number. */
function isNewer(id: string, other: string): boolean {
  return id.length === other.length ? id > other : id.length > other.length;
}

function makeUpName({ variant_id }: Claimant, sku: string | null): string {
  if (sku === null) return `variant-${variant_id}`;
  // Never cut through a surrogate pair: half a character can't be hashed.
  const stem = sku.slice(0, SKU_STEM_MAX_CHARS).replace(/\p{Cs}$/u, '');
  return `${stem}~${variant_id}`;
}
