/** A catalogue of any size, for measuring and for trying out how a client copes with one. */

import type { CatalogueProduct, CatalogueSource } from './catalogue.js';

/** What a machine holds in memory, and what Shopify's largest plan allows. */
const BIG_VARIANTS_MAX = 1_000_000;
const BIG_LOCATIONS_MAX = 1_000;

const COLOURS = ['White', 'Black', 'Navy', 'Olive'];
const SIZES = ['XS', 'S', 'M', 'L', 'XL'];
const VARIANTS_PER_PRODUCT = COLOURS.length * SIZES.length;
const NUMBER_DIGITS = 7;

/**
 * So many variants, 20 a product, each stocked at every one of so many locations. SKUs run from "BIG-0000001" on, the
 * locations are named "Location 1" and so on; the units follow from the numbers, between 0 and 50. Equal arguments make
 * equal catalogues. Throws on numbers that are no whole ones from 1 to the maxima.
 */
export function bigCatalogue(variants: number, locations: number): CatalogueSource {
  requireCount('variants', variants, BIG_VARIANTS_MAX);
  requireCount('locations', locations, BIG_LOCATIONS_MAX);
  const names = Array.from({ length: locations }, (_, index) => `Location ${index + 1}`);
  return {
    locations: names.map((name) => ({ name, city: 'Hamburg', countryCode: 'DE' })),
    products: generateProducts(variants, names),
  };
}

/** Made one by one as they are read, and again at every reading: a catalogue of 100,000 is never whole in memory. */
function generateProducts(variants: number, names: readonly string[]): Iterable<CatalogueProduct> {
  const count = Math.ceil(variants / VARIANTS_PER_PRODUCT);
  return {
    *[Symbol.iterator]() {
      for (let index = 0; index < count; index += 1) yield productAt(index, variants, names);
    },
  };
}

function productAt(index: number, variants: number, names: readonly string[]): CatalogueProduct {
  const first = index * VARIANTS_PER_PRODUCT;
  const length = Math.min(VARIANTS_PER_PRODUCT, variants - first);
  return {
    title: `Big Product ${index + 1}`,
    productType: 'Things',
    vendor: 'Bulk & Co',
    variants: Array.from({ length }, (_, position) => variantAt(first + position, position, names)),
  };
}

function variantAt(number: number, position: number, names: readonly string[]) {
  const colour = COLOURS[Math.floor(position / SIZES.length)] ?? '';
  const size = SIZES[position % SIZES.length] ?? '';
  return {
    sku: `BIG-${String(number + 1).padStart(NUMBER_DIGITS, '0')}`,
    title: `${colour} / ${size}`,
    options: [
      { name: 'Color', value: colour },
      { name: 'Size', value: size },
    ],
    price: '10.00',
    stock: Object.fromEntries(names.map((name, place) => [name, (number * 7 + place * 13) % 51])),
  };
}

function requireCount(name: string, count: number, max: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= max) return;
  throw new RangeError(`${name} must be a whole number from 1 to ${max}, not ${count}`);
}
