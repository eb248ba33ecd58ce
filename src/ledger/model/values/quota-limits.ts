/** The limits on what one caller may take, by name. `check-quota.ts` judges by them. */

/** Null: not limited. */
export interface QuotaSettings {
  /** Live units of one SKU, those of held orders included. */
  readonly units_per_sku: number | null;
  /** Of what could be promised of a SKU if the caller had none of it, in percent. */
  readonly share_percent: number | null;
  /** Of a SKU, what all callers together may keep without having bought of it, in percent. */
  readonly unsold_share_percent: number | null;
  readonly live_reservations: number | null;
  readonly reservations_per_hour: number | null;
  /** How often a SKU may be kept for another reservation's length without a sale. */
  readonly renewals: number | null;
  /** Reservations of full length that may end unsold in a day before a cool-down begins. */
  readonly idle_per_day: number | null;
  /**
   * As many more for each order of that day. Also each unit that a caller has bought of a SKU pays for so many units of it that it keeps
   * for full length without buying them.
   */
  readonly idle_per_order: number;
  /** The longest cool-down. */
  readonly cool_down_max_ms: number;
  readonly held_orders: number | null;
  /** Orders, and units in them, within an hour. What is above waits for a person; nothing is refused. */
  readonly orders_per_hour: number | null;
  readonly ordered_units_per_hour: number | null;
  /** The share of all callers of one origin together, and of all of one channel, in percent. */
  readonly origin_share_percent: number | null;
  /** All callers of one origin together may take this many times what one may, where it is counted. */
  readonly origin_factor: number;
}

/** Whether anything is limited. Where nothing is, nothing has to be known of callers. */
export function isLimiting(quotas: QuotaSettings): boolean {
  const { units_per_sku, share_percent, unsold_share_percent } = quotas;
  const { live_reservations, reservations_per_hour } = quotas;
  const { renewals, idle_per_day, held_orders, origin_share_percent } = quotas;
  const { orders_per_hour, ordered_units_per_hour } = quotas;
  const limits = [
    units_per_sku,
    share_percent,
    unsold_share_percent,
    live_reservations,
    reservations_per_hour,
  ];
  const others = [renewals, idle_per_day, held_orders, orders_per_hour, ordered_units_per_hour];
  return [...limits, ...others, origin_share_percent].some((limit) => limit !== null);
}

export type QuotaName =
  | 'cool_down'
  | 'live_reservations'
  | 'reservations_per_hour'
  | 'units_per_sku'
  | 'share'
  | 'unsold_share'
  | 'renewals'
  | 'held_orders'
  | 'held_units'
  | 'orders'
  | 'ordered_units';

/** The limits above which an order waits for a person. The others refuse. */
export type OrderQuotaName = Extract<QuotaName, 'orders' | 'ordered_units'>;

/** Who a limit is on: the caller, or with all callers of its origin, of its channel, or at all. */
export type QuotaSubject = 'principal' | 'origin' | 'channel' | 'everyone';
