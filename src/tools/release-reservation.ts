import * as z from 'zod';
import { reservationId, text } from './fields.js';
import { defineTool } from './tool.js';

const REASON_MAX_CHARS = 200;

const output = z.object({
  reservation_id: z.string(),
  status: z.string(),
  released_units: z.int(),
  replayed: z.boolean(),
});

export const releaseReservation = defineTool({
  name: 'release_reservation',
  title: 'Release reservation',
  description:
    'Frees a reservation that is not needed any more, so that others can buy. Releasing twice is no error. Not possible once an order was submitted on it.',
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  input: z.strictObject({ reservation_id: reservationId, reason: text(REASON_MAX_CHARS).optional() }),
  output,
  call: ({ ledger, principal }, { reservation_id, reason }) =>
    ledger.release({ principal, reservation_id, reason: reason ?? null }),
});
