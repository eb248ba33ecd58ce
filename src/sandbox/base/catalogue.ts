/**
 * What the sandbox shop sells: the shape of a catalogue, and the apparel shop that it starts with. A test or a
 * benchmark hands in its own. Ids follow from the order of the entries, so equal catalogues have equal ids.
 */

import type { ChannelHandle } from './publications.js';
import type { StockState } from './quantities.js';

export type ProductStatus = 'ACTIVE' | 'ARCHIVED' | 'DRAFT' | 'UNLISTED';
/** Whether the storefront goes on selling below zero. Shopify: `ProductVariantInventoryPolicy`. */
export type InventoryPolicy = 'DENY' | 'CONTINUE';

export interface CatalogueLocation {
  readonly name: string;
  readonly city: string;
  readonly countryCode: string;
  /** Default true. */
  readonly fulfillsOnlineOrders?: boolean;
}

export interface CatalogueVariant {
  readonly sku: string | null;
  /** Option values joined, as the merchant sees it: "White / M". */
  readonly title: string;
  readonly options: readonly { readonly name: string; readonly value: string }[];
  /** Decimal text in the shop's currency: "59.00". */
  readonly price: string;
  /** Units by name of location: a number is `available`. A location that is not named does not stock the item. */
  readonly stock: Readonly<Record<string, number | Partial<Record<StockState, number>>>>;
  /** Default DENY. */
  readonly inventoryPolicy?: InventoryPolicy;
  /** Default true. */
  readonly tracked?: boolean;
  /**
   * The SKU of an earlier variant whose inventory item this one shares: one stock, sold under two variants. Its own
   * `sku`, `tracked` and `stock` are then those of the item, and must be null, absent and empty.
   */
  readonly sharesItemOf?: string;
  /** Makes it a bundle: selling one takes these units of other variants, named by SKU, that come before it. */
  readonly components?: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface CatalogueProduct {
  readonly title: string;
  readonly productType: string;
  readonly vendor: string;
  /** Default ACTIVE. */
  readonly status?: ProductStatus;
  /** Channels that it is published on. Default all. */
  readonly publishedOn?: readonly ChannelHandle[];
  /** Sold by subscription alone. Default false. */
  readonly requiresSellingPlan?: boolean;
  /** PARENT: a mere listing of other products. Default null. */
  readonly combinedListingRole?: 'CHILD' | 'PARENT' | null;
  readonly variants: readonly CatalogueVariant[];
}

/** All that a shop needs to open with. Its products may be made while they are read, once, in their order. */
export interface CatalogueSource {
  /** In order of their ids. Where orders take their units is the routing's matter. */
  readonly locations: readonly CatalogueLocation[];
  readonly products: Iterable<CatalogueProduct>;
}

export interface Catalogue extends CatalogueSource {
  readonly products: readonly CatalogueProduct[];
}

/** The three locations of the seed, in order of their ids. */
export const SEED_LOCATIONS = {
  warehouse: 'Hamburg Warehouse',
  store: 'Altona Store',
  partner: 'Nordlog 3PL',
} as const;

/** SKUs of the seed that something special is true of, for demos and tests. */
export const SEED_SKUS = {
  /** Dozens of units at all three locations. */
  plentiful: 'LINEN-SHIRT-WHT-M',
  /** Of an ARCHIVED product, with stock left at two locations. */
  discontinued: 'SUEDE-BOOTS-TAN-42',
  /** 5 units at the store; neither the warehouse nor the 3PL stocks it. */
  secondLocationOnly: 'RAIN-JACKET-OLV-L',
  /** A gift card: the shop does not track its stock. */
  untracked: 'GIFT-CARD-50',
  /** 3 units in all, at the warehouse. */
  scarce: 'SILK-SCARF-RED',
  /** 1 unit in all, at the warehouse. */
  lastOne: 'WOOL-COAT-CML-L',
  /** At the warehouse some units are committed, damaged and in safety stock: on hand is not available. */
  mixedStates: 'COTTON-TEE-WHT-M',
  /** Sold on below zero: inventory policy CONTINUE. */
  backorder: 'RIBBED-BEANIE-MUS',
} as const;

const { warehouse, store, partner } = SEED_LOCATIONS;

/** One line of the seed: every colour in every size, stocked alike but for the size curve. */
interface ProductLine {
  readonly code: string;
  readonly title: string;
  readonly productType: string;
  readonly price: string;
  readonly colours: readonly (keyof typeof COLOURS)[];
  readonly sizes: readonly string[];
  /** Units of a medium size at warehouse, store and 3PL. */
  readonly units: readonly [number, number, number];
  readonly status?: ProductStatus;
}

const COLOURS = {
  WHT: 'White',
  BLK: 'Black',
  NVY: 'Navy',
  BLU: 'Blue',
  GRY: 'Grey',
  KHA: 'Khaki',
  IND: 'Indigo',
  OLV: 'Olive',
  CML: 'Camel',
  BRN: 'Brown',
  MUS: 'Mustard',
  NAT: 'Natural',
  RED: 'Red',
  TAN: 'Tan',
} as const;

const LETTERS = ['S', 'M', 'L'] as const;
const WAISTS = ['30', '32', '34', '36'] as const;

const LINES: readonly ProductLine[] = [
  {
    code: 'LINEN-SHIRT',
    title: 'Linen Shirt',
    productType: 'Shirts',
    price: '59.00',
    colours: ['WHT', 'NVY'],
    sizes: [...LETTERS, 'XL'],
    units: [40, 8, 20],
  },
  {
    code: 'OXFORD-SHIRT',
    title: 'Oxford Shirt',
    productType: 'Shirts',
    price: '69.00',
    colours: ['WHT', 'BLU'],
    sizes: LETTERS,
    units: [30, 6, 15],
  },
  {
    code: 'MERINO-CREW',
    title: 'Merino Crew',
    productType: 'Knitwear',
    price: '89.00',
    colours: ['GRY', 'NVY'],
    sizes: LETTERS,
    units: [25, 5, 10],
  },
  {
    code: 'CHINO',
    title: 'Chino Trousers',
    productType: 'Trousers',
    price: '79.00',
    colours: ['KHA', 'BLK'],
    sizes: WAISTS,
    units: [24, 4, 12],
  },
  {
    code: 'SELVEDGE-JEANS',
    title: 'Selvedge Jeans',
    productType: 'Trousers',
    price: '129.00',
    colours: ['IND'],
    sizes: WAISTS,
    units: [18, 4, 0],
  },
  {
    code: 'RAIN-JACKET',
    title: 'Rain Jacket',
    productType: 'Outerwear',
    price: '149.00',
    colours: ['OLV', 'BLK'],
    sizes: LETTERS,
    units: [14, 3, 6],
  },
  {
    code: 'COTTON-TEE',
    title: 'Cotton Tee',
    productType: 'Tees',
    price: '25.00',
    colours: ['WHT', 'BLK'],
    sizes: LETTERS,
    units: [80, 20, 60],
  },
  {
    code: 'WOOL-COAT',
    title: 'Wool Coat',
    productType: 'Outerwear',
    price: '289.00',
    colours: ['CML'],
    sizes: LETTERS,
    units: [8, 2, 0],
  },
  {
    code: 'LEATHER-BELT',
    title: 'Leather Belt',
    productType: 'Accessories',
    price: '45.00',
    colours: ['BRN'],
    sizes: ['85', '95', '105'],
    units: [20, 6, 10],
  },
  {
    code: 'RIBBED-BEANIE',
    title: 'Ribbed Beanie',
    productType: 'Accessories',
    price: '29.00',
    colours: ['MUS', 'GRY'],
    sizes: [],
    units: [35, 10, 20],
  },
  {
    code: 'CANVAS-TOTE',
    title: 'Canvas Tote',
    productType: 'Accessories',
    price: '19.00',
    colours: ['NAT'],
    sizes: [],
    units: [120, 30, 50],
  },
  {
    code: 'SILK-SCARF',
    title: 'Silk Scarf',
    productType: 'Accessories',
    price: '55.00',
    colours: ['RED', 'BLU'],
    sizes: [],
    units: [12, 4, 0],
  },
  {
    code: 'RUNNING-SOCKS',
    title: 'Running Socks',
    productType: 'Socks',
    price: '12.00',
    colours: ['WHT'],
    sizes: LETTERS,
    units: [90, 15, 45],
  },
  {
    code: 'SUEDE-BOOTS',
    title: 'Suede Boots',
    productType: 'Shoes',
    price: '189.00',
    colours: ['TAN'],
    sizes: ['42', '43'],
    units: [7, 2, 0],
    status: 'ARCHIVED',
  },
];

const GIFT_CARD: CatalogueProduct = {
  title: 'Gift Card',
  productType: 'Gift Cards',
  vendor: 'Alster & Sons',
  variants: [
    {
      sku: SEED_SKUS.untracked,
      title: '€50',
      options: [{ name: 'Value', value: '€50' }],
      price: '50.00',
      stock: { [warehouse]: 0 },
      tracked: false,
    },
  ],
};

/** Departures from the lines, by SKU: what makes the special SKUs special. */
const EXCEPTIONS: Readonly<Record<string, Partial<CatalogueVariant>>> = {
  [SEED_SKUS.secondLocationOnly]: { stock: { [store]: 5 } },
  [SEED_SKUS.scarce]: { stock: { [warehouse]: 3 } },
  [SEED_SKUS.lastOne]: { stock: { [warehouse]: 1 } },
  [SEED_SKUS.backorder]: { inventoryPolicy: 'CONTINUE' },
  [SEED_SKUS.mixedStates]: {
    stock: {
      [warehouse]: { available: 80, committed: 4, damaged: 2, safety_stock: 5, incoming: 100 },
      [store]: 20,
      [partner]: 60,
    },
  },
};

/** The apparel shop: 15 products, 61 variants, 3 locations. */
export const SEED_CATALOGUE: Catalogue = {
  locations: [
    { name: warehouse, city: 'Hamburg', countryCode: 'DE' },
    { name: store, city: 'Hamburg', countryCode: 'DE' },
    { name: partner, city: 'Lübeck', countryCode: 'DE' },
  ],
  products: [...LINES.map(buildProduct), GIFT_CARD],
};

function buildProduct(line: ProductLine): CatalogueProduct {
  const sizes = line.sizes.length > 0 ? line.sizes : [null];
  return {
    title: line.title,
    productType: line.productType,
    vendor: 'Alster & Sons',
    status: line.status ?? 'ACTIVE',
    variants: line.colours.flatMap((colour) => sizes.map((size) => buildVariant(line, colour, size))),
  };
}

function buildVariant(
  line: ProductLine,
  colour: keyof typeof COLOURS,
  size: string | null,
): CatalogueVariant {
  const sku = [line.code, colour, size].filter((part) => part !== null).join('-');
  const options = [
    { name: 'Color', value: COLOURS[colour] },
    ...(size === null ? [] : [{ name: 'Size', value: size }]),
  ];
  const [atWarehouse, atStore, atPartner] = line.units.map((units) => scaled(units, size, line.sizes));
  return {
    sku,
    title: options.map((option) => option.value).join(' / '),
    options,
    price: line.price,
    stock: {
      [warehouse]: atWarehouse ?? 0,
      [store]: atStore ?? 0,
      ...(atPartner ? { [partner]: atPartner } : {}),
    },
    ...EXCEPTIONS[sku],
  };
}

/** The first and the last size of a line sell about two thirds of the middle ones. */
function scaled(units: number, size: string | null, sizes: readonly string[]): number {
  const isEdge = sizes.length > 2 && (size === sizes[0] || size === sizes.at(-1));
  return isEdge ? Math.ceil((units * 2) / 3) : units;
}
