import * as z from 'zod';
import { buyer } from '../kit/buyer-fields.js';
import {
  fields,
  idempotencyKey,
  orderReasons,
  reservationId,
  shortText,
  text,
  upstreamOrder,
} from '../kit/fields.js';
import { defineTool } from '../kit/tool.js';

const NOTE_MAX_CHARS = 1000;
const REFERENCE_MAX_CHARS = 100;

const input = fields({
  reservation_id: reservationId,
  stock_hash: z
    .string('wants the stock_hash that reserve_units or check_stock returned')
    .describe('its top-level one'),
  idempotency_key: idempotencyKey.optional(),
  buyer: buyer.optional().describe('who buys'),
  note: text(NOTE_MAX_CHARS).optional().describe('for the merchant'),
  reference: shortText(REFERENCE_MAX_CHARS).optional().describe('your own number'),
});

const output = z.strictObject({
  order_id: z.string(),
  reservation_id: z.string(),
  status: z.string(),
  hash_verdict: z.string(),
  reasons: orderReasons,
  current_stock_hash: z.string(),
  next: z.string(),
  upstream: upstreamOrder,
  replayed: z.boolean(),
});

export const submitOrderWithHash = defineTool({
  name: 'submit_order_with_hash',
  scope: 'orders:submit',
  title: 'Submit order',
  description:
    'Orders what a reservation holds. Bring the top-level stock_hash of reserve_units or of check_stock {reservation_id}: ' +
    'if stock has changed since, the order is held and the shop re-read before anything is sold. ' +
    'The server places the order: follow `next`, and submit a reservation again only when it asks for corrected details.',
  annotations: { destructiveHint: false },
  input,
  isAsyncInput: true,
  output,
  call: ({ ledger, caller: { principal } }, args) =>
    ledger.submit({
      principal,
      reservation_id: args.reservation_id,
      stock_hash: args.stock_hash,
      idempotency_key: args.idempotency_key,
      buyer: args.buyer ?? null,
      note: args.note ?? null,
      reference: args.reference ?? null,
    }),
});
