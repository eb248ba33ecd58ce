/** The token that opens the shop: a custom app's own, or one from the client-credentials grant, renewed in time. */

import { type GraphqlClient, Session, type Shopify } from '@shopify/shopify-api';
import { type Exchange, inExchange } from './http-call.js';
import { TOKEN_MARGIN_MS, TOKENS_KEPT } from './limits.js';

export type Credentials =
  /** A custom app's Admin API token. It does not expire and cannot be renewed from here. */
  | { readonly access_token: string }
  /** Client-credentials grant (Shopify 2026: apps of one merchant from the Dev Dashboard). Tokens last 24 h. */
  | { readonly client_id: string; readonly client_secret: string };

export interface OpenSession {
  readonly session: Session;
  readonly client: GraphqlClient;
}

/** The grant failed. Nothing was asked of the shop beyond that. */
export class GrantFailed extends Error {
  readonly exchange: Exchange;

  constructor(exchange: Exchange, detail: string) {
    super(detail);
    this.name = 'GrantFailed';
    this.exchange = exchange;
  }
}

export class SessionHolder {
  readonly #shopify: Shopify;
  readonly #shop: string;
  readonly #credentials: Credentials;
  readonly #origin: URL | null;
  readonly #timeout_ms: number;
  readonly #now: () => number;
  #open: OpenSession | null = null;
  /** The newest tokens. A refused one may still turn up in what is logged about its refusal. */
  #issued: readonly string[] = [];
  #grant: Promise<OpenSession> | null = null;

  constructor(
    shopify: Shopify,
    options: {
      readonly shop: string;
      readonly credentials: Credentials;
      readonly origin: URL | null;
      readonly timeout_ms: number;
      readonly now: () => number;
    },
  ) {
    this.#shopify = shopify;
    this.#shop = options.shop;
    this.#credentials = options.credentials;
    this.#origin = options.origin;
    this.#timeout_ms = options.timeout_ms;
    this.#now = options.now;
  }

  get renewable(): boolean {
    return 'client_id' in this.#credentials;
  }

  /** Every secret this session knows, to keep them out of what is logged. */
  get secrets(): readonly string[] {
    return [...Object.values(this.#credentials), ...this.#issued];
  }

  /** A session that is good for the next request. Throws GrantFailed. */
  async current(): Promise<OpenSession> {
    const open = this.#open;
    if (open !== null && !this.#expiring(open)) return open;
    if ('access_token' in this.#credentials) {
      const session = new Session({
        id: `offline_${this.#shop}`,
        shop: this.#shop,
        state: '',
        isOnline: false,
        accessToken: this.#credentials.access_token,
      });
      this.#open = this.#opened(session);
      return this.#open;
    }
    return await this.#renew();
  }

  /** The shop refused this session (401). The next `current` gets a new one, unless somebody already did. */
  refused(session: OpenSession): void {
    if (this.renewable && this.#open === session) this.#open = null;
  }

  /** Single flight: everybody who needs a new token waits for the same grant. */
  #renew(): Promise<OpenSession> {
    this.#grant ??= this.#requestGrant().finally(() => {
      this.#grant = null;
    });
    return this.#grant;
  }

  async #requestGrant(): Promise<OpenSession> {
    // Its own signal: one caller that gives up must not take the grant from the others. The time limit ends it.
    const { result, exchange } = await inExchange(
      { origin: this.#origin, timeout_ms: this.#timeout_ms, signal: new AbortController().signal },
      () => this.#shopify.auth.clientCredentials({ shop: this.#shop }),
    );
    if (result.status === 'rejected') throw new GrantFailed(exchange, String(result.reason));
    const token = result.value.session.accessToken;
    if (!token) throw new GrantFailed(exchange, 'the grant carried no token');
    this.#issued = [token, ...this.#issued].slice(0, TOKENS_KEPT);
    this.#open = this.#opened(result.value.session);
    return this.#open;
  }

  #opened(session: Session): OpenSession {
    return { session, client: new this.#shopify.clients.Graphql({ session }) };
  }

  #expiring({ session }: OpenSession): boolean {
    return session.expires !== undefined && session.expires.getTime() - TOKEN_MARGIN_MS <= this.#now();
  }
}
