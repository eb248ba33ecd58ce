/** The lines of a draft order or of an order, as the shop has them now. */

import { type ShopLine, UpstreamError } from '../../source.js';
import { parseTail } from '../client/gid.js';

interface LineConnection {
  readonly nodes: readonly {
    readonly sku: string | null;
    readonly quantity: number;
    readonly variant: { readonly inventoryItem: { readonly id: string } } | null;
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean };
}

/** A line that is not of ours, in place of all that were not read: ours fit on one page. */
const MORE: ShopLine = { item_id: null, sku: null, quantity_units: 0 };

/** Throws UpstreamError `protocol` where the answer lacks them: what was not read must not pass for what we sent. */
export function shopLines(connection: LineConnection | null | undefined): readonly ShopLine[] {
  if (connection == null) throw new UpstreamError('protocol', 'an answer without its lines');
  const { nodes, pageInfo } = connection;
  const lines = nodes.map(
    ({ sku, quantity, variant }): ShopLine => ({
      item_id: variant === null ? null : parseTail('InventoryItem', variant.inventoryItem.id),
      sku: sku === '' ? null : sku,
      quantity_units: quantity,
    }),
  );
  return pageInfo.hasNextPage ? [...lines, MORE] : lines;
}
