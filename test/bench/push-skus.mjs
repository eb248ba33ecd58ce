/** What is followed in group p: SKUs that many follow, and a few with long names, for the one who reads nothing. */

import { skuOf } from './arena.mjs';

export const SKUS = 200;
const LONG_SKUS = 20;
/** Characters of three bytes, each of them nine in a URI. */
const LONG_NAME_CHARS = 250;

export const ALL_SKUS = SKUS + LONG_SKUS;

export function nameOf(n) {
  return n < SKUS ? skuOf(n) : `${'靴'.repeat(LONG_NAME_CHARS)}${n}`;
}

/** URIs of two kilobytes, enough to fill every buffer between server and client within seconds: each SKU in many spellings. */
export function longUris() {
  const spellings = 10;
  return Array.from({ length: LONG_SKUS }, (_, n) => encodeURIComponent(nameOf(SKUS + n))).flatMap((name) =>
    Array.from({ length: spellings }, (_, times) => {
      const lower = name.slice(0, times * 3).toLowerCase();
      return `stock://sku/${lower}${name.slice(times * 3)}`;
    }),
  );
}
