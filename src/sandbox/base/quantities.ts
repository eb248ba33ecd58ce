/** The states that units of one inventory item at one location can be in. */

/** Shopify: on_hand is the sum of all of these but `incoming`, and has no number of its own. */
export const STOCK_STATES = [
  'available',
  'committed',
  'reserved',
  'damaged',
  'quality_control',
  'safety_stock',
  'incoming',
] as const;
export type StockState = (typeof STOCK_STATES)[number];
export type Quantities = Record<StockState, number>;
export type QuantityName = StockState | 'on_hand';

export const NO_UNITS: Readonly<Quantities> = {
  available: 0,
  committed: 0,
  reserved: 0,
  damaged: 0,
  quality_control: 0,
  safety_stock: 0,
  incoming: 0,
};

/** Shopify: "The quantity can't be higher than 1,000,000,000." Holds for every state, on both sides of zero. */
export const QUANTITY_MAX_UNITS = 1_000_000_000;

export function onHand(quantities: Readonly<Quantities>): number {
  return STOCK_STATES.reduce((sum, state) => (state === 'incoming' ? sum : sum + quantities[state]), 0);
}

export function readQuantity(quantities: Readonly<Quantities>, name: QuantityName): number {
  return name === 'on_hand' ? onHand(quantities) : quantities[name];
}
