/** The doctor's look at the shop: is it there, whose clock is right, what may the token do, and what is special about it. */

import { LIMITS, type ShopCredentials } from '../../config/config.js';
import type { LocationObservation } from '../../ledger/model/values/observation.js';
import type { ShopProbe } from '../../sources/shopify/shopify.js';
import type { UpstreamError } from '../../sources/source.js';
import { durationText } from '../terminal/format.js';
import { type Check, type Finding, failed, fine, skipped, warned } from './finding.js';
import type { Answered, Obstructed, Reached } from './http-probe.js';

export interface ShopAddress {
  /** `name.myshopify.com` */
  readonly shop: string;
  /** Null: the shop's own. */
  readonly origin: string | null;
}

/** The Admin API without a token: an existing shop answers 401, and everything that is in the way shows itself. */
export function buildProbeUrl({ shop, origin }: ShopAddress, version: string): string {
  return `${origin ?? `https://${shop}`}/admin/api/${version}/graphql.json`;
}

export function shopFinding(address: ShopAddress, reached: Reached): Finding {
  return reached.answered ? answeredFinding(address, reached) : obstructedFinding(address, reached);
}

function answeredFinding({ shop, origin }: ShopAddress, { status, location, ...at }: Answered): Finding {
  const where = origin ?? shop;
  if (status === 404) {
    return failed(
      'shop',
      'shop_unknown',
      `There is no shop at ${where}: it answers 404 (no such shop). Is ${shop} spelt right?`,
      'Open Shopify admin. Its address is admin.shopify.com/store/NAME; then SHOPIFY_SHOP is NAME.myshopify.com.',
      'That name is often not the one of your own domain: Settings → Domains lists it.',
    );
  }
  if (status >= 300 && status < 400) return movedFinding(shop, location);
  if (status === 402 || status === 423) {
    const why = status === 402 ? 'frozen: its bill is not paid' : 'locked by Shopify';
    return failed(
      'shop',
      'shop_closed',
      `The shop ${shop} is ${why} (HTTP ${status}).`,
      'Only its owner can open it again, in Shopify admin. Until then nothing can be read or sold.',
    );
  }
  if (status >= 500) {
    return failed(
      'shop',
      'shop_down',
      `The shop ${shop} is there but does not work at the moment (HTTP ${status}).`,
      'Wait a little and run holdfast doctor again; www.shopifystatus.com tells of troubles at Shopify. Orders that are accepted wait meanwhile.',
    );
  }
  if (status === 401 || status === 403 || status === 429) {
    return fine(
      'shop',
      `${shop} answers${origin === null ? '' : ` at ${origin}`}, in ${at.received_at_ms - at.sent_at_ms} ms.`,
    );
  }
  return failed(
    'shop',
    'odd_answer',
    `${where} answers a request without a token with HTTP ${status}. Shopify says 401 there, so this may be something else.`,
    origin === null
      ? 'Is a proxy or a captive portal between this machine and the internet?'
      : 'SHOPIFY_ORIGIN points there. Remove it for the real shop.',
  );
}

/** Where a redirect points comes from outside, so no more than the host of another shop is repeated. */
function movedFinding(shop: string, location: string | null): Finding {
  const host = location !== null && URL.canParse(location) ? new URL(location).hostname : '';
  const isShop = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/.test(host) && host !== shop;
  return isShop
    ? failed(
        'shop',
        'shop_moved',
        `${shop} sends us on to ${host}: the shop was renamed, or the name is misspelt.`,
        `If ${host} is your shop, set SHOPIFY_SHOP=${host}.`,
      )
    : failed(
        'shop',
        'shop_moved',
        `${shop} sends us on to another page, as it does for a shop that is closed or was never opened. Is it spelt right?`,
        'Open Shopify admin. Its address is admin.shopify.com/store/NAME; then SHOPIFY_SHOP is NAME.myshopify.com.',
      );
}

