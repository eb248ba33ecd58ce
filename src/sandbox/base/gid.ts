/** Global ids as Shopify writes them: `gid://shopify/<Type>/<number>`, with a query part for inventory levels. */

const GID_PATTERN = /^gid:\/\/shopify\/(?<type>[A-Za-z]+)\/(?<number>\d{1,20})(?:\?.*)?$/u;

export function toGid(type: string, number: bigint): string {
  return `gid://shopify/${type}/${number}`;
}

/**
 * A level's own number is not its location's, and the item is named in the query part, as at Shopify:
 * whoever takes the number in the path for a location id is wrong in the sandbox too.
 */
export function toLevelGid(levelNumber: bigint, itemGid: string): string {
  return `gid://shopify/InventoryLevel/${levelNumber}?inventory_item_id=${numberOfGid(itemGid)}`;
}

/** The type in a global id; null when the text is not one. */
export function typeOfGid(text: string): string | null {
  return GID_PATTERN.exec(text)?.groups?.['type'] ?? null;
}

/** The decimal number in a global id, as text: it may exceed 2^53. Throws on anything that is not a global id. */
export function numberOfGid(gid: string): string {
  const number = GID_PATTERN.exec(gid)?.groups?.['number'];
  if (number === undefined) throw new Error(`not a global id: ${gid}`);
  return number;
}
