/** Units that rows have moved at the shop, out of what they keep of their requests. */

import type { StockMove } from '../../../ledger/model/stock-transfer.js';
import type { MovedUnits } from '../../../ledger/model/values/unowned-units.js';

export interface MovedRow {
  readonly shop_state: 'creating' | 'open' | 'deleting';
  readonly request: string;
}

export function readMovedUnits(rows: readonly MovedRow[]): MovedUnits[] {
  return rows.flatMap(({ shop_state, request }) =>
    (JSON.parse(request) as StockMove).changes.map(({ item_id, location_id, quantity_units }) => ({
      item_id,
      location_id,
      quantity_units,
      is_under_way: shop_state !== 'open',
    })),
  );
}
