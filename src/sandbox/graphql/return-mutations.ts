/** The fields of Mutation that are about returns. Shopify: none of them takes an idempotency key. */

import { refuseIdempotencyKey, requireEmptyLists, requireEmulated } from '../api-rules/mutation-rules.js';
import type { ProcessInput, ReturnInput } from '../shop/orders/returns.js';
import type { DispositionInput } from '../shop/orders/reverse-fulfillment-orders.js';
import type { Fields } from './context.js';
import { requireArrayLimit, requireGid } from './queries.js';

export const RETURN_MUTATIONS: Fields<unknown> = {
  returnCreate: (_root, { returnInput }: { returnInput: ReturnInput }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    requireEmulated('ReturnInput', returnInput, EMULATED_RETURN_FIELDS);
    requireArrayLimit(returnInput.returnLineItems);
    for (const line of returnInput.returnLineItems) {
      requireEmulated('ReturnLineItemInput', line, EMULATED_RETURN_LINE_FIELDS);
      requireGid(line.fulfillmentLineItemId);
    }
    requireGid(returnInput.orderId);
    return shop.returns.create(returnInput, nowMs);
  },
  returnProcess: (_root, { input }: { input: ProcessInput }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    requireEmptyLists('ReturnProcessInput', input, ['exchangeLineItems', 'refundDuties']);
    requireEmulated('ReturnProcessInput', input, EMULATED_PROCESS_FIELDS);
    requireArrayLimit(input.returnLineItems ?? []);
    requireGid(input.returnId);
    return shop.returns.process(input, nowMs);
  },
  returnClose: (_root, { id }: { id: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.returns.close(requireGid(id), nowMs);
  },
  returnReopen: (_root, { id }: { id: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.returns.reopen(requireGid(id), nowMs);
  },
  returnCancel: (_root, { id }: { id: string }, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    return shop.returns.cancel(requireGid(id), nowMs);
  },
  reverseFulfillmentOrderDispose: (_root, { dispositionInputs }: DisposeArguments, { shop, nowMs }, info) => {
    refuseIdempotencyKey(info);
    requireArrayLimit(dispositionInputs);
    const { lines, userErrors } = shop.reverseFulfillmentOrders.dispose(dispositionInputs, nowMs);
    return { reverseFulfillmentOrderLineItems: lines, userErrors };
  },
};

interface DisposeArguments {
  readonly dispositionInputs: readonly DispositionInput[];
}

const EMULATED_RETURN_FIELDS = new Set([
  'orderId',
  'returnLineItems',
  'requestedAt',
  'notifyCustomer',
  'unprocessed',
]);
const EMULATED_RETURN_LINE_FIELDS = new Set([
  ...['fulfillmentLineItemId', 'quantity', 'returnReason', 'returnReasonNote', 'returnReasonDefinitionId'],
]);
const EMULATED_PROCESS_FIELDS = new Set([
  ...['returnId', 'returnLineItems', 'note', 'financialTransfer', 'notifyCustomer'],
  // Always there, as the schema's defaults; see `requireEmptyLists`.
  ...['exchangeLineItems', 'refundDuties'],
]);
