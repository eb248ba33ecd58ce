import * as z from 'zod';
import {
  fields,
  idempotencyKey,
  orderReasons,
  reservationId,
  shortText,
  text,
  upstreamOrder,
} from './fields.js';
import { defineTool } from './tool.js';

const NAME_MAX_CHARS = 200;
const EMAIL_MAX_CHARS = 254;
const NOTE_MAX_CHARS = 1000;
const REFERENCE_MAX_CHARS = 100;

const name = shortText(NAME_MAX_CHARS).optional();

const address = fields({
  address1: name,
  address2: name,
  city: name,
  province: name,
  postal_code: name,
  country_code: z
    .string('wants two capital letters, like DE (ISO 3166-1)')
    .regex(/^[A-Z]{2}$/, 'wants two capital letters, like DE (ISO 3166-1)')
    .optional(),
});

const input = fields({
  reservation_id: reservationId,
  stock_hash: z.string('wants the stock_hash that reserve_units or check_stock returned'),
  idempotency_key: idempotencyKey.optional(),
  buyer: fields({
    email: z
      .email('wants an e-mail address')
      .refine((input) => input.length <= EMAIL_MAX_CHARS, 'wants an e-mail address')
      .optional(),
    name,
    phone: name,
    shipping_address: address.optional(),
  }).optional(),
  note: text(NOTE_MAX_CHARS).optional(),
  reference: shortText(REFERENCE_MAX_CHARS).optional(),
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
    'The server places the order: follow `next`, never submit twice for one reservation. After a timeout send the same idempotency_key.',
  annotations: { destructiveHint: false },
  input,
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
