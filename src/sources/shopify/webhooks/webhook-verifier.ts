/**
 * Tells Shopify's webhooks from anybody else's: base64 HMAC-SHA256 of the raw body with the app's client secret.
 *
 * Not the library's check (shopify-api 13.1): it knows one secret where a rotation needs two, wants an event id that
 * Shopify no longer sends, and takes the body as text, so bytes that are no UTF-8 are signed as other bytes. What is
 * left of it then is a call of node:crypto.
 *
 * The signature is over the body alone. Who has caught one delivery can send its body again under another id or topic. A body that
 * tells when something changed is known again by its fingerprint, and is a replay; Shopify itself drops one that equals the last.
 * Others ("this item is gone") can truly come twice, and all that a replay of them brings about is that something is read again. A person is alarmed (`access`) only by a body of the shape that
 * app/uninstalled or app/scopes_update alone have; who has caught one of those can repeat the alarm, and no more.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DeliveryGate, DeliveryVerdict } from '../../source.js';
import { at, type Body, parseBody } from './webhook-body.js';
import { readHints } from './webhook-topics.js';

export interface DeliveryGateOptions {
  /** `name.myshopify.com`: a message for any other shop is refused. */
  readonly shop: string;
  /** The app's client secret. While one is being replaced, both: Shopify may sign with the old one for an hour. */
  readonly secrets: readonly string[];
}

/** Classic webhooks, and Events (2026-05), which name the same headers without the prefix. */
const FAMILIES = ['x-shopify-', 'shopify-'] as const;

/** 32 bytes in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/;
const DELIVERY_ID = /^[\x21-\x7e]{1,128}$/;
const TOPIC = /^[a-z0-9_]{1,64}(\/[a-z0-9_]{1,64})?$/;

/** Throws RangeError without a secret, or with an empty one: everything would be let in. */
export function openDeliveryGate({ shop, secrets }: DeliveryGateOptions): DeliveryGate {
  if (secrets.length === 0 || secrets.includes('')) throw new RangeError('a webhook secret is empty');
  return { judge: async (headers, body) => judge({ shop, secrets }, headers, body) };
}

type Headers = Parameters<DeliveryGate['judge']>[0];

function judge({ shop, secrets }: DeliveryGateOptions, headers: Headers, body: Buffer): DeliveryVerdict {
  const family = FAMILIES.find((prefix) => headers[`${prefix}hmac-sha256`] !== undefined);
  if (family === undefined) return { ok: false, why: 'unsigned' };
  const header = (name: string) => single(headers[`${family}${name}`]);
  // Before anything else is looked at: a stranger learns nothing but this.
  if (!isSigned(secrets, header('hmac-sha256'), body)) return { ok: false, why: 'bad_signature' };
  const domain = header('shop-domain');
  if (domain !== null && domain.toLowerCase() !== shop) return { ok: false, why: 'other_shop' };
  const delivery_id = header('webhook-id');
  const topic = header('topic')?.toLowerCase() ?? '';
  const parsed = parseBody(body);
  if (domain === null || delivery_id === null || !DELIVERY_ID.test(delivery_id)) return MALFORMED;
  if (!TOPIC.test(topic) || parsed === null) return MALFORMED;
  const triggered_at_ms = parseTime(header('triggered-at'));
  const hints = readHints(topic, parsed);
  return {
    ok: true,
    delivery: { delivery_id, fingerprint: makeFingerprint(body, parsed), topic, triggered_at_ms, hints },
  };
}

/** Of a body that tells when what it is about was changed. */
function makeFingerprint(body: Buffer, parsed: Body): string | null {
  if (typeof at(parsed, 'updated_at') !== 'string') return null;
  return createHash('sha256').update(body).digest('base64');
}

const MALFORMED: DeliveryVerdict = { ok: false, why: 'malformed' };

/** Every secret is tried, whichever fits: how long it takes says nothing. */
function isSigned(secrets: readonly string[], signature: string | null, body: Buffer): boolean {
  if (signature === null || !SIGNATURE.test(signature)) return false;
  const given = Buffer.from(signature, 'base64');
  return secrets
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), given))
    .includes(true);
}

/** A header that came twice says two things, so it says nothing. */
function single(value: string | string[] | undefined): string | null {
  const text = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof text === 'string' ? text.trim() : null;
}

function parseTime(value: string | null): number | null {
  const time_ms = Date.parse(value ?? '');
  return Number.isNaN(time_ms) ? null : time_ms;
}
