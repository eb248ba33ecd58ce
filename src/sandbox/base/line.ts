/** What draft orders and orders have alike: their lines, and what is said about them as a whole. */

export const NO_ADDRESS = {
  address1: null,
  address2: null,
  city: null,
  company: null,
  countryCode: null,
  firstName: null,
  lastName: null,
  phone: null,
  provinceCode: null,
  zip: null,
};

type AddressPart = keyof typeof NO_ADDRESS;
export type AddressInput = { readonly [K in AddressPart]?: string | null };
/** As given: the sandbox neither completes nor checks addresses. */
export type Address = { readonly [K in AddressPart]: string | null } & { readonly id: string };

export interface Attribute {
  readonly key: string;
  readonly value: string;
}

/** A line of a draft order, and the part of an order's line that never changes. */
export interface Line {
  readonly id: string;
  readonly uuid: string;
  /** Null for a custom line, which no stock stands behind. */
  readonly variantId: string | null;
  readonly itemId: string | null;
  readonly title: string;
  readonly variantTitle: string | null;
  readonly sku: string | null;
  readonly quantity: number;
  readonly unitCents: number;
  readonly customAttributes: readonly Attribute[];
}

/** What a draft order hands over to its order. */
export interface Details {
  readonly email: string | null;
  readonly phone: string | null;
  readonly note: string | null;
  readonly poNumber: string | null;
  readonly tags: readonly string[];
  readonly customAttributes: readonly Attribute[];
  readonly shippingAddress: Address | null;
  readonly billingAddress: Address | null;
  readonly sourceName: string | null;
}

export const NO_DETAILS: Details = {
  email: null,
  phone: null,
  note: null,
  poNumber: null,
  tags: [],
  customAttributes: [],
  shippingAddress: null,
  billingAddress: null,
  sourceName: null,
};

export function totalCents(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.unitCents * line.quantity, 0);
}
