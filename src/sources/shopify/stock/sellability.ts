/**
 * What may be sold at all, by what the schema (Shopify 2026-10) says of a listing: a variant with its product. Each row has
 * the field that says it and what the ledger is told. Where nothing refuses a listing, it is sold.
 *
 * Not rows, because the schema ties them to a buyer that nobody knows when units are promised: catalogs of companies and markets
 * (`publishedInContext`), quantity rules of companies, and which country a location serves.
 */

import type { Lifecycle, OffSale } from '../../../ledger/model/values/observation.js';
import type { Item } from '../client/documents.js';
import { compareTails, parseTail } from '../client/gid.js';

export type Listing = NonNullable<Item['variants']>['nodes'][number];

interface Row {
  readonly field: string;
  readonly refuses: (item: Pick<Item, 'tracked'>, listing: Listing) => boolean;
  readonly off_sale: OffSale;
  /** Default `unlisted`. */
  readonly lifecycle?: Lifecycle;
}

/** In order: of several that refuse a listing, the first is told. */
export const SELLABILITY: readonly Row[] = [
  {
    field: 'Product.status',
    refuses: (_, { product }) => product.status === 'ARCHIVED',
    off_sale: 'archived',
    lifecycle: 'discontinued',
  },
  {
    field: 'Product.status',
    refuses: (_, { product }) => product.status === 'UNLISTED',
    off_sale: 'direct_link_only',
  },
  // DRAFT, and what the schema may learn later: a status that is not known is not sold.
  { field: 'Product.status', refuses: (_, { product }) => product.status !== 'ACTIVE', off_sale: 'draft' },
  {
    field: 'ProductVariant.requiresComponents',
    refuses: (_, { requiresComponents }) => requiresComponents,
    off_sale: 'bundle',
  },
  {
    field: 'Product.combinedListingRole',
    refuses: (_, { product }) => product.combinedListingRole === 'PARENT',
    off_sale: 'combined_listing',
  },
  {
    field: 'Product.requiresSellingPlan',
    refuses: (_, { product }) => product.requiresSellingPlan,
    off_sale: 'subscription_only',
  },
  { field: 'Product.isGiftCard', refuses: (_, { product }) => product.isGiftCard, off_sale: 'gift_card' },
  { field: 'InventoryItem.tracked', refuses: ({ tracked }) => !tracked, off_sale: 'untracked' },
  // Asked for where a publication counts (HOLDFAST_PUBLICATION); absent otherwise.
  {
    field: 'Product.publishedOnPublication',
    refuses: (_, { product }) => product.publishedOnPublication === false,
    off_sale: 'not_published',
  },
  {
    field: 'ProductVariant.publishedOnPublication',
    refuses: (_, { publishedOnPublication }) => publishedOnPublication === false,
    off_sale: 'not_published',
  },
];

export interface Sellability {
  readonly lifecycle: Lifecycle;
  readonly off_sale: OffSale | null;
}

export function judgeListing(item: Pick<Item, 'tracked'>, listing: Listing): Sellability {
  const row = SELLABILITY.find(({ refuses }) => refuses(item, listing));
  if (row === undefined) return { lifecycle: 'active', off_sale: null };
  return { lifecycle: row.lifecycle ?? 'unlisted', off_sale: row.off_sale };
}

const RANKS = { active: 0, unlisted: 1, discontinued: 2 } as const satisfies Record<Lifecycle, number>;

/** The listing that an item is sold as: one that is sold before one that is not, then the newest. Null without any. */
export function chooseListing(item: Pick<Item, 'tracked'>, listings: readonly Listing[]): Listing | null {
  const rank = (listing: Listing) => RANKS[judgeListing(item, listing).lifecycle];
  const tail = ({ id }: Listing) => parseTail('ProductVariant', id);
  const isBetter = (one: Listing, other: Listing) =>
    rank(one) === rank(other) ? compareTails(tail(one), tail(other)) > 0 : rank(one) < rank(other);
  return listings.reduce<Listing | null>(
    (best, listing) => (best === null || isBetter(listing, best) ? listing : best),
    null,
  );
}
