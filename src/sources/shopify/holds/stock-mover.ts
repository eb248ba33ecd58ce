/**
 * Holds as moves between `available` and `reserved`. Shopify 2026-10 carries one key out once and compares the figure that
 * a move starts from, so that neither a repetition nor a sale in between can take a unit twice. What was moved out stays
 * out until it is moved back: there is no expiry at Shopify's side.
 */

import type { StockMove, StockMoveChange } from '../../../ledger/model/stock-transfer.js';
import type { MoveOutcome } from '../../source.js';
import type { LaneClient } from '../client/client.js';
import { DOCUMENTS, type ResultOf, type VariablesOf } from '../client/documents.js';
import { gid } from '../client/gid.js';
import { MOVE_CHANGES_MAX } from '../client/limits.js';
import { done, judged, refused, unknown } from '../client/write-outcome.js';

type Payload = NonNullable<ResultOf<typeof DOCUMENTS.move_stock>['inventoryMoveQuantities']>;
type Code = NonNullable<Payload['userErrors'][number]['code']>;
type Variables = VariablesOf<typeof DOCUMENTS.move_stock>;
type Change = Variables['input']['changes'][number];

/** From the mildest to the gravest: of several errors in one answer the gravest counts. */
const GRAVITY = ['unknown', 'stale', 'failed', 'refused'] as const;
type Meaning = (typeof GRAVITY)[number];

/** `unknown`: the same request again. `stale`, `failed`: nothing was moved, a new key may do. `refused`: a person. */
const MEANING = {
  IDEMPOTENCY_CONCURRENT_REQUEST: 'unknown',
  SERVICE_UNAVAILABLE: 'unknown',
  CHANGE_FROM_QUANTITY_STALE: 'stale',
  IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED: 'stale',
  MOVE_QUANTITIES_FAILED: 'failed',
  IDEMPOTENCY_KEY_PARAMETER_MISMATCH: 'refused',
  DIFFERENT_LOCATIONS: 'refused',
  INTERNAL_LEDGER_DOCUMENT: 'refused',
  INVALID_AVAILABLE_DOCUMENT: 'refused',
  INVALID_INVENTORY_ITEM: 'refused',
  INVALID_LEDGER_DOCUMENT: 'refused',
  INVALID_LOCATION: 'refused',
  INVALID_QUANTITY_DOCUMENT: 'refused',
  INVALID_QUANTITY_NAME: 'refused',
  INVALID_QUANTITY_NEGATIVE: 'refused',
  INVALID_QUANTITY_TOO_HIGH: 'refused',
  INVALID_REASON: 'refused',
  INVALID_REFERENCE_DOCUMENT: 'refused',
  MAXIMUM_LEDGER_DOCUMENT_URIS: 'refused',
  NON_MUTABLE_INVENTORY_ITEM: 'refused',
  SAME_QUANTITY_NAME: 'refused',
} as const satisfies Record<Code, Meaning>;

/**
 * Names of the check before 2026-04, which other mutations of the same schema still have. What no schema knows is taken
 * for a no that a person has to look at.
 */
const OLD_NAMES: Readonly<Record<string, Meaning>> = {
  COMPARE_QUANTITY_STALE: 'stale',
  COMPARE_QUANTITY_REQUIRED: 'refused',
};

/** The same move makes the same bytes, always: Shopify remembers what a key was first sent with. */
export async function sendMove(
  client: LaneClient,
  move: StockMove,
  signal: AbortSignal,
): Promise<MoveOutcome> {
  const { changes } = move.together ?? move;
  if (changes.length === 0 || changes.length > MOVE_CHANGES_MAX) {
    return refused(`a move of ${changes.length} changes`);
  }
  const sent = await client.write(DOCUMENTS.move_stock, buildVariables(move), signal);
  // A document that was turned away says nothing of the same move when it was sent before: only the mutation's own errors do.
  if (sent.outcome === 'refused') {
    const { failure, detail } = sent;
    return { outcome: 'not_sent', failure, detail, retry_after_ms: null };
  }
  return await judged(sent, (data) => toOutcome(data.inventoryMoveQuantities, client));
}

function toOutcome(payload: Payload | null, client: LaneClient): MoveOutcome {
  if (payload === null) return unknown('a move without an answer');
  if (payload.userErrors.length === 0) return done(null);
  const lines = payload.userErrors.map(
    ({ code, field, message }) => `${code ?? '-'} ${field?.join('.') ?? '-'}: ${message}`,
  );
  const detail = client.clean(lines.join('; '));
  const meanings = payload.userErrors.map(({ code }) => classifyCode(code));
  const gravest = GRAVITY.findLast((meaning) => meanings.includes(meaning)) ?? 'refused';
  switch (gravest) {
    case 'unknown':
      return unknown(detail);
    case 'refused':
      return refused(detail);
    default:
      return { outcome: gravest, detail };
  }
}

function classifyCode(code: Code | null): Meaning {
  if (code === null) return 'refused';
  return (MEANING as Readonly<Record<string, Meaning>>)[code] ?? OLD_NAMES[code] ?? 'refused';
}

function buildVariables(move: StockMove): Variables {
  const { changes } = move.together ?? move;
  // In the shop's history: whose units they are, or which call of several.
  const uri =
    move.together === undefined
      ? `gid://holdfast/Reservation/${move.reservation_id}`
      : `gid://holdfast/Move/${move.key}`;
  return {
    key: move.key,
    input: {
      reason: move.direction === 'out' ? 'reservation_created' : 'reservation_deleted',
      referenceDocumentUri: uri,
      changes: changes.map((change) => buildChange(change, move.direction, uri)),
    },
  };
}

/** Shopify 2026-10: a ledger document is forbidden for `available` and demanded for every other state. */
function buildChange(change: StockMoveChange, direction: StockMove['direction'], uri: string): Change {
  const locationId = gid('Location', change.location_id);
  const available = { locationId, name: 'available', changeFromQuantity: change.available_units };
  const reserved = { locationId, name: 'reserved', ledgerDocumentUri: uri, changeFromQuantity: null };
  return {
    inventoryItemId: gid('InventoryItem', change.item_id),
    quantity: change.quantity_units,
    from: direction === 'out' ? available : reserved,
    to: direction === 'out' ? reserved : available,
  };
}
