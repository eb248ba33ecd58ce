/** What is known after a write, and what we can tell of it beforehand. */

import {
  type BuyerRefused,
  type HoldRequest,
  type RefusalCause,
  UpstreamError,
  type WriteOutcome,
} from '../../source.js';
import { HOLD_LINES_MAX, TAG_CHARS_MAX } from './limits.js';
import { type ErrorsMeaning, judgeErrors, type ShopError } from './user-errors.js';

export function done<T>(value: T): WriteOutcome<T> {
  return { outcome: 'done', value };
}

export type Refused = Extract<WriteOutcome<never>, { outcome: 'refused' }>;

export function refused(detail: string, cause: RefusalCause | null = null): Refused {
  return { outcome: 'refused', failure: 'refused', detail, ...(cause === null ? {} : { cause }) };
}

/**
 * What a refusal by user errors leaves of a hold. One that is out of stock or paced is left to those who make orders:
 * holds know neither.
 */
export function refusedBy(
  errors: readonly ShopError[],
  detail: string,
): BuyerRefused | Refused | Extract<WriteOutcome<never>, { outcome: 'not_sent' }> {
  return refusedAs(judgeErrors(errors), detail);
}

export function refusedAs(
  meaning: ErrorsMeaning,
  detail: string,
): BuyerRefused | Refused | Extract<WriteOutcome<never>, { outcome: 'not_sent' }> {
  switch (meaning.means) {
    case 'buyer_refused':
      return { outcome: 'buyer_refused', fields: meaning.fields, detail };
    case 'later':
      return { outcome: 'not_sent', failure: 'refused', detail, retry_after_ms: null };
    case 'refused':
      return refused(detail, meaning.cause);
    case 'out_of_stock':
    case 'paced':
    case 'done':
      return refused(detail);
  }
}

export function unknown(detail: string): Extract<WriteOutcome<never>, { outcome: 'unknown' }> {
  return { outcome: 'unknown', detail };
}

/** Why the shop would refuse this, as far as we know its rules; null when it would not. */
export function findFlaw({ tag, lines }: Pick<HoldRequest, 'tag' | 'lines'>): string | null {
  if (lines.length === 0) return 'a hold without lines';
  if (lines.length > HOLD_LINES_MAX) return `more than ${HOLD_LINES_MAX} lines`;
  if (lines.some((line) => !Number.isSafeInteger(line.quantity_units) || line.quantity_units < 1)) {
    return 'a quantity that is not a positive integer';
  }
  // A cut or split tag could not be looked up again.
  if (tag === '' || tag.length > TAG_CHARS_MAX || tag.includes(','))
    return 'a tag that the shop would change';
  return null;
}

/** What the answer to a mutation that ran means. One that cannot be read leaves it unknown: writes do not throw. */
export async function judged<Data, Outcome>(
  sent: WriteOutcome<Data>,
  read: (data: Data) => Outcome | Promise<Outcome>,
): Promise<Outcome | Exclude<WriteOutcome<never>, { outcome: 'done' }>> {
  if (sent.outcome !== 'done') return sent;
  try {
    return await read(sent.value);
  } catch (error) {
    if (error instanceof UpstreamError) return unknown(error.detail);
    throw error;
  }
}
