import * as z from 'zod';
import { fields, LINES_MAX, reservationId, sku } from '../kit/fields.js';
import { defineTool } from '../kit/tool.js';

const input = fields({
  skus: z
    .array(sku, 'wants a list of SKUs')
    .min(1, 'wants at least one SKU')
    .max(LINES_MAX, `wants at most ${LINES_MAX} SKUs a call; check the ones the buyer wants`)
    .optional()
    .describe('or reservation_id'),
  reservation_id: reservationId.optional(),
  all_locations: z.boolean('wants true or false').default(false).describe('empty ones too'),
}).refine((args) => (args.skus === undefined) !== (args.reservation_id === undefined), {
  message: 'send either skus or reservation_id',
});

const output = z.strictObject({
  items: z.array(
    z.strictObject({
      sku: z.string(),
      title: z.string(),
      status: z.string(),
      off_sale: z.string().optional(),
      availability: z.strictObject({ available: z.int(), status: z.string() }),
      available_to_promise: z.int(),
      reservable: z.int(),
      held_by_you: z.int(),
      locations: z.array(
        z.strictObject({ location_id: z.string(), name: z.string(), available_to_promise: z.int() }),
      ),
      locations_omitted: z.int().optional(),
      as_of: z.string(),
      confirmed_at: z.string(),
      age_seconds: z.int(),
      max_age_seconds: z.int(),
      fresh: z.boolean(),
      stock_hash: z.string(),
    }),
  ),
  unknown_skus: z.array(z.string()),
  stock_hash: z.string().optional(),
  reservation: z
    .object({
      reservation_id: z.string(),
      status: z.string(),
      expires_at: z.string(),
      order_id: z.string().optional(),
    })
    .optional(),
  queried_at: z.string(),
  valid_until: z.string(),
});

export const checkStock = defineTool({
  name: 'check_stock',
  scope: 'inventory:read',
  title: 'Check stock',
  description:
    'Current stock of up to 20 SKUs: units that can be promised now, those you may reserve, how old that is, and its stock_hash. ' +
    'Call it before each quote; never quote from memory. ' +
    'With reservation_id: re-quotes that reservation and returns the stock_hash to submit.',
  annotations: { readOnlyHint: true },
  input,
  output,
  call: ({ ledger, caller }, { skus, reservation_id, all_locations }) =>
    reservation_id === undefined
      ? ledger.checkStock(skus ?? [], { all_locations, caller })
      : ledger.checkReservation(caller.principal, reservation_id, { all_locations, caller }),
});
