/** What a shop is told of the buyer, and our own marks on what we make there. */

import { type Anchor, anchorText } from '../../../ledger/model/values/anchor.js';
import type { Buyer, BuyerAddress } from '../../../ledger/model/values/buyer.js';
import { COUNTRY_CODES } from '../../../ledger/model/values/countries.js';
import type { BuyerRefused } from '../../source.js';
import type { DOCUMENTS, VariablesOf } from '../client/documents.js';

/** Custom attributes. A merchant sees them on the draft and on the order. */
export const RESERVATION_ATTRIBUTE = 'holdfast_reservation';
/** The newest entry of the ledger's journal when the shop was told: who rewrites the ledger can't rewrite this. */
export const ANCHOR_ATTRIBUTE = 'holdfast_anchor';
const REFERENCE_ATTRIBUTE = 'holdfast_reference';
const BUYER_NAME_ATTRIBUTE = 'holdfast_buyer_name';
/** Attributes that `orderAttributes` makes. */
export const ORDER_ATTRIBUTES: ReadonlySet<string> = new Set([REFERENCE_ATTRIBUTE, BUYER_NAME_ATTRIBUTE]);

type Address = NonNullable<VariablesOf<typeof DOCUMENTS.update_hold>['input']['shippingAddress']>;

export interface BuyerInput {
  readonly email?: string;
  readonly phone?: string;
  readonly shippingAddress?: Address;
}

/**
 * Refuses a country that Shopify's schema does not have; null when it has. Shopify would refuse the whole request as one
 * that makes no sense, and repeat it: what belongs to a buyer must not reach the log.
 */
export function refuseCountry(buyer: Buyer | null): BuyerRefused | null {
  const country = buyer?.shipping_address?.country_code;
  if (country === undefined || COUNTRY_CODES.has(country.toUpperCase())) return null;
  return {
    outcome: 'buyer_refused',
    fields: ['buyer.shipping_address.country_code'],
    detail: 'a country code that Shopify does not have',
  };
}

/** Clears at the shop what a corrected order does not have. */
export const NO_BUYER = { email: null, phone: null, shippingAddress: null } as const;

/** What of an order has no field of its own at the shop. */
export function orderAttributes(
  buyer: Buyer | null,
  reference: string | null,
): { readonly key: string; readonly value: string }[] {
  const attributes = reference === null ? [] : [{ key: REFERENCE_ATTRIBUTE, value: reference }];
  // A name alone makes no address, and an address without a country may be refused: it must not be lost either.
  if (buyer?.name !== undefined && buyer.shipping_address === undefined) {
    attributes.push({ key: BUYER_NAME_ATTRIBUTE, value: buyer.name });
  }
  return attributes;
}

/** The mark that proves the ledger; none where nothing is to be kept. */
export function anchorAttributes(
  anchor: Anchor | undefined,
): { readonly key: string; readonly value: string }[] {
  return anchor === undefined ? [] : [{ key: ANCHOR_ATTRIBUTE, value: anchorText(anchor) }];
}

/** Where a buyer can be reached, and where it goes: drafts and orders take it in the same form. */
export function buyerInput(buyer: Buyer): BuyerInput {
  const { email, phone, shipping_address } = buyer;
  if (shipping_address !== undefined) {
    return { ...defined({ email }), shippingAddress: addressInput(shipping_address, buyer) };
  }
  return defined({ email, phone });
}

function addressInput(address: BuyerAddress, { name, phone }: Buyer): Address {
  const { address1, address2, city, province, postal_code: zip, country_code } = address;
  return defined({
    ...nameParts(name),
    address1,
    address2,
    city,
    zip,
    phone,
    // The schema knows which codes there are; one that it does not know is refused by the shop.
    countryCode: country_code?.toUpperCase() as Address['countryCode'],
    // `province` (a name) is deprecated and still the only way when no code was given.
    ...(province !== undefined && isProvinceCode(province) ? { provinceCode: province } : { province }),
  });
}

function isProvinceCode(province: string): boolean {
  return /^[A-Z0-9]{1,3}$/.test(province);
}

/** Shopify wants two names. What comes after the last space is taken for the family name. */
function nameParts(name: string | undefined): Pick<Address, 'firstName' | 'lastName'> {
  const words = name?.trim().split(/\s+/) ?? [];
  const lastName = words.pop();
  return defined({
    firstName: words.length > 0 ? words.join(' ') : undefined,
    lastName: lastName || undefined,
  });
}

/** Without the undefined ones. */
export function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
