/** The names that stock has as a resource: `stock://sku/` and the SKU, percent-encoded. */

import { isNameableSku, SKU_MAX_CHARS } from '../../ledger/model/values/text.js';

export const STOCK_URI_TEMPLATE = 'stock://sku/{sku}';

const PREFIX = 'stock://sku/';
/** UTF-8 bytes of one UTF-16 code unit at most, and three characters for each. */
const ENCODED_MAX = 3 * 3;
/** No longer one names a SKU. */
export const STOCK_URI_MAX_CHARS = PREFIX.length + SKU_MAX_CHARS * ENCODED_MAX;

export function stockUri(sku: string): string {
  return PREFIX + encodeURIComponent(sku);
}

/** The SKU that a client's URI names, in whichever spelling; null when it names none that could exist. */
export function skuOfUri(uri: string): string | null {
  if (!uri.startsWith(PREFIX) || uri.length > STOCK_URI_MAX_CHARS) return null;
  try {
    const sku = decodeURIComponent(uri.slice(PREFIX.length)).trim();
    return isNameableSku(sku) ? sku : null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
