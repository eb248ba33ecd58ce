/** What an agent is told of an order that the shop refused for good. Words of ours: the shop's own go to people alone. */

import type { OrderReason } from '../ledger/model/order.js';
import type { RefusalCause } from '../sources/source.js';

const REASONS = {
  item_unavailable: {
    code: 'item_discontinued',
    detail: 'The shop does not sell an item of the order any more.',
  },
  shop_closed: { code: 'shop_refused', detail: 'The shop takes no orders at present.' },
  payment: {
    code: 'shop_refused',
    detail: 'The shop refused how the order is to be paid: the merchant has to look at its settings.',
  },
  limit: { code: 'shop_refused', detail: 'The order is larger than the shop takes.' },
  gone: { code: 'shop_refused', detail: 'The merchant removed the order at the shop before it was placed.' },
  malformed: {
    code: 'shop_refused',
    detail: 'The shop could not make sense of the order: the merchant has been told.',
  },
} as const satisfies Record<RefusalCause, OrderReason>;

const NOT_KNOWN: OrderReason = { code: 'shop_refused', detail: 'The shop did not take the order.' };

export function reasonFor(cause: RefusalCause | undefined): OrderReason {
  return cause === undefined ? NOT_KNOWN : REASONS[cause];
}
