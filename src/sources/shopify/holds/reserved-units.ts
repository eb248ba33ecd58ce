/** What the shop keeps reserved, level by level: only where holds are moves, and only for people. */

import type { ReservedUnits } from '../../../ledger/model/values/unowned-units.js';
import { READ_ITEMS_MAX, type ReservedSource, UpstreamError } from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';

/** Locations of one item that are read. */
const LEVELS_MAX = 50;

export class ShopifyReservedSource implements ReservedSource {
  readonly #client: LaneClient;

  constructor(client: LaneClient) {
    this.#client = client;
  }

  async readReserved(itemIds: readonly string[], signal: AbortSignal): Promise<readonly ReservedUnits[]> {
    if (itemIds.length > READ_ITEMS_MAX) throw new RangeError(`at most ${READ_ITEMS_MAX} items a call`);
    const ids = itemIds.map((id) => gid('InventoryItem', id));
    const { data } = await this.#client.read(DOCUMENTS.reserved_levels, { ids, levels: LEVELS_MAX }, signal);
    return data.nodes.flatMap((node) => {
      if (node?.__typename !== 'InventoryItem') return [];
      const { inventoryLevels, sku } = node;
      if (inventoryLevels.pageInfo.hasNextPage)
        throw new UpstreamError('protocol', `an item at more than ${LEVELS_MAX} locations`);
      return inventoryLevels.nodes.map(({ location, quantities }) => ({
        item_id: parseTail('InventoryItem', node.id),
        sku: sku ?? '',
        location_id: parseTail('Location', location.id),
        location_name: location.name,
        reserved_units: quantities[0]?.quantity ?? 0,
      }));
    });
  }
}
