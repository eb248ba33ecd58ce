/** Opens a Shopify shop: what the port wants of it, and a light look at whether it can be worked with. */

import type { OrderSink, StockSource } from '../upstream.js';
import { type ClientOptions, ShopifyClient } from './client.js';
import { DOCUMENTS, missingScopes, type Scope } from './documents.js';
import { API_VERSION, DEFAULT_TUNING, type Tuning } from './limits.js';
import { ShopifyOrderSink } from './order-sink.js';
import { ShopifyStockSource } from './stock-source.js';

export interface ShopifyOptions extends ClientOptions {
  readonly tuning?: Partial<Tuning>;
}

/** What `doctor` wants to know. */
export interface ShopProbe {
  readonly shop_name: string;
  readonly shop: string;
  readonly granted_scopes: readonly string[];
  /** Wanted by some document and not granted. */
  readonly missing_scopes: readonly Scope[];
  /** The shop's clock when it answered, to the second; null when it did not say. */
  readonly shop_time_ms: number | null;
  /** Shopify serves another version when the one asked for is gone. Null when it did not say. */
  readonly api_version: string | null;
  readonly api_version_wanted: string;
}

export interface ShopifyUpstream {
  readonly source: StockSource;
  readonly sink: OrderSink;
  /** One cheap request. Throws UpstreamError. */
  probe(signal: AbortSignal): Promise<ShopProbe>;
}

/** Sends nothing yet. Throws RangeError on a shop name, an origin or a credential that cannot be right. */
export function openShopify({ tuning, ...options }: ShopifyOptions): ShopifyUpstream {
  const tuned = { ...DEFAULT_TUNING, ...tuning };
  const client = new ShopifyClient(options, tuned);
  return {
    source: new ShopifyStockSource(client, tuned),
    sink: new ShopifyOrderSink(client),
    probe: (signal) => probe(client, signal),
  };
}

async function probe(client: ShopifyClient, signal: AbortSignal): Promise<ShopProbe> {
  const { data, shop_time_ms, api_version } = await client.read(DOCUMENTS.probe, {}, signal);
  const granted = data.currentAppInstallation.accessScopes.map(({ handle }) => handle).sort();
  return {
    shop_name: data.shop.name,
    shop: data.shop.myshopifyDomain,
    granted_scopes: granted,
    missing_scopes: missingScopes(granted),
    shop_time_ms,
    api_version,
    api_version_wanted: API_VERSION,
  };
}
