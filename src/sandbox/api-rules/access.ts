/** Tokens, and what they may do. */

/** The token of a custom app of the sandbox shop. Not a secret: the sandbox is reachable on loopback only. */
export const SANDBOX_ACCESS_TOKEN = 'shpat_sandbox';
export const SANDBOX_CLIENT_ID = 'sandbox';
export const SANDBOX_CLIENT_SECRET = 'sandbox';

/** Everything that the sandbox's root fields ask for. */
export const ALL_SCOPES: readonly string[] = [
  'read_inventory',
  'write_inventory',
  'read_locations',
  'read_publications',
  'read_products',
  'write_products',
  'read_orders',
  'read_all_orders',
  'write_orders',
  'read_returns',
  'write_returns',
  'write_order_edits',
  'read_fulfillments',
  'write_fulfillments',
  'read_merchant_managed_fulfillment_orders',
  'write_merchant_managed_fulfillment_orders',
  'write_locations',
  'read_draft_orders',
  'write_draft_orders',
];

/** Shopify: a token from client credentials lives for 24 hours, and says one second less. */
const MINTED_LIFETIME_MS = 24 * 60 * 60 * 1000;
export const MINTED_EXPIRES_IN_SECONDS = 86_399;
/** The oldest are forgotten first. */
const MINTED_MAX = 1_000;

/**
 * Scopes of each root field, and of `Order.fulfillmentOrders`, of which one is enough. Shopify: `requiredAccess` in the API reference. Fields that are
 * missing here want none; `node` and `nodes` are not checked.
 */
const REQUIRED_SCOPES: Readonly<Record<string, readonly string[]>> = {
  location: ['read_locations', 'read_inventory'],
  locations: ['read_locations', 'read_inventory'],
  publications: ['read_publications'],
  product: ['read_products'],
  products: ['read_products'],
  productVariant: ['read_products'],
  productVariants: ['read_products'],
  inventoryItem: ['read_inventory', 'read_products'],
  inventoryItems: ['read_inventory', 'read_products'],
  inventoryLevel: ['read_inventory'],
  draftOrder: ['read_draft_orders'],
  draftOrders: ['read_draft_orders'],
  order: ['read_orders'],
  orders: ['read_orders'],
  fulfillmentOrders: [
    'read_merchant_managed_fulfillment_orders',
    'read_third_party_fulfillment_orders',
    'read_assigned_fulfillment_orders',
  ],
  refund: ['read_orders'],
  return: ['read_returns', 'read_orders'],
  fulfillment: ['read_fulfillments', 'read_orders', 'read_merchant_managed_fulfillment_orders'],
  inventoryAdjustQuantities: ['write_inventory'],
  inventoryMoveQuantities: ['write_inventory'],
  inventorySetQuantities: ['write_inventory'],
  draftOrderCreate: ['write_draft_orders'],
  draftOrderUpdate: ['write_draft_orders'],
  draftOrderComplete: ['write_draft_orders'],
  draftOrderDelete: ['write_draft_orders'],
  draftOrderInvoiceSend: ['write_draft_orders'],
  orderCreate: ['write_orders'],
  orderCancel: ['write_orders'],
  orderMarkAsPaid: ['write_orders'],
  orderEditBegin: ['write_order_edits'],
  orderEditAddVariant: ['write_order_edits'],
  orderEditSetQuantity: ['write_order_edits'],
  orderEditCommit: ['write_order_edits'],
  refundCreate: ['write_orders'],
  returnCreate: ['write_returns'],
  returnProcess: ['write_returns'],
  returnClose: ['write_returns'],
  returnReopen: ['write_returns'],
  returnCancel: ['write_returns'],
  reverseFulfillmentOrderDispose: ['write_returns'],
  fulfillmentCreate: ['write_merchant_managed_fulfillment_orders', 'write_fulfillments'],
  fulfillmentOrderMove: ['write_merchant_managed_fulfillment_orders', 'write_third_party_fulfillment_orders'],
  fulfillmentCancel: ['write_merchant_managed_fulfillment_orders', 'write_fulfillments'],
  inventoryActivate: ['write_inventory'],
  inventoryDeactivate: ['write_inventory'],
  inventoryItemUpdate: ['write_inventory'],
  locationActivate: ['write_locations'],
  locationDeactivate: ['write_locations'],
  productDelete: ['write_products'],
  productVariantsBulkUpdate: ['write_products'],
  productUpdate: ['write_products'],
  productVariantsCount: ['read_products'],
};

/** Shopify: an app without `read_all_orders` sees the orders of the last 60 days. */
const ORDERS_SEEN_MS = 60 * 24 * 60 * 60 * 1000;

/** Since when orders have to be there to be shown. Milliseconds since 1970. */
export function ordersSeenSinceMs(scopes: readonly string[], nowMs: number): number {
  return scopes.includes('read_all_orders') ? 0 : nowMs - ORDERS_SEEN_MS;
}

/** Null when the scopes suffice for the root field; else what is required, in Shopify's words. */
export function missingAccess(rootField: string, scopes: readonly string[]): string | null {
  const wanted = REQUIRED_SCOPES[rootField] ?? [];
  // Shopify: a write scope includes the read scope of the same kind.
  const granted = new Set(scopes.flatMap((scope) => [scope, scope.replace(/^write_/u, 'read_')]));
  if (wanted.length === 0 || wanted.some((scope) => granted.has(scope))) return null;
  return wanted.map((scope) => `\`${scope}\` access scope`).join(' or ');
}

/** The tokens that the sandbox accepts: the fixed one, and those minted from client credentials while they live. */
export class AccessTokens {
  readonly #expiryMs = new Map<string, number>();
  #minted = 0;
  #isInstalled = true;

  isValid(token: string, nowMs: number): boolean {
    if (!this.#isInstalled) return false;
    if (token === SANDBOX_ACCESS_TOKEN) return true;
    const expiryMs = this.#expiryMs.get(token);
    return expiryMs !== undefined && nowMs < expiryMs;
  }

  mint(nowMs: number): string {
    this.#minted += 1;
    const token = `shpat_sandbox_${this.#minted}`;
    this.#expiryMs.set(token, nowMs + MINTED_LIFETIME_MS);
    const [oldest] = this.#expiryMs.keys();
    if (this.#expiryMs.size > MINTED_MAX && oldest !== undefined) this.#expiryMs.delete(oldest);
    return token;
  }

  get isInstalled(): boolean {
    return this.#isInstalled;
  }

  /** As when the merchant removes the app, or installs it again: without it no token works, and none is minted. */
  setInstalled(isInstalled: boolean): void {
    this.#isInstalled = isInstalled;
    if (!isInstalled) this.revokeMinted();
  }

  /** Minted tokens stop working at once. */
  revokeMinted(): void {
    this.#expiryMs.clear();
  }
}
