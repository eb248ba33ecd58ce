/** The doctor's look at webhooks: can they reach us, and does the shop send them where we are? */

import { createHmac } from 'node:crypto';
import { LIMITS } from '../../config/config.js';
import { WEBHOOK_PATH } from '../../http/webhooks.js';
import { durationText } from '../terminal/format.js';
import { type Finding, failed, fine, skipped, warned } from './finding.js';
import type { Obstructed, Reached, Request } from './http-probe.js';

/** Known to our own route alone, which answers it and writes nothing. */
const PING_TOPIC = 'holdfast/ping';

export function webhookUrl(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}${WEBHOOK_PATH}`;
}

export interface Ping {
  readonly url: string;
  readonly shop: string;
  readonly secret: string;
  /** Unique to this delivery. */
  readonly id: string;
  readonly now_ms: number;
}

/** A delivery as the shop would send it, signed with our own secret (Shopify 2026-10: base64 HMAC-SHA256 of the raw body). */
export function pingRequest({ url, shop, secret, id, now_ms }: Ping): Request {
  // What was signed once is never signed again: a caught ping is good for nothing else.
  const body = JSON.stringify({ nonce: id });
  return {
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shopify-topic': PING_TOPIC,
      'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
      'x-shopify-shop-domain': shop,
      'x-shopify-api-version': '2026-10',
      'x-shopify-webhook-id': id,
      'x-shopify-event-id': id,
      'x-shopify-triggered-at': new Date(now_ms).toISOString(),
    },
    body,
    timeout_ms: LIMITS.doctor.ping_ms,
  };
}

/** The same address without a signature's claim: our route answers a GET with 405, a page for everything with 200. */
export function plainRequest(url: string): Request {
  return { url, method: 'GET', timeout_ms: LIMITS.doctor.ping_ms };
}

export function webhooksFinding(url: string, ping: Reached, plain: Reached): Finding {
  if (!ping.answered) return obstructedFinding(url, ping);
  const { status } = ping;
  if (status === 200) {
    return plain.answered && plain.status < 300
      ? somebodyElse(url)
      : fine('webhooks', `${url} can be reached from here, and knows our signature.`);
  }
  if (status === 401 || status === 403) {
    return failed(
      'webhooks',
      'signature_refused',
      `${url} refused a delivery that was signed with the secret in these settings (${status}).`,
      'The server that runs there has another secret: start it again with the same .env. After a rotation both go into SHOPIFY_WEBHOOK_SECRETS, comma-separated.',
      `If something in front of it asks for a password, let POST ${WEBHOOK_PATH} through: the shop signs, it can’t sign in.`,
    );
  }
  if (status === 404 || status === 405) {
    return failed(
      'webhooks',
      'route_missing',
      `${url} is there, but not as a place for webhooks (${status}).`,
      'Is holdfast serve --http running, and does the tunnel or proxy pass the path on unchanged? HOLDFAST_PUBLIC_URL wants the address without a path of its own.',
    );
  }
  if (status >= 300 && status < 400) {
    return failed(
      'webhooks',
      'redirected',
      `${url} redirects (${status}). Shopify does not follow redirects: each delivery counts as failed.`,
      'Set HOLDFAST_PUBLIC_URL to the address that it leads to in the end: https instead of http, with or without www.',
    );
  }
  if (status >= 500) {
    return failed(
      'webhooks',
      'server_down',
      `Something answers at ${url}, but not holdfast (${status}): a tunnel or proxy whose server is not running.`,
      'Start holdfast serve --http, and let the tunnel or proxy lead to HOLDFAST_HTTP_HOST:HOLDFAST_WEBHOOK_PORT.',
    );
  }
  return failed(
    'webhooks',
    'odd_answer',
    `${url} answered a signed delivery with ${status}, where the shop wants 200.`,
    'Look at the log of the server, and of what stands in front of it.',
  );
}

/** What a stranger finds beside the webhooks, asked without any secret. Both are to be closed. */
export interface Beside {
  readonly mcp: Reached;
  readonly healthz: Reached;
}

export function besideRequests(publicUrl: string): Readonly<Record<keyof Beside, Request>> {
  const base = publicUrl.replace(/\/+$/, '');
  return { mcp: plainRequest(`${base}/mcp`), healthz: plainRequest(`${base}/healthz`) };
}

/**
 * Null when the public reaches nothing but webhooks, or nothing more than who brings a token. A page of somebody else's may
 * stand at that address instead: where our own route is not known to answer, only what looks like MCP counts. So it does where
 * `asksWhoCalls`: /healthz tells nobody anything, and an /mcp that lets in who brings no token is a server with other settings.
 */
export function exposedFinding(
  publicUrl: string,
  { mcp, healthz }: Beside,
  at: {
    readonly host: string;
    readonly webhook_port: number;
    readonly isOurs: boolean;
    readonly asksWhoCalls: boolean;
  },
): Finding | null {
  const isAllToBeClosed = at.isOurs && !at.asksWhoCalls;
  const open = isAllToBeClosed ? !isClosed(mcp) || !isClosed(healthz) : !isClosed(mcp) && speaksMcp(mcp);
  if (!open) return null;
  return failed(
    'webhooks',
    'mcp_exposed',
    `More than webhooks can be reached at ${new URL(publicUrl).host}: /mcp, which asks nobody who they are${at.asksWhoCalls ? ', although these settings have tokens' : ''}: whoever gets in may sell the shop’s stock.`,
    `Let the tunnel or proxy lead to http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.webhook_port} (HOLDFAST_WEBHOOK_PORT), where webhooks are and nothing else.`,
    at.asksWhoCalls
      ? 'The server that runs there has other settings: start it again with these.'
      : 'If agents are to come in there, set up tokens first: holdfast tokens add.',
  );
}

/** Nothing of ours redirects, or asks for a password: then it is a proxy that keeps people out. */
function isClosed(reached: Reached): boolean {
  if (!reached.answered) return true;
  const { status } = reached;
  if (status === 405) return !speaksMcp(reached);
  return [401, 403, 404, 410].includes(status) || (status >= 300 && status < 400) || status >= 500;
}

/** MCP answers even what it refuses in JSON. */
function speaksMcp(reached: Reached): boolean {
  return reached.answered && /^(?:application\/json|text\/event-stream)\b/i.test(reached.content_type ?? '');
}

function somebodyElse(url: string): Finding {
  return failed(
    'webhooks',
    'not_holdfast',
    `${url} answers 200 to everything: that is some other page, and the shop’s messages would be lost there without a word.`,
    'Let the tunnel or proxy lead to holdfast serve --http.',
  );
}

function obstructedFinding(url: string, { obstacle, word }: Obstructed): Finding {
  const { host, hostname } = new URL(url);
  switch (obstacle) {
    case 'name_not_found':
      return failed(
        'webhooks',
        'name_not_found',
        `The name ${hostname} of HOLDFAST_PUBLIC_URL can't be looked up (${word}).`,
        'Has the tunnel ended? Most give a new name each time they start: put it into HOLDFAST_PUBLIC_URL. A name of your own needs a DNS record.',
      );
    case 'no_connection':
      return failed(
        'webhooks',
        'no_connection',
        `Nothing listens at ${host} (${word}), where HOLDFAST_PUBLIC_URL points.`,
        'Start the tunnel or proxy, and holdfast serve --http behind it.',
      );
    case 'tls_failed':
      return failed(
        'webhooks',
        'tls_failed',
        `The certificate of ${host} is not good (${word}). Shopify delivers to nobody whose certificate it can't verify.`,
        'Renew it, or let the tunnel or proxy take care of it (Let’s Encrypt). A self-signed one will not do.',
      );
    case 'timed_out':
      return failed(
        'webhooks',
        'timed_out',
        `${host} did not answer within ${durationText(LIMITS.doctor.ping_ms)}, which is as long as Shopify waits.`,
        'Look whether a firewall drops what goes there, and whether the server behind it is overloaded.',
      );
  }
}

