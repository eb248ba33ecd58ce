/**
 * Which place is to ship an order, and moving it elsewhere. Shopify 2026-10: `fulfillmentOrderMove` takes no idempotency key, so
 * it is sent once, and whoever did not learn the outcome looks at `assignedLocation`.
 */

import type { FulfilmentObservation } from '../../../ledger/model/values/observation.js';
import { type FulfilmentMove, UpstreamError, type WriteOutcome } from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS, type ResultOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import { FULFILMENTS_PER_PAGE } from '../client/limits.js';
import { walk } from '../client/paging.js';
import { done, judged, refused, unknown } from '../client/write-outcome.js';
import { unsent } from './order-maker.js';

type Lists = NonNullable<ResultOf<typeof DOCUMENTS.fulfilment>['order']>['fulfillmentOrders'];
type List = Lists['nodes'][number];
type Moved = ResultOf<typeof DOCUMENTS.move_fulfilment>['fulfillmentOrderMove'];

/** Something on it may still be shipped. */
const IS_OPEN = {
  OPEN: true,
  IN_PROGRESS: true,
  ON_HOLD: true,
  SCHEDULED: true,
  CANCELLED: false,
  CLOSED: false,
  INCOMPLETE: false,
} as const satisfies Record<List['status'], boolean>;

/** Null when the shop does not show the order. Throws UpstreamError, also when a list has more lines than one read shows. */
export async function readFulfilment(
  client: LaneClient,
  orderRef: string,
  signal: AbortSignal,
): Promise<readonly FulfilmentObservation[] | null> {
  const id = gid('Order', orderRef);
  const lists: List[] = [];
  let isShown = false;
  const pages = walk(async (after) => {
    const variables = { id, first: FULFILMENTS_PER_PAGE, after };
    const { data } = await client.read(DOCUMENTS.fulfilment, variables, signal);
    isShown = data.order !== null;
    return data.order?.fulfillmentOrders ?? null;
  });
  for await (const nodes of pages) lists.push(...nodes);
  if (!isShown) return null;
  if (lists.some(({ lineItems }) => lineItems.pageInfo.hasNextPage))
    throw new UpstreamError('protocol', 'a fulfillment order with more lines than are read');
  return lists.map(observe);
}

/** Sends the move. `maySend` is asked right before: false sends nothing. */
export async function moveFulfilment(
  client: LaneClient,
  { fulfilment_ref, to_location_id, lines }: FulfilmentMove,
  signal: AbortSignal,
  maySend: () => boolean,
): Promise<WriteOutcome<null>> {
  const variables = {
    id: gid('FulfillmentOrder', fulfilment_ref),
    to: gid('Location', to_location_id),
    lines:
      lines?.map(({ line_ref, units }) => ({
        id: gid('FulfillmentOrderLineItem', line_ref),
        quantity: units,
      })) ?? null,
  };
  if (!maySend()) return unsent('too late to be sent');
  const sent = await client.write(DOCUMENTS.move_fulfilment, variables, signal);
  return await judged(sent, (data) => judgeMoved(client, data.fulfillmentOrderMove, to_location_id));
}

function judgeMoved(client: LaneClient, payload: Moved, to: string): WriteOutcome<null> {
  if (payload === null) return unknown('a move without an answer');
  if (payload.userErrors.length > 0) {
    const lines = payload.userErrors.map(
      ({ code, field, message }) => `${code ?? '-'} ${field?.join('.') ?? '-'}: ${message}`,
    );
    return refused(client.clean(lines.join('; ')));
  }
  const there = payload.movedFulfillmentOrder?.assignedLocation.location ?? null;
  // Whatever it means: a look tells where it is.
  if (there === null || parseTail('Location', there.id) !== to)
    return unknown('moved, but not to where it was to go');
  return done(null);
}

function observe({ id, status, supportedActions, assignedLocation, lineItems }: List): FulfilmentObservation {
  const { location } = assignedLocation;
  return {
    fulfilment_ref: parseTail('FulfillmentOrder', id),
    location_id: location === null ? null : parseTail('Location', location.id),
    is_open: IS_OPEN[status],
    can_move: supportedActions.some(({ action }) => action === 'MOVE'),
    lines: lineItems.nodes.map((line) => ({
      line_ref: parseTail('FulfillmentOrderLineItem', line.id),
      item_id: line.inventoryItemId === null ? null : parseTail('InventoryItem', line.inventoryItemId),
      total_units: line.totalQuantity,
      remaining_units: line.remainingQuantity,
    })),
  };
}
