/** Every reason to say no, in one table, so that a new code does not compile until every edge knows it. */

/** When the same wish may succeed. `changed_request`: when the caller has mended it. */
export type Retry = 'never' | 'changed_request' | 'same_request' | 'after_check_stock' | 'later';

export type RefusalCode =
  | 'sku_unknown'
  | 'location_unknown'
  | 'units_invalid'
  | 'lines_over_limit'
  | 'stock_insufficient'
  | 'stock_stale'
  | 'item_discontinued'
  | 'stock_hash_malformed'
  | 'stock_hash_unknown'
  | 'reservation_unknown'
  | 'reservation_expired'
  | 'reservation_already_released'
  | 'reservation_already_submitted'
  | 'order_unknown'
  | 'idempotency_key_reused'
  | 'quota_exceeded'
  | 'rate_limited'
  | 'scope_missing'
  | 'upstream_unavailable'
  | 'arguments_invalid'
  | 'buyer_required'
  | 'not_configured'
  | 'busy'
  | 'internal';

export const RETRY_BY_CODE = {
  sku_unknown: 'changed_request',
  location_unknown: 'changed_request',
  units_invalid: 'changed_request',
  lines_over_limit: 'changed_request',
  stock_insufficient: 'after_check_stock',
  stock_stale: 'later',
  item_discontinued: 'never',
  stock_hash_malformed: 'changed_request',
  stock_hash_unknown: 'after_check_stock',
  reservation_unknown: 'changed_request',
  reservation_expired: 'after_check_stock',
  reservation_already_released: 'after_check_stock',
  reservation_already_submitted: 'never',
  order_unknown: 'changed_request',
  idempotency_key_reused: 'changed_request',
  quota_exceeded: 'later',
  rate_limited: 'later',
  scope_missing: 'never',
  upstream_unavailable: 'later',
  arguments_invalid: 'changed_request',
  buyer_required: 'changed_request',
  not_configured: 'never',
  busy: 'same_request',
  internal: 'later',
} as const satisfies Record<RefusalCode, Retry>;

/** What `retry` may say instead, where it depends on the case. */
export const OTHER_RETRIES = {
  quota_exceeded: ['changed_request'],
} as const satisfies Partial<Record<RefusalCode, readonly Retry[]>>;

/**
 * A "no" that the caller can act on. `message` is a template of ours: nothing that a shop, a catalogue or a
 * caller wrote appears in it. `details` is data.
 */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly retry: Retry;
  readonly retry_after_seconds?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Rule 3: a refusal is returned, a bug is thrown. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export function granted<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refused(
  code: RefusalCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  retryAfterSeconds?: number,
  retry: Retry = RETRY_BY_CODE[code],
): { readonly ok: false; readonly refusal: Refusal } {
  const refusal: Refusal = {
    code,
    message,
    retry,
    details,
    ...(retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds }),
  };
  return { ok: false, refusal };
}
