/** The fields that several tools share, as zod schemas whose messages say what is wanted. */

import * as z from 'zod';
import { isNameableSku, SKU_MAX_CHARS } from '../ledger/text.js';
import { parseUnits, UNITS_MAX, type Units } from '../ledger/units.js';

/** SKUs of one call, and lines of one reservation. More is a catalogue, which does not belong in a context. */
export const LINES_MAX = 20;
const ID_MAX_CHARS = 100;
const IDEMPOTENCY_KEY_MAX_CHARS = 200;

export const sku = z
  .string('wants a SKU as text')
  .refine(isNameableSku, `wants a SKU of 1 to ${SKU_MAX_CHARS} visible characters, as find_items spells it`);

export const quantity = z
  .int(`wants a whole number from 1 to ${UNITS_MAX}`)
  .min(1, `wants a whole number from 1 to ${UNITS_MAX}`)
  .max(UNITS_MAX, `wants a whole number from 1 to ${UNITS_MAX}`)
  .transform((input): Units => {
    const units = parseUnits(input);
    if (units === null) throw new Error('checked above');
    return units;
  });

export const reservationId = z
  .string('wants the reservation_id that reserve_units returned')
  .min(1)
  .max(ID_MAX_CHARS, 'wants the reservation_id that reserve_units returned');

export const orderId = z
  .string('wants the order_id that submit_order_with_hash returned')
  .min(1)
  .max(ID_MAX_CHARS, 'wants the order_id that submit_order_with_hash returned');

export const idempotencyKey = z
  .string('wants text')
  .min(1, `wants 1 to ${IDEMPOTENCY_KEY_MAX_CHARS} characters`)
  .max(IDEMPOTENCY_KEY_MAX_CHARS, `wants 1 to ${IDEMPOTENCY_KEY_MAX_CHARS} characters`);

export function text(maxChars: number) {
  return z.string('wants text').max(maxChars, `wants at most ${maxChars} characters`);
}

/** What a tool answers, as far as a client needs the shape to read it. */
export const orderReasons = z.array(
  z.object({ code: z.string(), sku: z.string().optional(), detail: z.string() }),
);

export const upstreamOrder = z
  .object({
    order_name: z.string().optional(),
    order_id: z.string().optional(),
    checkout_url: z.string().optional(),
  })
  .optional();