function obstructedFinding({ shop, origin }: ShopAddress, { obstacle, word }: Obstructed): Finding {
  const host = origin === null ? shop : new URL(origin).host;
  const ours =
    origin === null
      ? []
      : [
          'SHOPIFY_ORIGIN points there: remove it for the real shop, or start holdfast sandbox for the one to play with.',
        ];
  switch (obstacle) {
    case 'name_not_found':
      return failed(
        'shop',
        'name_not_found',
        `The name ${host} can't be looked up (${word}).`,
        ...ours,
        'Is this machine online? Does it open https://shopify.com? If so, the name is misspelt: SHOPIFY_SHOP wants name.myshopify.com.',
      );
    case 'no_connection':
      return failed(
        'shop',
        'no_connection',
        `No connection to ${host} (${word}).`,
        ...ours,
        ...(origin === null
          ? ['A firewall or a proxy may stand between: holdfast has to reach it over HTTPS (port 443).']
          : []),
      );
    case 'tls_failed':
      return failed(
        'shop',
        'tls_failed',
        `The connection to ${host} is not trusted (${word}).`,
        ...ours,
        'A proxy that opens TLS may stand between: give its certificate with NODE_EXTRA_CA_CERTS. A clock that is far off does this too.',
      );
    case 'timed_out':
      return failed(
        'shop',
        'timed_out',
        `${host} did not answer within ${durationText(LIMITS.doctor.request_ms)}.`,
        ...ours,
        'Try again; if it stays so, look for a firewall that drops what goes to port 443.',
      );
  }
}

/**
 * Their Date header tells whole seconds, rounded down, of some moment between sending and receiving: so much is allowed
 * for. What is left over is the clocks' own.
 */
export function clockFinding(shop: string, reached: Reached): Finding {
  if (!reached.answered) return skipped('clock', 'skipped: the shop could not be asked for the time.');
  const { their_time_ms, sent_at_ms, received_at_ms } = reached;
  if (their_time_ms === null) {
    return warned(
      'clock',
      'no_date',
      `${shop} did not say what time it is, so the clock could not be compared.`,
    );
  }
  const ahead_least_ms = sent_at_ms - (their_time_ms + 999);
  const behind_least_ms = their_time_ms - received_at_ms;
  const off_ms = Math.max(ahead_least_ms, behind_least_ms, 0);
  const { clock_warn_ms, clock_fail_ms } = LIMITS.doctor;
  if (off_ms < clock_warn_ms) return fine('clock', 'This machine’s clock agrees with the shop’s.');
  const told = `This machine’s clock is ${durationText(off_ms)} ${ahead_least_ms > 0 ? 'ahead of' : 'behind'} the shop’s.`;
  const mend =
    'Let the system set its clock: Linux timedatectl set-ntp true, macOS System Settings → General → Date & Time, Windows Settings → Time & language → Sync now. In a virtual machine, restart its time service.';
  return off_ms >= clock_fail_ms
    ? failed(
        'clock',
        'clock_off',
        `${told} Holds last as long as they should, by the shop’s clock; but a server does not follow this machine’s clock then, and after a restart it may take the ledger’s time with it, for good.`,
        mend,
      )
    : warned(
        'clock',
        'clock_drifting',
        `${told} It is allowed for, up to ${durationText(clock_fail_ms)}.`,
        mend,
      );
}

export type Probed =
  | { readonly ok: true; readonly probe: ShopProbe }
  | { readonly ok: false; readonly error: UpstreamError };

export function tokenFinding({ shop }: ShopAddress, credentials: ShopCredentials, probed: Probed): Finding {
  if (probed.ok) {
    const { probe } = probed;
    return fine('token', `It opens ${probe.shop_name} (${probe.shop}).`);
  }
  const { failure, detail, code } = probed.error;
  switch (failure) {
    case 'unauthorized':
      if (code === 'http_403') return forbiddenToken(shop, detail);
      return 'access_token' in credentials
        ? refusedToken(shop, credentials.access_token)
        : refusedClient(shop);
    case 'throttled':
      return warned(
        'token',
        'throttled',
        'The shop asks us to slow down, so what the token may do could not be asked.',
        'Another holdfast or another run of this app is busy with the shop. Try again in a minute.',
      );
    case 'unreachable':
      return failed(
        'token',
        'no_answer',
        `The shop did not answer a request with the token (${detail}).`,
        'Try again in a minute.',
      );
    case 'scope_missing':
    case 'refused':
    case 'protocol':
      return failed(
        'token',
        'odd_answer',
        `The shop answered a simple question in a way it should not (${detail}).`,
        'If SHOPIFY_ORIGIN is set, remove it. Else update holdfast: this version and the shop do not understand each other.',
      );
  }
}

