/** What can be changed while the sandbox runs, over HTTP too. */

import { FaultError, mergeShares, NO_RANDOM_FAULTS, type RandomFaults } from './base/faults.js';
import { type FulfilmentSettings, parseFulfilment } from './shop/orders/fulfillment-moves.js';
import { parseRouting, type RoutingSettings } from './shop/orders/routing.js';
import { NO_WEBHOOK_FAULTS, type WebhookFaults } from './webhooks/webhook-deliveries.js';

export interface LiveSettings {
  /** Whether a bucket that is too empty refuses. */
  readonly throttle: boolean;
  readonly searchLagMs: number;
  /** Whether the app may not read the log of events. */
  readonly refusesEvents: boolean;
  /** SKUs that the API does not show, although the shop counts them. */
  readonly hiddenSkus: readonly string[];
  /** How far the shop's clock is ahead of the machine's; behind when it is negative. */
  readonly clockSkewMs: number;
  /** Shares that are left out are none. */
  readonly faults: Partial<RandomFaults>;
  readonly webhookFaults: Partial<WebhookFaults>;
  /** Where orders and drafts take their units from now on. */
  readonly routing: RoutingSettings;
  /** When fulfillment orders are shown, and whether they can be moved, from now on. */
  readonly fulfilment: FulfilmentSettings;
}

const SEARCH_LAG_MAX_MS = 24 * 60 * 60 * 1000;
const CLOCK_SKEW_MAX_MS = 10 * 365 * 24 * 60 * 60 * 1000;

const PARSERS: { readonly [K in keyof LiveSettings]: (value: unknown) => LiveSettings[K] } = {
  throttle: (value) => truth('throttle', value),
  refusesEvents: (value) => truth('refusesEvents', value),
  searchLagMs: (value) => milliseconds('searchLagMs', value, 0, SEARCH_LAG_MAX_MS),
  hiddenSkus: (value) => {
    if (Array.isArray(value) && value.every((sku) => typeof sku === 'string')) return value;
    throw new FaultError(`hiddenSkus must be a list of SKUs, not ${JSON.stringify(value)}`);
  },
  clockSkewMs: (value) => milliseconds('clockSkewMs', value, -CLOCK_SKEW_MAX_MS, CLOCK_SKEW_MAX_MS),
  faults: (value) => mergeShares<RandomFaults>(record('faults', value), NO_RANDOM_FAULTS),
  webhookFaults: (value) => mergeShares<WebhookFaults>(record('webhookFaults', value), NO_WEBHOOK_FAULTS),
  routing: (value) => parseRouting(record('routing', value)),
  fulfilment: (value) => parseFulfilment(record('fulfilment', value)),
};

/** JSON from outside. Throws `FaultError` on a name that does not exist and on a value that makes no sense. */
export function parseLiveSettings(value: unknown): Partial<LiveSettings> {
  const entries = Object.entries(record('the settings', value)).map(([name, setting]) => {
    if (!Object.hasOwn(PARSERS, name)) {
      throw new FaultError(`there is no setting ${name}, only ${Object.keys(PARSERS).join(', ')}`);
    }
    return [name, PARSERS[name as keyof LiveSettings](setting)];
  });
  return Object.fromEntries(entries);
}

function record(name: string, value: unknown): Record<string, never> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, never>;
  throw new FaultError(`${name} must be an object, not ${JSON.stringify(value)}`);
}

function truth(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new FaultError(`${name} must be true or false, not ${JSON.stringify(value)}`);
}

function milliseconds(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new FaultError(
    `${name} must be whole milliseconds from ${min} to ${max}, not ${JSON.stringify(value)}`,
  );
}