export function notConfigured(heartbeat_ms: number): Finding {
  return skipped(
    'webhooks',
    `Off: HOLDFAST_PUBLIC_URL is not set. The shop is asked every ${durationText(heartbeat_ms)} instead, which is enough; webhooks are faster.`,
    'not_configured',
  );
}

export function noSecret(): Finding {
  return failed(
    'webhooks',
    'no_secret',
    'HOLDFAST_PUBLIC_URL is set, but with an access token alone nobody can tell the shop’s messages from others’.',
    'Set SHOPIFY_WEBHOOK_SECRETS to the app’s client secret (in Shopify admin: API secret key, on the page of the access token).',
  );
}

export interface Subscribed {
  readonly topic: string;
  readonly url: string;
}

/**
 * Webhooks are hints: what is missing here is found by the heartbeat. So nothing of it is a failure, and a server that
 * runs mends all of it within the hour.
 */
export function subscriptionsFinding(
  url: string,
  wanted: readonly string[],
  have: readonly Subscribed[],
): Finding {
  const here = new Set(have.filter((one) => one.url === url).map(({ topic }) => topic));
  const elsewhere = [...new Set(have.filter((one) => one.url !== url).map((one) => parseHost(one.url)))];
  const missing = wanted.filter((topic) => !here.has(topic));
  const mend = 'holdfast serve --http makes and moves them by itself, when it starts and each hour.';
  if (elsewhere.length > 0) {
    return warned(
      'subscriptions',
      'foreign_address',
      `Of our subscriptions ${have.length - here.size} lead to another address: ${elsewhere.join(', ')}.`,
      mend,
      'If another holdfast serves the same shop with the same app, let one of the two go without HOLDFAST_PUBLIC_URL: they would move each other’s.',
    );
  }
  if (missing.length === 0)
    return fine('subscriptions', `All ${wanted.length} topics come to ${new URL(url).host}.`);
  const named = missing.slice(0, TOPICS_NAMED_MAX).join(', ');
  const more = missing.length > TOPICS_NAMED_MAX ? ` and ${missing.length - TOPICS_NAMED_MAX} more` : '';
  return warned(
    'subscriptions',
    'topic_missing',
    `The shop does not tell us of ${missing.length} of ${wanted.length} topics: ${named}${more}.`,
    mend,
    'Topics that stay missing want a scope that the app lacks (returns/… read_returns, orders/… read_orders). Shopify also drops a subscription after eight failed deliveries: see webhooks above.',
  );
}

const TOPICS_NAMED_MAX = 4;

function parseHost(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url.slice(0, URL_CHARS_MAX);
}

const URL_CHARS_MAX = 80;
