/** Who buys and where it goes. Passed on to the shop, never kept once the order is placed or has failed. */
export interface Buyer {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly phone?: string | undefined;
  readonly shipping_address?: BuyerAddress | undefined;
}

export interface BuyerAddress {
  readonly address1?: string | undefined;
  readonly address2?: string | undefined;
  readonly city?: string | undefined;
  /** A code where the country's codes are known (see `provinces.ts` of the tools), else as the caller wrote it. */
  readonly province?: string | undefined;
  readonly postal_code?: string | undefined;
  /** ISO 3166-1 alpha-2, in capitals. */
  readonly country_code?: string | undefined;
}

/** What a caller passes on to the shop with an order, by the names of the tool's arguments: what a shop may refuse. */
export const BUYER_FIELDS = [
  'buyer.email',
  'buyer.name',
  'buyer.phone',
  'buyer.shipping_address',
  'buyer.shipping_address.address1',
  'buyer.shipping_address.address2',
  'buyer.shipping_address.city',
  'buyer.shipping_address.province',
  'buyer.shipping_address.postal_code',
  'buyer.shipping_address.country_code',
  'note',
  'reference',
] as const;

export type BuyerField = (typeof BUYER_FIELDS)[number];

/** Details that a merchant can insist on (`HOLDFAST_BUYER_REQUIRED`). */
export const REQUIRABLE_DETAILS = ['email', 'phone', 'shipping_address'] as const;

export type RequirableDetail = (typeof REQUIRABLE_DETAILS)[number];

/** What a caller passes on to the shop with an order. */
export interface OrderDetailsGiven {
  readonly buyer: Buyer | null;
  readonly note: string | null;
  readonly reference: string | null;
}

/** Required details that are missing. An address without a street or a country can't be shipped to. */
export function findMissingDetails(buyer: Buyer | null, required: readonly RequirableDetail[]): BuyerField[] {
  return required.flatMap((detail): BuyerField[] => {
    if (detail !== 'shipping_address') return buyer?.[detail] === undefined ? [`buyer.${detail}`] : [];
    const address = buyer?.shipping_address;
    if (address === undefined) return ['buyer.shipping_address'];
    return (['address1', 'country_code'] as const)
      .filter((part) => address[part] === undefined)
      .map((part) => `buyer.shipping_address.${part}` as const);
  });
}

/**
 * Merges corrected details over those of before: what is left out stays. A refused e-mail, phone, name, note or reference
 * that is left out is dropped, because it would only be refused again.
 */
export function mergeDetails(
  before: OrderDetailsGiven,
  corrected: OrderDetailsGiven,
  refused: readonly BuyerField[],
): OrderDetailsGiven {
  const kept = (field: BuyerField): boolean => !refused.includes(field);
  const old = before.buyer ?? {};
  const given = corrected.buyer ?? {};
  const email = given.email ?? (kept('buyer.email') ? old.email : undefined);
  const name = given.name ?? (kept('buyer.name') ? old.name : undefined);
  const phone = given.phone ?? (kept('buyer.phone') ? old.phone : undefined);
  const shipping_address = given.shipping_address ?? old.shipping_address;
  const parts = { email, name, phone, shipping_address };
  const isEmpty = Object.values(parts).every((part) => part === undefined);
  return {
    buyer: isEmpty ? null : withoutUndefined(parts),
    note: corrected.note ?? (kept('note') ? before.note : null),
    reference: corrected.reference ?? (kept('reference') ? before.reference : null),
  };
}

/** Refused fields whose value is the same in both: the shop would refuse them again. */
export function findUnchanged(
  before: OrderDetailsGiven,
  after: OrderDetailsGiven,
  refused: readonly BuyerField[],
): BuyerField[] {
  return refused.filter((field) => {
    const value = detailAt(after, field);
    return value !== undefined && JSON.stringify(value) === JSON.stringify(detailAt(before, field));
  });
}

function detailAt(details: OrderDetailsGiven, field: BuyerField): unknown {
  const value = field
    .split('.')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | null | undefined)?.[key], details);
  return value ?? undefined;
}

function withoutUndefined(buyer: Buyer): Buyer {
  return Object.fromEntries(Object.entries(buyer).filter(([, value]) => value !== undefined));
}
