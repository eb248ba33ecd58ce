import * as z from 'zod';
import { fields, idempotencyKey, LINES_MAX, quantity, reservationId, shortText, sku } from '../kit/fields.js';
import { defineTool } from '../kit/tool.js';

const LOCATION_ID_MAX_CHARS = 100;

const input = fields({
  lines: z
    .array(
      fields({
        sku,
        quantity,
        location_id: shortText(LOCATION_ID_MAX_CHARS).optional().describe('only from there'),
      }),
      'wants a list of { sku, quantity }',
    )
    .min(1, 'wants at least one line')
    .max(LINES_MAX, `wants at most ${LINES_MAX} lines`)
    .describe('what to hold'),
  ttl_seconds: z.int('wants whole seconds').optional().describe('60 to 900'),
  idempotency_key: idempotencyKey.optional(),
  allow_partial: z.boolean('wants true or false').default(false).describe('take what is there'),
  replaces: reservationId.optional().describe('reservation_id to swap out'),
});

const output = z.strictObject({
  reservation_id: z.string(),
  status: z.string(),
  lines: z.array(
    z.strictObject({
      sku: z.string(),
      requested: z.int(),
      reserved: z.int(),
      allocations: z.array(z.strictObject({ location_id: z.string().nullable(), quantity: z.int() })),
      stock_hash: z.string(),
    }),
  ),
  stock_hash: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
  ttl_seconds: z.int(),
  replayed: z.boolean(),
});

export const reserveUnits = defineTool({
  name: 'reserve_units',
  scope: 'inventory:reserve',
  title: 'Reserve units',
  description:
    'Holds units for you until expires_at. All lines or none, unless allow_partial. ' +
    'Keep reservation_id and stock_hash for submit_order_with_hash.',
  annotations: { destructiveHint: false },
  input,
  output,
  call: ({ ledger, caller: { principal, channel, origin } }, args) =>
    ledger.reserve({
      principal,
      channel,
      origin,
      lines: args.lines,
      ttl_seconds: args.ttl_seconds,
      allow_partial: args.allow_partial,
      idempotency_key: args.idempotency_key,
      replaces: args.replaces,
    }),
});
