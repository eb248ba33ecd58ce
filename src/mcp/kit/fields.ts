/** The fields that several tools share, as zod schemas whose messages say what is wanted. */

import * as z from 'zod';
import { isNameableSku, SKU_MAX_CHARS, visibleText } from '../../ledger/model/values/text.js';
import { parseUnits, UNITS_MAX, type Units } from '../../ledger/model/values/units.js';

/** SKUs of one call, and lines of one reservation. More is a catalogue, which does not belong in a context. */
export const LINES_MAX = 20;
const ID_MAX_CHARS = 100;
const IDEMPOTENCY_KEY_MAX_CHARS = 200;

/** Control characters but line breaks and tabs, and lone surrogates: they can't be stored or hashed faithfully. */
const UNWRITABLE = /[\p{Cs}]|[^\P{Cc}\t\n\r]/u;

/**
 * Exactly these fields. The message lists them; the name of an unknown one is the caller's text and stays out.
 */
export function fields<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, `wants an object with no other fields than ${Object.keys(shape).join(', ')}`);
}

export const sku = z
  .string('wants a SKU as text')
  .trim()
  .refine(isNameableSku, `wants a SKU of 1 to ${SKU_MAX_CHARS} visible characters, as find_items spells it`)
  .describe('as find_items spells it');

export const quantity = z
  .int(`wants a whole number from 1 to ${UNITS_MAX}`)
  .min(1, `wants a whole number from 1 to ${UNITS_MAX}`)
  .max(UNITS_MAX, `wants a whole number from 1 to ${UNITS_MAX}`)
  .transform((input): Units => {
    const units = parseUnits(input);
    if (units === null) throw new Error('checked above');
    return units;
  })
  .describe('units');

export const reservationId = id('wants the reservation_id that reserve_units returned').describe(
  'from reserve_units',
);

export const orderId = id('wants the order_id that submit_order_with_hash returned').describe(
  'or the shop’s name, like #1009',
);

/** Taken to the letter: two keys that look alike are two keys. */
export const idempotencyKey = writable(IDEMPOTENCY_KEY_MAX_CHARS)
  .min(1, `wants 1 to ${IDEMPOTENCY_KEY_MAX_CHARS} characters`)
  .describe('new for each wish, the same after a timeout');

/** Text that a model writes: it is told how long it may be. What nobody would see of it is taken out. */
export function text(maxChars: number) {
  return writable(maxChars).transform(visibleText);
}

function writable(maxChars: number) {
  return z
    .string('wants text')
    .max(maxChars, `wants at most ${maxChars} characters`)
    .refine(isWritable, 'wants text without control characters or halves of characters');
}

/** Text that a model passes on and that is short by nature: its limit is kept, but not worth a token in the schema. */
export function shortText(maxChars: number) {
  return z
    .string('wants text')
    .refine((input) => input.length <= maxChars, `wants at most ${maxChars} characters`)
    .refine(isWritable, 'wants text without control characters or halves of characters')
    .transform(visibleText);
}

function id(message: string) {
  return z.string(message).refine((input) => input.length >= 1 && input.length <= ID_MAX_CHARS, message);
}

function isWritable(input: string): boolean {
  return !UNWRITABLE.test(input);
}

/** What a tool answers, as far as a client needs the shape to read it. */
export const orderReasons = z.array(
  z.strictObject({ code: z.string(), sku: z.string().optional(), detail: z.string() }),
);

export const upstreamOrder = z
  .strictObject({
    order_name: z.string().optional(),
    order_id: z.string().optional(),
    checkout_url: z.string().optional(),
  })
  .optional();
