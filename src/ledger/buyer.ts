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
  readonly province?: string | undefined;
  readonly postal_code?: string | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly country_code?: string | undefined;
}