/** Prefixes of Shopify's secrets, which are often pasted one for another. They give nothing away. */
const OTHER_KINDS: readonly { readonly prefix: string; readonly what: string }[] = [
  {
    prefix: 'shpss_',
    what: 'a client secret (API secret key): it belongs into SHOPIFY_CLIENT_SECRET, with SHOPIFY_CLIENT_ID',
  },
  { prefix: 'shpca_', what: 'a token of a custom app in the Partner Dashboard' },
  { prefix: 'shppa_', what: 'the password of a private app, which Shopify has ended' },
  { prefix: 'shptka_', what: 'a Theme Access password' },
  { prefix: 'shpua_', what: 'a user’s token, which ends within a day' },
];

function refusedToken(shop: string, token: string): Finding {
  const kind = OTHER_KINDS.find(({ prefix }) => token.startsWith(prefix));
  if (kind !== undefined) {
    return failed(
      'token',
      'token_wrong_kind',
      `The shop refused SHOPIFY_ACCESS_TOKEN (401). It begins with ${kind.prefix}, so it is ${kind.what}.`,
      'holdfast wants the Admin API access token of an app in this shop; it begins with shpat_.',
    );
  }
  return failed(
    'token',
    'token_refused',
    `${shop} refused the access token in SHOPIFY_ACCESS_TOKEN (401): it is mistyped, of another shop, or the app was removed from this one.`,
    'Shopify admin → Settings → Apps and sales channels → Develop apps → your app → API credentials: there is the Admin API access token (shpat_…). It is shown only once: if you no longer have it, uninstall and install the app again for a new one.',
    'If your app is in the Dev Dashboard (all new ones are since 2026), use its client id and secret instead: holdfast init asks for them.',
  );
}

/** The token is known, or nothing was said of it: 403 is about what it is allowed, or about how we come. */
function forbiddenToken(shop: string, detail: string): Finding {
  if (/non-expiring/iu.test(detail)) {
    return failed(
      'token',
      'token_outdated',
      `${shop} takes no more tokens that never end (403), and SHOPIFY_ACCESS_TOKEN is one.`,
      'Make an app in the Dev Dashboard (dev.shopify.com/dashboard), install it in the shop, and use its client id and secret instead: holdfast init asks for them.',
    );
  }
  return failed(
    'token',
    'token_forbidden',
    `${shop} does not let the app in (403): the token is not what is wrong with it.`,
    'Shopify admin → Settings → Apps and sales channels: is the app still installed, and not suspended? Does the shop’s plan allow it?',
    'Or something between this machine and Shopify refuses us: a firewall, or a proxy that lets only known addresses through.',
  );
}

function refusedClient(shop: string): Finding {
  return failed(
    'token',
    'token_refused',
    `${shop} gave no token for SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET: one of them is wrong, or the app is not installed in this shop.`,
    'Dev Dashboard (dev.shopify.com/dashboard) → your app → Settings: copy client id and secret once more.',
    `The app has to be installed in ${shop}, and the shop has to belong to the same organisation as the app: Shopify gives no tokens this way otherwise.`,
  );
}

/** The shop that the token opens may be another one than the settings name, where an origin is set. */
export function sameShop(finding: Finding, { shop, origin }: ShopAddress, probe: ShopProbe): Finding {
  if (probe.shop === shop) return finding;
  return failed(
    'shop',
    'other_shop',
    `SHOPIFY_SHOP is ${shop}, but the shop that answers calls itself ${probe.shop}. Is it spelt right?`,
    origin === null
      ? `If ${probe.shop} is your shop, set SHOPIFY_SHOP=${probe.shop}.`
      : `SHOPIFY_ORIGIN (${origin}) leads to ${probe.shop}: set SHOPIFY_SHOP=${probe.shop}, or remove SHOPIFY_ORIGIN.`,
  );
}

export interface ScopeNeed {
  readonly scope: string;
  /** What goes without it. */
  readonly purpose: string;
}

/** Shopify grants this one on request. Nothing is sold by old orders, so that it is not among the needed. */
const OLD_ORDERS =
  'Without read_all_orders, which Shopify grants on request, orders older than 60 days are out of sight: what becomes of them is not told.';

