/** Fields that many types have alike, and those of draft orders, of lines and of addresses. */

import { type PageArguments, paginate } from '../api-rules/connection.js';
import { numberOfGid } from '../base/gid.js';
import { type Address, type Line, totalCents } from '../base/line.js';
import { formatCents } from '../base/money.js';
import { isoSeconds } from '../base/time.js';
import { PLAIN_LISTING } from '../shop/listings.js';
import type { DraftOrder } from '../shop/orders/draft-orders.js';
import { SHOP_CURRENCY } from '../shop/shop.js';
import type { Fields } from './context.js';

const REGION_NAMES = new Intl.DisplayNames('en', { type: 'region' });

export const TIMES = {
  createdAt: ({ createdMs }: { createdMs: number }) => isoSeconds(createdMs),
  updatedAt: ({ updatedMs }: { updatedMs: number }) => isoSeconds(updatedMs),
};

export const LEGACY_ID = { legacyResourceId: ({ id }: { id: string }) => numberOfGid(id) };

/** Everything that drafts and orders have alike. Without taxes, shipping and discounts all totals are the same. */
export const SALE = {
  ...TIMES,
  ...LEGACY_ID,
  currencyCode: () => SHOP_CURRENCY,
  presentmentCurrencyCode: () => SHOP_CURRENCY,
  taxExempt: () => false,
  taxesIncluded: () => true,
  totalPriceSet: ({ lines }: Sale) => moneyBag(totalCents(lines)),
  subtotalPriceSet: ({ lines }: Sale) => moneyBag(totalCents(lines)),
  totalTaxSet: () => moneyBag(0),
  totalDiscountsSet: () => moneyBag(0),
  totalShippingPriceSet: () => moneyBag(0),
  totalPrice: ({ lines }: Sale) => formatCents(totalCents(lines)),
  subtotalPrice: ({ lines }: Sale) => formatCents(totalCents(lines)),
  lineItems: ({ lines }: Sale, args: PageArguments) => paginate(lines, args, PLAIN_LISTING),
};

interface Sale {
  readonly lines: readonly Line[];
}

export const DRAFT_ORDER: Fields<DraftOrder> = {
  ...SALE,
  status: ({ orderId }) => (orderId === null ? 'OPEN' : 'COMPLETED'),
  ready: () => true,
  warnings: () => [],
  discountCodes: () => [],
  note2: ({ note }) => note,
  completedAt: ({ completedMs }) => (completedMs === null ? null : isoSeconds(completedMs)),
  reserveInventoryUntil: ({ reserveUntilMs }) =>
    reserveUntilMs === null ? null : isoSeconds(reserveUntilMs),
  order: ({ orderId }, _args: object, { shop }) => (orderId === null ? null : shop.orders.get(orderId)),
  invoiceUrl: (draft, _args: object, { shop, origin }) => `${origin}${shop.checkout.invoicePath(draft)}`,
  invoiceSentAt: ({ invoiceSentMs }) => (invoiceSentMs === null ? null : isoSeconds(invoiceSentMs)),
  lineItemsSubtotalPrice: ({ lines }) => moneyBag(totalCents(lines)),
  totalLineItemsPriceSet: ({ lines }) => moneyBag(totalCents(lines)),
  totalQuantityOfLineItems: ({ lines }) => sumUnits(lines),
};

/** Lines of draft orders, and what an order's line has like them. */
export const LINE: Fields<Line> = {
  name: ({ title, variantTitle }) => (variantTitle === null ? title : `${title} - ${variantTitle}`),
  custom: ({ variantId }) => variantId === null,
  variant: ({ variantId }, _args: object, { shop }) =>
    variantId === null ? null : shop.inventory.variants.get(variantId),
  product: ({ variantId }, _args: object, { shop }) => {
    const variant = variantId === null ? undefined : shop.inventory.variants.get(variantId);
    return variant ? shop.inventory.productOfVariant(variant) : null;
  },
  originalUnitPriceSet: ({ unitCents }) => moneyBag(unitCents),
  originalTotalSet: (line) => moneyBag(totalCents([line])),
  discountedTotalSet: (line) => moneyBag(totalCents([line])),
};

export const MAILING_ADDRESS: Fields<Address> = {
  countryCodeV2: ({ countryCode }) => countryCode,
  country: ({ countryCode }) => (countryCode === null ? null : REGION_NAMES.of(countryCode)),
  name: ({ firstName, lastName }) => [firstName, lastName].filter((part) => part !== null).join(' ') || null,
};

export function sumUnits(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}

export function moneyBag(cents: number) {
  const money = { amount: formatCents(cents), currencyCode: SHOP_CURRENCY };
  return { shopMoney: money, presentmentMoney: money };
}
