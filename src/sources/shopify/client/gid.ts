/**
 * Global ids. Inside the ledger an id is the numeric tail, as a string: Shopify's ids exceed 2^53, so they are
 * never numbers here. A level's gid is never used for its location: the number in it is the level's own.
 */

import { UpstreamError } from '../../source.js';

export type GidType =
  | 'BasicEvent'
  | 'InventoryItem'
  | 'Product'
  | 'ProductVariant'
  | 'Publication'
  | 'Location'
  | 'DraftOrder'
  | 'Order'
  | 'FulfillmentOrder'
  | 'FulfillmentOrderLineItem'
  | 'LineItem'
  | 'Refund'
  | 'Return';

const TAIL = /^[0-9]{1,20}$/;
const GID = /^gid:\/\/shopify\/([A-Za-z]+)\/([0-9]{1,20})(?:\?.*)?$/;

/** `gid://shopify/<type>/<tail>`. Throws RangeError on a tail that is not digits: such an id never came from a shop. */
export function gid(type: GidType, tail: string): string {
  if (!TAIL.test(tail)) throw new RangeError(`not the id of a Shopify ${type}`);
  return `gid://shopify/${type}/${tail}`;
}

/** The numeric tail. Throws UpstreamError `protocol` when the shop sent an id of another type or form. */
export function parseTail(type: GidType, id: string): string {
  const match = GID.exec(id);
  if (match?.[1] !== type || match[2] === undefined) {
    throw new UpstreamError(
      'protocol',
      `expected the gid of a ${type}, got one of ${match?.[1] ?? 'no form'}`,
    );
  }
  return match[2];
}

/** Orders ids as the numbers they stand for, without making them JS numbers. */
export function compareTails(a: string, b: string): number {
  const left = BigInt(a);
  const right = BigInt(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
