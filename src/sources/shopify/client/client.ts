/**
 * The one client for a shop's Admin API. The library authenticates and speaks GraphQL, with its own retries off
 * (13.1 reads Retry-After as milliseconds, re-sends mutations after a dropped socket, and never waits for
 * THROTTLED). How often and when something is sent again is decided here, by the document's retry class.
 */

import { type ApiVersion, LogSeverity, shopifyApi } from '@shopify/shopify-api';
import type { ShopTime } from '../../../ledger/state/state.js';
import { UpstreamError, type UpstreamFailure, type WriteOutcome } from '../../source.js';
import { CostLimiter, type Settle } from './cost-limiter.js';
import { DOCUMENTS, type Lane, type Operation } from './documents.js';
import {
  classifyFault,
  costOfFailure,
  type Fault,
  grantFault,
  readCost,
  unreadable,
  unsent,
} from './fault.js';
import { type Exchange, inExchange, parseOrigin } from './http-call.js';
import {
  API_VERSION,
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  DETAIL_CHARS_MAX,
  HOLDS_RESERVE_SHARE,
  STOCK_RESERVE_SHARE,
  THROTTLE_WAIT_MAX_MS,
  THROTTLE_WAIT_MIN_MS,
  type Tuning,
  VERSION_TOLD_EVERY_MS,
  WALK_RESERVE_SHARE,
} from './limits.js';
import { joinReplies, PageSizes, readSizes, type SizedVariables } from './page-sizes.js';
import { BuyerTexts } from './pii-redactor.js';
import { type Credentials, GrantFailed, type OpenSession, SessionHolder } from './session.js';

/** Where log lines go. Secrets are struck out before; text from the shop is cut to a line. Never stdout. */
export type UpstreamLog = (
  severity: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, string | number | null>>,
) => void;

export interface ClientOptions {
  /** `name.myshopify.com` */
  readonly shop: string;
  readonly credentials: Credentials;
  /** Another origin for the shop: https, or http on loopback. Null: the shop's own. */
  readonly origin: string | null;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Ends early, without an error, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: UpstreamLog;
  /** Called whenever the shop has answered a call and done what it was asked. */
  readonly onAnswer?: () => void;
  /** Told how long each request took, without the wait for the rate limit: `ok`, or how it failed. */
  readonly onRequest?: (operation: string, seconds: number, outcome: 'ok' | UpstreamFailure) => void;
  /** Told the time of every answer, and asked for it before a time is sent. Left out: the shop's clock is taken for ours. */
  readonly shopTime?: ShopTime;
}

export interface Reply<Result> {
  readonly data: Result;
  /** The shop's own clock when it answered, by its Date header. Null when it sent none. */
  readonly shop_time_ms: number | null;
  /** The sizes of pages that were asked for, by variable: the smallest where it took several requests. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The API version that answered. Shopify serves another one when the one asked for is gone. */
  readonly api_version: string | null;
}

type Outcome<Result> =
  | { readonly ok: true; readonly reply: Omit<Reply<Result>, 'sizes'> }
  | { readonly ok: false; readonly fault: Fault };

/** The share of the cost bucket that each lane leaves to those before it. */
const RESERVE_SHARE = {
  orders: 0,
  stock: STOCK_RESERVE_SHARE,
  holds: HOLDS_RESERVE_SHARE,
} as const satisfies Record<Lane, number>;

/** The shop's word for a query above its maximum for a single one. Nothing has run. */
const TOO_COSTLY = 'MAX_COST_EXCEEDED';

/** How many times longer than a detail a text may be before it is looked through. */
const CUT_FIRST = 16;

const SHOP = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/;

/** What holds and orders are sent by. */
export type LaneClient = Pick<ShopifyClient, 'read' | 'write' | 'clean' | 'shopLead' | 'shopLeadMs'>;

