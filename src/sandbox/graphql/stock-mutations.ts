/** The fields of Mutation that are about products, items, and where they are stocked. */

import type { GraphQLResolveInfo } from 'graphql';
import {
  KEY_MISMATCH,
  refuseIdempotencyKey,
  requireEmulated,
  requireIdempotencyKey,
} from '../api-rules/mutation-rules.js';
import type { InventoryPolicy } from '../base/catalogue.js';
import { parseCents } from '../base/money.js';
import type { CodedUserError } from '../base/user-error.js';
import type { Variant } from '../shop/stock/inventory.js';
import type { ItemChange, VariantChange } from '../shop/stock/product-changes.js';
import type { LocationResult } from '../shop/stock-places.js';
import type { Context, Fields } from './context.js';
import { requireArrayLimit, requireGid, shopFields } from './queries.js';

export const STOCK_MUTATIONS: Fields<unknown> = {
  inventoryActivate: (_root, args: ActivateArguments, { shop, nowMs }, info) => {
    const key = requireIdempotencyKey(info);
    const request = {
      inventoryItemId: requireGid(args.inventoryItemId),
      locationId: requireGid(args.locationId),
      available: args.available ?? null,
      onHand: args.onHand ?? null,
    };
    const result = shop.idempotencyKeys.once(key, info.fieldName, request, nowMs, () =>
      shop.stockPlaces.activate(request, nowMs),
    );
    return result === 'mismatch' ? { inventoryLevel: null, userErrors: [KEY_MISMATCH] } : result;
  },
  inventoryDeactivate: (_root, args: { inventoryLevelId: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return { userErrors: shop.stockPlaces.deactivate(requireGid(args.inventoryLevelId), nowMs) };
  },
  inventoryItemUpdate: (_root, { id, input }: ItemArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const item = shop.inventory.items.get(requireGid(id));
    if (!item) {
      const message = "The product couldn't be updated because it does not exist.";
      return { inventoryItem: null, userErrors: [{ field: ['id'], message }] };
    }
    shop.productChanges.updateItem(item, itemChange(input), nowMs);
    return { inventoryItem: item, userErrors: [] };
  },
  locationActivate: (_root, { locationId }: { locationId: string }, context, info) => {
    const id = requireGid(locationId);
    const { location, errors } = placeOnce(context, info, { id }, () =>
      context.shop.stockPlaces.openLocation(id, context.nowMs),
    );
    return { location, locationActivateUserErrors: errors };
  },
  locationDeactivate: (_root, args: DeactivateArguments, context, info) => {
    const id = requireGid(args.locationId);
    const destination = args.destinationLocationId == null ? null : requireGid(args.destinationLocationId);
    const { location, errors } = placeOnce(context, info, { id, destination }, () =>
      context.shop.stockPlaces.closeLocation(id, destination, context.nowMs),
    );
    return { location, locationDeactivateUserErrors: errors };
  },
  productDelete: (_root, { input }: { input: { id: string } }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    const product = shop.inventory.products.get(requireGid(input.id));
    if (!product) {
      const userErrors = [{ field: ['id'], message: 'Product does not exist' }];
      return { deletedProductId: null, shop: shopFields(shop), userErrors };
    }
    shop.productChanges.deleteProduct(product, nowMs);
    return { deletedProductId: product.id, shop: shopFields(shop), userErrors: [] };
  },
  productVariantsBulkUpdate: (_root, args: VariantsArguments, context, info) => {
    refuseIdempotencyKey(info);
    requireArrayLimit(args.variants);
    return updateVariants(args, context);
  },
};

interface ActivateArguments {
  readonly inventoryItemId: string;
  readonly locationId: string;
  readonly available?: number | null;
  readonly onHand?: number | null;
}

interface DeactivateArguments {
  readonly locationId: string;
  readonly destinationLocationId?: string | null;
}

interface ItemInput {
  readonly sku?: string | null;
  readonly tracked?: boolean | null;
}

interface ItemArguments {
  readonly id: string;
  readonly input: ItemInput;
}

interface VariantInput {
  readonly id?: string | null;
  readonly price?: string | null;
  readonly inventoryPolicy?: InventoryPolicy | null;
  readonly inventoryItem?: ItemInput | null;
}

interface VariantsArguments {
  readonly productId: string;
  readonly variants: readonly VariantInput[];
  readonly allowPartialUpdates?: boolean | null;
}

const EMULATED_ITEM_FIELDS = new Set(['sku', 'tracked', 'cost', 'requiresShipping']);
const EMULATED_VARIANT_FIELDS = new Set([
  'id',
  'price',
  'inventoryPolicy',
  'inventoryItem',
  'taxable',
  'taxCode',
]);

function itemChange(input: ItemInput): ItemChange {
  requireEmulated('InventoryItemInput', input, EMULATED_ITEM_FIELDS);
  return {
    ...(input.sku === undefined ? {} : { sku: input.sku }),
    ...(input.tracked == null ? {} : { tracked: input.tracked }),
  };
}

/** All variants or none; with `allowPartialUpdates` those that are without fault. */
function updateVariants(args: VariantsArguments, { shop, nowMs }: Context) {
  const { inventory } = shop;
  const product = inventory.products.get(requireGid(args.productId));
  if (!product)
    return refusedVariants([error(['productId'], 'Product does not exist', 'PRODUCT_DOES_NOT_EXIST')]);
  const errors: CodedUserError[] = [];
  const changes: { variant: Variant; change: VariantChange }[] = [];
  for (const [index, input] of args.variants.entries()) {
    requireEmulated('ProductVariantsBulkInput', input, EMULATED_VARIANT_FIELDS);
    const change = variantChange(input);
    const field = ['variants', String(index)];
    const variant = input.id == null ? undefined : inventory.variants.get(requireGid(input.id));
    if (input.id == null) {
      errors.push(
        error([...field, 'id'], 'Product variant is missing ID attribute', 'PRODUCT_VARIANT_ID_MISSING'),
      );
    } else if (variant?.productId !== product.id) {
      errors.push(
        error([...field, 'id'], 'Product variant does not exist', 'PRODUCT_VARIANT_DOES_NOT_EXIST'),
      );
    } else {
      changes.push({ variant, change });
    }
  }
  if (errors.length > 0 && !args.allowPartialUpdates) return { ...refusedVariants(errors), product };
  for (const { variant, change } of changes) shop.productChanges.updateVariant(variant, change, nowMs);
  return { product, productVariants: changes.map(({ variant }) => variant), userErrors: errors };
}

function variantChange({ price, inventoryPolicy, inventoryItem }: VariantInput): VariantChange {
  return {
    ...(price == null ? {} : { priceCents: parseCents(price) }),
    ...(inventoryPolicy == null ? {} : { inventoryPolicy }),
    ...(inventoryItem == null ? {} : { item: itemChange(inventoryItem) }),
  };
}

function refusedVariants(userErrors: readonly CodedUserError[]) {
  return { product: null, productVariants: null, userErrors };
}

function error(field: readonly string[], message: string, code: string): CodedUserError {
  return { field, message, code };
}

function placeOnce(
  { shop, nowMs }: Context,
  info: GraphQLResolveInfo,
  input: object,
  work: () => LocationResult,
): LocationResult {
  const key = requireIdempotencyKey(info);
  const result = shop.idempotencyKeys.once(key, info.fieldName, input, nowMs, work);
  return result === 'mismatch' ? { location: null, errors: [KEY_MISMATCH] } : result;
}