export function scopesFinding(
  credentials: ShopCredentials,
  needed: readonly ScopeNeed[],
  granted: readonly string[],
): Finding {
  const handles = new Set(granted);
  const missing = needed.filter(
    ({ scope }) => !handles.has(scope) && !handles.has(scope.replace(/^read_/, 'write_')),
  );
  if (missing.length > 0) return missingScopes(credentials, missing);
  const names = needed.map(({ scope }) => scope);
  const old = handles.has('read_all_orders') ? '' : ` ${OLD_ORDERS}`;
  if (!handles.has('write_inventory') || names.includes('write_inventory')) {
    return fine('scopes', `All ${needed.length} that are needed are granted.${old}`);
  }
  return warned(
    'scopes',
    'scope_unneeded',
    'All that are needed are granted, and write_inventory too, which these settings never use.',
    'Take it away from the app: that nobody can write stock through holdfast is then Shopify’s promise as well.',
  );
}

function missingScopes(credentials: ShopCredentials, missing: readonly ScopeNeed[]): Finding {
  const list = missing.map(({ scope }) => scope).join(', ');
  const purposes = missing.map(({ scope, purpose }) => `${scope}, ${purpose}`).join('; ');
  const how =
    'access_token' in credentials
      ? [
          `Shopify admin → Settings → Apps and sales channels → Develop apps → your app → Configuration → Admin API integration → Edit: tick ${list}, save, and confirm the update (Install app, if it asks). The token stays the same.`,
        ]
      : [
          `Dev Dashboard (dev.shopify.com/dashboard) → your app → Versions → Create a version: add ${list} to its scopes, and release it.`,
          'Then open the app in the shop (Shopify admin → Settings → Apps and sales channels) and accept the new permissions, or install it again.',
          'Restart holdfast afterwards: a token that it already has keeps its old scopes for up to a day.',
        ];
  return failed(
    'scopes',
    'scope_missing',
    `The app lacks ${missing.length === 1 ? 'a scope' : `${missing.length} scopes`}: ${purposes}.`,
    ...how,
  );
}

export function versionFinding({ api_version, api_version_wanted }: ShopProbe): Finding {
  if (api_version === null || api_version === api_version_wanted) {
    return fine('api_version', `The shop speaks ${api_version_wanted}.`);
  }
  return warned(
    'api_version',
    'version_other',
    `We ask for Admin API ${api_version_wanted}, and the shop answers with ${api_version}: Shopify has retired ours.`,
    'Update holdfast soon. Until then everything may work, or single calls may be refused.',
  );
}

export function planFinding(probe: ShopProbe): Finding {
  return probe.is_development_store
    ? warned(
        'plan',
        'development_store',
        'This is a development store: Shopify takes at most 5 new orders a minute there.',
        'Orders above that wait in line and are placed later. A shop on a paid plan has no such limit.',
      )
    : fine('plan', 'A shop on a plan of its own, without a limit on orders.');
}

export function locationsFinding(
  locations: readonly LocationObservation[],
  mirror: 'draft_order' | 'move' | 'none',
): Finding {
  const selling = locations.filter(({ active }) => active);
  const offline = locations.filter(({ till_only }) => till_only).length;
  const kept = offline === 0 ? '' : ` ${offline} more fulfil no online orders: their stock is not offered.`;
  if (selling.length === 0) {
    return failed(
      'locations',
      'no_location',
      `The shop has no active location that fulfils online orders, so nothing can be sold.${kept}`,
      'Shopify admin → Settings → Locations: activate one, and tick “Fulfill online orders from this location”.',
    );
  }
  if (selling.length === 1 || mirror !== 'draft_order') {
    return fine('locations', `${selling.length} fulfil online orders.${kept}`);
  }
  return warned(
    'locations',
    'several_locations',
    `${selling.length} locations fulfil online orders. A draft order takes its units where Shopify’s order routing says; where they stand is read off the stock levels afterwards.${kept}`,
    'Nothing is promised twice. In an allocation no location is named until the units were seen, and a level may fall below zero while another has the units.',
    'With HOLDFAST_MIRROR=move units are held at the exact location; it wants the scope write_inventory.',
  );
}

/** What can't be told without a working token. */
export function skippedForToken(reason: string): Finding[] {
  const checks: readonly Check[] = [
    'scopes',
    'api_version',
    'plan',
    'locations',
    'publication',
    'holds',
    'subscriptions',
  ];
  return checks.map((check) => skipped(check, `skipped: ${reason}.`));
}