export class ShopifyClient {
  readonly #options: ClientOptions;
  readonly #tuning: Tuning;
  readonly #origin: URL | null;
  readonly #sessions: SessionHolder;
  readonly #limiter: CostLimiter;
  readonly #buyers = new BuyerTexts();
  readonly #sizes = new PageSizes();
  #versionToldUntil_ms = 0;

  /** Throws RangeError on a shop name or an origin that a token must not be sent to. */
  constructor(options: ClientOptions, tuning: Tuning) {
    if (!SHOP.test(options.shop)) throw new RangeError('a shop is named like "name.myshopify.com"');
    if (Object.values(options.credentials).includes('')) throw new RangeError('a credential is empty');
    this.#options = options;
    this.#tuning = tuning;
    this.#origin = options.origin === null ? null : parseOrigin(options.origin);
    this.#limiter = new CostLimiter(options);
    const { credentials } = options;
    const shopify = shopifyApi({
      // The library wants a key and a secret also when a token is all there is; then they are never used.
      apiKey: 'client_id' in credentials ? credentials.client_id : 'unused',
      apiSecretKey: 'client_id' in credentials ? credentials.client_secret : 'unused',
      // The library's list of versions ends before this one; it takes the string all the same.
      apiVersion: API_VERSION as ApiVersion,
      hostName: 'localhost',
      isEmbeddedApp: false,
      // Its default logger writes to stdout, and with httpRequests it would write the token.
      logger: {
        level: LogSeverity.Warning,
        httpRequests: false,
        log: (severity, message) => {
          this.#log(severity === LogSeverity.Error ? 'error' : 'warn', 'shopify library', {
            detail: message,
          });
        },
      },
    });
    const { shop, now } = options;
    this.#sessions = new SessionHolder(shopify, {
      shop,
      credentials,
      origin: this.#origin,
      timeout_ms: tuning.timeout_ms,
      now,
    });
  }

  /**
   * Throws UpstreamError. What the shop finds too costly is asked for in smaller pages and shorter lists of ids, from then
   * on: a page may have fewer objects than were asked for, and says itself whether there are more.
   */
  async read<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<Reply<Result>> {
    const replies: Reply<Result>[] = [];
    for (let rest: Variables | null = variables; rest !== null; ) {
      const { now, later }: SizedVariables<Variables> = this.#sizes.cut(operation, rest);
      const outcome = await this.#call(operation, now, signal);
      if (outcome.ok) {
        replies.push({ ...outcome.reply, sizes: readSizes(operation, now) });
        rest = later;
        continue;
      }
      const { failure, detail, retry_after_ms, code } = outcome.fault;
      const isTooCostly = code === TOO_COSTLY && !signal.aborted;
      if (!isTooCostly || !this.#sizes.shrink(operation, now))
        throw new UpstreamError(failure, detail, retry_after_ms, code);
    }
    return joinReplies(replies);
  }

  /**
   * Never throws for what the shop or the network does. `refused` is only what GraphQL said no to; a refused token, a
   * missing scope, a redirect, or a status without GraphQL in it (402, 404, 423, 430) is `not_sent`: the request was not
   * judged, and can go out later or once a person has acted.
   */
  async write<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<WriteOutcome<Result>> {
    this.#buyers.note(variables);
    const outcome = await this.#call(operation, variables, signal);
    if (outcome.ok) return { outcome: 'done', value: outcome.reply.data };
    const { failure, detail, retry_after_ms, effect } = outcome.fault;
    if (effect === 'maybe') return { outcome: 'unknown', detail };
    return failure === 'refused'
      ? { outcome: 'refused', failure, detail }
      : { outcome: 'not_sent', failure, detail, retry_after_ms };
  }

  /** This client, with every call in that lane. */
  inLane(lane: Lane): LaneClient {
    const client = this;
    return {
      read: (operation, variables, signal) => client.read({ ...operation, lane }, variables, signal),
      write: (operation, variables, signal) => client.write({ ...operation, lane }, variables, signal),
      clean: (text) => client.clean(text),
      shopLead: (signal) => client.shopLead(signal),
      get shopLeadMs() {
        return client.shopLeadMs;
      },
    };
  }

  /** Waits until a mirror of a reservation can be sent at once, for a bounded time. */
  async leaveRoomForHolds(signal: AbortSignal): Promise<void> {
    await this.#limiter.leaveRoom(HOLDS_RESERVE_SHARE, signal);
  }

  /** For long reads: waits until the cost bucket has room again for those who place holds and orders. */
  async leaveRoom(signal: AbortSignal): Promise<void> {
    await this.#limiter.leaveRoom(WALK_RESERVE_SHARE, signal);
  }

  /**
   * How far ledger time is ahead of the shop's. Asks the shop what time it is, where that is not known. Throws UpstreamError.
   */
  async shopLead(signal: AbortSignal): Promise<number> {
    const { shopTime } = this.#options;
    if (shopTime === undefined) return 0;
    if (!shopTime.isShopTimeKnown()) await this.read(DOCUMENTS.clock, {}, signal);
    return shopTime.leadMs();
  }

  /** How far ledger time is ahead of the shop's, as far as the shop has said by now. */
  get shopLeadMs(): number {
    return this.#options.shopTime?.leadMs() ?? 0;
  }

  /** The shop's own origin as tests and the sandbox set it; null: wherever the shop is. */
  get origin(): URL | null {
    return this.#origin;
  }

  /** Ends early, without an error, when the signal aborts. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.sleep(ms, signal);
  }

  /** What a caller of this client has to tell the log. */
  note(severity: 'info' | 'warn', message: string, fields: Parameters<UpstreamLog>[2] = {}): void {
    this.#log(severity, message, fields);
  }

  /** One short line without secrets and buyers' data, whatever the shop or something between us and it has put there. */
  clean(text: string): string {
    // Cut twice: a whole page of HTML is not searched, and what the first cut halves, the second takes away.
    const start = text.slice(0, DETAIL_CHARS_MAX * CUT_FIRST);
    const bare = this.#sessions.secrets.reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), start);
    return this.#buyers
      .strike(bare)
      .replace(/\p{Cc}+/gu, ' ')
      .slice(0, DETAIL_CHARS_MAX);
  }

  async #call<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<Outcome<Result>> {
    const attempts = operation.retry === 'once' ? 1 : this.#tuning.attempts_max;
    let effect: Fault['effect'] = 'none';
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(operation, variables, signal);
      if (outcome.ok) {
        this.#options.onAnswer?.();
        this.#noteVersion(outcome.reply.api_version);
        return outcome;
      }
      // What an earlier attempt may have done, a later one that was turned away does not undo.
      if (outcome.fault.effect === 'maybe') effect = 'maybe';
      const fault = { ...outcome.fault, effect, detail: this.clean(outcome.fault.detail) };
      const wait_ms = this.#waitFor(fault, attempt);
      const again = fault.passing && attempt < attempts && wait_ms <= THROTTLE_WAIT_MAX_MS && !signal.aborted;
      this.#log(
        isGivenUp(signal) ? 'debug' : again || fault.code === TOO_COSTLY ? 'info' : 'warn',
        again ? 'shop call failed, trying again' : 'shop call failed',
        {
          operation: operation.name,
          attempt,
          failure: fault.failure,
          effect,
          code: fault.code,
          detail: fault.detail,
          wait_ms: again ? wait_ms : null,
        },
      );
      if (!again) return { ok: false, fault };
      await this.#options.sleep(wait_ms, signal);
    }
  }

  /** One request; a second one when the first was turned away for its token and another can be had. */
  async #attempt<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<Outcome<Result>> {
    const first = await this.#request(operation, variables, signal);
    const renew = !first.ok && first.fault.session_refused && this.#sessions.renewable;
    return renew ? await this.#request(operation, variables, signal) : first;
  }

  async #request<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): Promise<Outcome<Result>> {
    let open: OpenSession;
    try {
      open = await this.#sessions.current();
    } catch (error) {
      if (!(error instanceof GrantFailed)) throw error;
      return { ok: false, fault: grantFault(error.exchange, error.message) };
    }
    const settle = await this.#limiter.admit(operation.name, RESERVE_SHARE[operation.lane], signal);
    if (signal.aborted) {
      settle(null);
      return { ok: false, fault: unsent('unreachable', 'aborted before it was sent') };
    }
    return await this.#sent(operation, variables, { open, settle, signal });
  }

  async #sent<Result, Variables>(
    operation: Operation<Result, Variables>,
    variables: Variables,
    { open, settle, signal }: { open: OpenSession; settle: Settle; signal: AbortSignal },
  ): Promise<Outcome<Result>> {
    const { shopTime } = this.#options;
    const sentAt = shopTime?.elapsed() ?? 0;
    const began_ms = performance.now();
    const tell = (outcome: Outcome<Result>): Outcome<Result> => {
      const seconds = (performance.now() - began_ms) / 1_000;
      this.#options.onRequest?.(operation.name, seconds, outcome.ok ? 'ok' : outcome.fault.failure);
      return outcome;
    };
    const { result, exchange } = await inExchange(
      { origin: this.#origin, timeout_ms: this.#tuning.timeout_ms, signal },
      () =>
        open.client.request(operation.source, {
          variables: variables as Record<string, unknown>,
          retries: 0,
        }),
    );
    if (result.status === 'rejected') {
      settle(costOfFailure(result.reason));
      const fault = classifyFault(exchange, result.reason);
      if (fault.session_refused) this.#sessions.refused(open);
      return tell({ ok: false, fault });
    }
    const value = result.value as { readonly data?: Result; readonly extensions?: unknown };
    settle(readCost(value.extensions));
    const outcome = replied(value, exchange);
    // Only what the shop itself has answered: an error page may be somebody else's, with another clock.
    if (outcome.ok && outcome.reply.shop_time_ms !== null)
      shopTime?.hearShopTime(outcome.reply.shop_time_ms, sentAt);
    return tell(outcome);
  }

  /** Told once a day, while the shop answers with another version than the one we speak: ours is retired, and calls may begin to fail. */
  #noteVersion(api_version: string | null): void {
    if (api_version === null || api_version === API_VERSION) return;
    const now_ms = this.#options.now();
    if (now_ms < this.#versionToldUntil_ms) return;
    this.#versionToldUntil_ms = now_ms + VERSION_TOLD_EVERY_MS;
    this.#log('warn', 'the shop has retired our version of its API: update holdfast', {
      wanted: API_VERSION,
      answered: api_version,
    });
  }

  /** What the shop asked for, or a back-off that doubles; spread, so that callers sent away together return apart. */
  #waitFor({ failure, retry_after_ms }: Fault, attempt: number): number {
    const spread = this.#options.random();
    const backoff_ms = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1)) * (0.5 + spread / 2);
    const least_ms = failure === 'throttled' ? THROTTLE_WAIT_MIN_MS : 0;
    const asked_ms = Math.max(least_ms, retry_after_ms ?? 0) * (1 + spread / 4);
    return Math.round(Math.max(backoff_ms, asked_ms));
  }

  #log(severity: Parameters<UpstreamLog>[0], message: string, fields: Parameters<UpstreamLog>[2]): void {
    const clean = Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? this.clean(value) : value,
    ]);
    this.#options.log(severity, message, { shop: this.#options.shop, ...Object.fromEntries(clean) });
  }
}

/** Whether nobody wants the answer any more: a server that stops cuts its calls off, and that is no fault of the shop. */
function isGivenUp(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as Error | undefined)?.name !== 'TimeoutError';
}

function replied<Result>({ data }: { readonly data?: Result }, { answer }: Exchange): Outcome<Result> {
  if (data === undefined) return { ok: false, fault: unreadable('an answer without data') };
  const { shop_time_ms = null, api_version = null } = answer ?? {};
  return { ok: true, reply: { data, shop_time_ms, api_version } };
}
