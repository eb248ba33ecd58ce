import * as z from 'zod';
import { fields, reservationId, shortText } from '../kit/fields.js';
import { defineTool } from '../kit/tool.js';

const REASON_MAX_CHARS = 200;

const output = z.strictObject({
  reservation_id: z.string(),
  status: z.string(),
  released_units: z.int(),
  replayed: z.boolean(),
});

export const releaseReservation = defineTool({
  name: 'release_reservation',
  scope: 'inventory:reserve',
  title: 'Release reservation',
  description:
    'Frees a reservation that is no longer needed. Twice is no error. Not possible once an order is submitted on it.',
  annotations: { destructiveHint: true, idempotentHint: true },
  input: fields({
    reservation_id: reservationId,
    // Agents write what the buyer said. The journal is for good, so it is taken and not kept.
    reason: shortText(REASON_MAX_CHARS).optional().describe('why'),
  }),
  output,
  call: ({ ledger, caller: { principal } }, { reservation_id }) =>
    ledger.release({ principal, reservation_id }),
});
