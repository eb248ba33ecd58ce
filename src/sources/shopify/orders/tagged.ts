/** Everything at the shop that carries tags of ours, and the cancelling of an order that it should not have. */

import type { TaggedOrder, WriteOutcome } from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS, type Hold, type ResultOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import { takeFirst } from '../client/paging.js';
import { joinTerms, matches } from '../client/search.js';
import { done, judged, refused, unknown } from '../client/write-outcome.js';

/** Found by one search at most: several for each tag would be a fault of ours. */
const FOUND_MAX = 100;
/** A page of a search. */
const PAGE_SIZE = 25;

/** Of a cancelled order the shop keeps why, for its staff. */
const STAFF_NOTE = 'Second order of one reservation, carried out late by the shop. Cancelled by Holdfast.';

export async function findTaggedOrders(
  client: LaneClient,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<readonly TaggedOrder[]> {
  // An order that a draft became has the draft's tags, and no source identifier.
  const query = joinTerms(tags.flatMap((tag) => [matches('source_identifier', tag), matches('tag', tag)]));
  const nodes = await takeFirst(FOUND_MAX, async (after) => {
    const variables = { query, first: PAGE_SIZE, after };
    return (await client.read(DOCUMENTS.tagged_orders, variables, signal)).data.orders;
  });
  return nodes.flatMap((node) =>
    tags
      .filter((tag) => node.sourceIdentifier === tag || node.tags.includes(tag))
      .map((tag) => ({
        tag,
        order_ref: parseTail('Order', node.id),
        order_name: node.name,
        is_cancelled: node.cancelledAt !== null,
        is_unpaid: node.displayFinancialStatus === 'PENDING',
      })),
  );
}

/** Drafts as the shop has them, each with the tag that it was found by. */
export async function findTaggedDrafts(
  client: LaneClient,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<readonly { readonly tag: string; readonly draft: Hold }[]> {
  const query = joinTerms(tags.map((tag) => matches('tag', tag)));
  const nodes = await takeFirst(FOUND_MAX, async (after) => {
    const variables = { query, first: PAGE_SIZE, after };
    return (await client.read(DOCUMENTS.holds, variables, signal)).data.draftOrders;
  });
  return nodes.flatMap((draft) =>
    tags.filter((tag) => draft.tags.includes(tag)).map((tag) => ({ tag, draft })),
  );
}

/** Shopify does it a moment later: that it is done shows in the order. */
export async function cancelUnpaidOrder(
  client: LaneClient,
  orderRef: string,
  signal: AbortSignal,
): Promise<WriteOutcome<null>> {
  const variables = { id: gid('Order', orderRef), note: STAFF_NOTE };
  const sent = await client.write(DOCUMENTS.cancel_order, variables, signal);
  return await judged(sent, ({ orderCancel }) => cancelled(client, orderCancel));
}

type Payload = ResultOf<typeof DOCUMENTS.cancel_order>['orderCancel'];

function cancelled(client: LaneClient, payload: Payload): WriteOutcome<null> {
  if (payload === null) return unknown('a cancellation without an answer');
  const errors = payload.orderCancelUserErrors;
  if (errors.length > 0) return refused(client.clean(errors.map(({ message }) => message).join('; ')));
  return payload.job === null ? unknown('neither a job nor an error') : done(null);
}
