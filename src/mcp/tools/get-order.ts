import * as z from 'zod';
import { fields, orderId, orderReasons, reservationId, upstreamOrder } from '../kit/fields.js';
import { defineTool } from '../kit/tool.js';

const input = fields({ order_id: orderId.optional(), reservation_id: reservationId.optional() }).refine(
  (args) => (args.order_id === undefined) !== (args.reservation_id === undefined),
  {
    message: 'send either order_id or reservation_id',
  },
);

const output = z.strictObject({
  order_id: z.string(),
  reservation_id: z.string(),
  status: z.string(),
  hash_verdict: z.string(),
  reasons: orderReasons,
  lines: z.array(z.strictObject({ sku: z.string(), quantity: z.int() })),
  current_stock_hash: z.string(),
  next: z.string(),
  upstream: upstreamOrder,
  submitted_at: z.string(),
  placed_at: z.string().optional(),
  timeline: z.array(z.strictObject({ at: z.string(), event: z.string(), detail: z.string() })),
});

export const getOrder = defineTool({
  name: 'get_order',
  scope: 'inventory:read',
  title: 'Get order',
  description: 'How an order stands, how it came about, and what to do next. By order_id or reservation_id.',
  annotations: { readOnlyHint: true },
  input,
  output,
  call: ({ ledger, caller: { principal } }, { order_id, reservation_id }) =>
    ledger.getOrder(
      principal,
      order_id === undefined ? { reservation_id: reservation_id ?? '' } : { order_id },
    ),
});
