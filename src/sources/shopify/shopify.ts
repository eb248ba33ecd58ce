/** Opens a Shopify shop: what the port wants of it, and a light look at whether it can be worked with. */

import type {
  AnchorSource,
  DeliveryGate,
  LateOrderSink,
  MirrorLane,
  OrderSink,
  OrderSource,
  ReservedSource,
  StockSource,
  Subscriptions,
} from '../source.js';
import { type ClientOptions, ShopifyClient } from './client/client.js';
import { DOCUMENTS, type MirrorMode, missingScopes, requiredScopes, type Scope } from './client/documents.js';
import { API_VERSION, DEFAULT_TUNING, type Tuning } from './client/limits.js';
import { ShopifyReservedSource } from './holds/reserved-units.js';
import { ShopifyAnchorSource } from './orders/anchor-source.js';
import { ShopifyOrderSink } from './orders/order-sink.js';
import { ShopifyOrderSource } from './orders/order-source.js';
import { type FoundPublication, type PublicationChoice, PublicationFinder } from './stock/publication.js';
import { ShopifyStockSource } from './stock/stock-source.js';
import { ShopifySubscriptions } from './webhooks/subscriptions.js';
import { openDeliveryGate } from './webhooks/webhook-verifier.js';

export interface ShopifyOptions extends ClientOptions {
  readonly tuning?: Partial<Tuning>;
  /** Decides which scopes `probe` misses. Default `draft_order`. */
  readonly mirror?: MirrorMode;
  /** Where items have to be published to be sold. Default `any`: it does not count. */
  readonly publication?: PublicationChoice;
  /** What the shop signs its webhooks with. Default: the client secret, where there is one. */
  readonly webhook_secrets?: readonly string[];
}

/** What `doctor` wants to know. */
export interface ShopProbe {
  readonly shop_name: string;
  readonly shop: string;
  readonly granted_scopes: readonly string[];
  /** Wanted by some document of this mode and not granted. */
  readonly missing_scopes: readonly Scope[];
  /** A development store: it takes a few orders a minute and no more. */
  readonly is_development_store: boolean;
  /** The shop's clock when it answered, to the second; null when it did not say. */
  readonly shop_time_ms: number | null;
  /** Shopify serves another version when the one asked for is gone. Null when it did not say. */
  readonly api_version: string | null;
  readonly api_version_wanted: string;
}

export interface ShopifyUpstream {
  readonly source: StockSource;
  readonly orders: OrderSource;
  readonly sink: OrderSink & LateOrderSink;
  readonly reserved: ReservedSource;
  readonly anchors: AnchorSource;
  /** For holds that mirror reservations: everything else goes before them. */
  readonly mirrors: MirrorLane;
  readonly subscriptions: Subscriptions;
  /** Null without a secret: then no webhook can be told from a forgery, and none is let in. */
  readonly gate: DeliveryGate | null;
  /** Looks up where items have to be published to be sold. Throws UpstreamError when the shop can't be asked. */
  publication(signal: AbortSignal): Promise<FoundPublication>;
  /** One cheap request. Throws UpstreamError. */
  probe(signal: AbortSignal): Promise<ShopProbe>;
}

/** Sends nothing yet. Throws RangeError on a shop name, an origin or a credential that cannot be right. */
export function openShopify({
  tuning,
  mirror = 'draft_order',
  publication = 'any',
  webhook_secrets,
  ...options
}: ShopifyOptions): ShopifyUpstream {
  const tuned = { ...DEFAULT_TUNING, ...tuning };
  const { shop, credentials } = options;
  const own = 'client_secret' in credentials ? [credentials.client_secret] : [];
  const secrets = webhook_secrets?.length ? webhook_secrets : own;
  const client = new ShopifyClient(options, tuned);
  const finder = new PublicationFinder(client, publication);
  return {
    source: new ShopifyStockSource(client, tuned, finder),
    orders: new ShopifyOrderSource(client, tuned),
    reserved: new ShopifyReservedSource(client),
    anchors: new ShopifyAnchorSource(client),
    sink: new ShopifyOrderSink(client),
    mirrors: {
      sink: new ShopifyOrderSink(client.inLane('holds')),
      leaveRoom: (signal) => client.leaveRoomForHolds(signal),
    },
    subscriptions: new ShopifySubscriptions(client),
    gate: secrets.length === 0 ? null : openDeliveryGate({ shop, secrets }),
    probe: (signal) => probe(client, { mirror, publication: publication !== 'any' }, signal),
    publication: (signal) => finder.look(signal),
  };
}

async function probe(
  client: ShopifyClient,
  needs: Parameters<typeof requiredScopes>[0],
  signal: AbortSignal,
): Promise<ShopProbe> {
  const { data, shop_time_ms, api_version } = await client.read(DOCUMENTS.probe, {}, signal);
  const granted = data.currentAppInstallation.accessScopes.map(({ handle }) => handle).sort();
  return {
    shop_name: data.shop.name,
    shop: data.shop.myshopifyDomain,
    is_development_store: data.shop.plan.partnerDevelopment,
    granted_scopes: granted,
    missing_scopes: missingScopes(granted, requiredScopes(needs)),
    shop_time_ms,
    api_version,
    api_version_wanted: API_VERSION,
  };
}
