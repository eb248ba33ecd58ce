/** Settings of a server whose callers may hoard: for tests in which one principal plays a crowd that never buys. */
export const NO_QUOTAS: Readonly<Record<string, string>> = {
  HOLDFAST_QUOTA_UNITS_PER_SKU: 'off',
  HOLDFAST_QUOTA_SHARE: 'off',
  HOLDFAST_QUOTA_UNSOLD_SHARE: 'off',
  HOLDFAST_QUOTA_LIVE: 'off',
  HOLDFAST_QUOTA_PER_HOUR: 'off',
  HOLDFAST_QUOTA_RENEWALS: 'off',
  HOLDFAST_QUOTA_IDLE: 'off',
  HOLDFAST_QUOTA_HELD_ORDERS: 'off',
  HOLDFAST_QUOTA_ORDERS: 'off',
  HOLDFAST_QUOTA_ORDERED_UNITS: 'off',
  HOLDFAST_QUOTA_ORIGIN_SHARE: 'off',
};
