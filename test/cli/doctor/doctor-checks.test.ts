/** What the doctor makes of facts: the pure part of it. With a real shop it is tested in test/e2e/doctor.test.ts. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DiskFacts,
  diskFinding,
  type LedgerFacts,
  ledgerFinding,
  serverFinding,
} from '../../../src/cli/doctor/doctor-ledger.js';
import { ordersFinding } from '../../../src/cli/doctor/doctor-orders.js';
import { publicationFinding } from '../../../src/cli/doctor/doctor-publication.js';
import {
  clockFinding,
  locationsFinding,
  planFinding,
  scopesFinding,
  shopFinding,
  tokenFinding,
  versionFinding,
} from '../../../src/cli/doctor/doctor-shop.js';
import {
  besideRequests,
  exposedFinding,
  pingRequest,
  subscriptionsFinding,
  webhookUrl,
} from '../../../src/cli/doctor/doctor-webhooks.js';
import { CODES } from '../../../src/cli/doctor/finding.js';
import type { Answered, Reached } from '../../../src/cli/doctor/http-probe.js';
import { requiredScopes, SCOPE_TABLE } from '../../../src/sources/shopify/client/documents.js';
import { subscribedTopics } from '../../../src/sources/shopify/webhooks/webhook-topics.js';
import { openDeliveryGate } from '../../../src/sources/shopify/webhooks/webhook-verifier.js';
import { UpstreamError } from '../../../src/sources/source.js';
import type { LedgerBooks } from '../../../src/store/sqlite/inspect-ledger.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const GIB = 2 ** 30;
const ADDRESS = { shop: 'acme.myshopify.com', origin: null };
const TOKEN = { access_token: 'shpat_x' };

const BOOKS: LedgerBooks = {
  shop: 'acme.myshopify.com',
  last_at_ms: NOW - 1_000,
  baseline_at_ms: NOW - 60_000,
  confirmed_at_ms: NOW - 5_000,
  variants_read: 61,
  variants_counted: 61,
  items: 61,
  withheld: [],
  withheld_total: 0,
  parked: [],
  parked_total: 0,
  held: [],
  held_total: [],
  unplaced: [],
  unplaced_total: 0,
  waiting: [],
  waiting_total: [],
  leases: [{ name: 'sync', owner: '4711-abc', until_ms: NOW + 30_000 }],
};

function ledger(books: Partial<LedgerBooks> = {}, writable = true): LedgerFacts {
  return { state: 'open', writable, sight: { schema: 1, schema_known: 1, books: { ...BOOKS, ...books } } };
}

const WANTED = {
  path: '/data/l.db',
  shop: 'acme.myshopify.com',
  now_ms: NOW,
  heartbeat_ms: 15_000,
  stale_hash: 'revalidate' as const,
};

describe('the disk', () => {
  const disk = (changes: Partial<DiskFacts>) =>
    diskFinding({
      folder: '/data',
      folder_state: 'writable',
      free_bytes: 50 * GIB,
      file_system: { type: 'ext4', kind: 'local', mounted_at: '/' },
      ...changes,
    });
  const NFS = { type: 'nfs4', kind: 'network', mounted_at: '/data' } as const;

  it.each([
    [{}, 'fine', 'ok'],
    [{ free_bytes: null }, 'fine', 'ok'],
    [{ free_bytes: GIB - 1 }, 'space_low', 'warning'],
    [{ free_bytes: 50 * 2 ** 20 }, 'space_gone', 'failed'],
    [{ folder_state: 'missing' }, 'folder_missing', 'failed'],
    [{ folder_state: 'no_folder' }, 'folder_missing', 'failed'],
    [{ folder_state: 'not_writable' }, 'folder_not_writable', 'failed'],
    [{ file_system: null }, 'fine', 'ok'],
    [{ file_system: NFS }, 'network_file_system', 'failed'],
    [{ file_system: NFS, free_bytes: GIB - 1 }, 'network_file_system', 'failed'],
    [{ file_system: NFS, free_bytes: 50 * 2 ** 20 }, 'space_gone', 'failed'],
    [{ file_system: { ...NFS, type: 'virtiofs', kind: 'unclear' } }, 'shared_file_system', 'warning'],
  ] as const)('%j is %s', (changes, code, verdict) => {
    expect(disk(changes)).toMatchObject({ code, verdict });
  });
});

describe('the ledger', () => {
  it('is fine when it is of this shop and version', () => {
    expect(ledgerFinding(ledger(), WANTED)).toMatchObject({ verdict: 'ok' });
    expect(ledgerFinding(ledger(), { ...WANTED, shop: null })).toMatchObject({ verdict: 'ok' });
  });

  it('may be read and not written', () => {
    expect(ledgerFinding(ledger({}, false), WANTED)).toMatchObject({
      code: 'not_writable',
      verdict: 'failed',
    });
  });

  it('of an older version says that it will be brought up to date', () => {
    const older: LedgerFacts = {
      state: 'open',
      writable: true,
      sight: { schema: 1, schema_known: 2, books: null },
    };
    expect(ledgerFinding(older, WANTED)).toMatchObject({ code: 'older_version', verdict: 'warning' });
  });

  it('item 7, L9: that is ahead of the clock fails, and what to do is named', () => {
    expect(ledgerFinding(ledger({ last_at_ms: NOW + 3_600_000 }), WANTED)).toMatchObject({
      code: 'clock_was_ahead',
      verdict: 'failed',
      told: expect.stringContaining('60 minutes ahead'),
      mend: [expect.stringContaining('Set the clock'), expect.stringContaining('move')],
    });
    expect(ledgerFinding(ledger({ last_at_ms: NOW + 60_000 }), WANTED)).toMatchObject({
      code: 'clock_was_ahead',
      verdict: 'warning',
    });
  });

  it('in which a level rose a hundredfold at once warns, and names the level', () => {
    const rise = { sku: 'MUG', location_name: 'Warehouse', proven_units: 5, shop_units: 5_000 };
    expect(ledgerFinding(ledger({ withheld: [rise], withheld_total: 3 }), WANTED)).toMatchObject({
      code: 'rise_withheld',
      verdict: 'warning',
      told: expect.stringContaining('MUG at Warehouse (5 → 5000) and 2 more'),
    });
  });

  it('that no SQLite driver can read fails with what to install', () => {
    expect(ledgerFinding({ state: 'no_driver', why: 'run "npm i x"' }, WANTED)).toMatchObject({
      code: 'driver_missing',
      verdict: 'failed',
      told: 'run "npm i x"',
    });
  });

  it('that somebody has locked is looked at again', () => {
    expect(ledgerFinding({ state: 'busy', why: '' }, WANTED)).toMatchObject({
      code: 'unreadable',
      verdict: 'warning',
    });
  });
});

describe('the server', () => {
  const server = (books: Partial<LedgerBooks>) => serverFinding(ledger(books), WANTED);

  it('that keeps the ledger in step is named by its process', () => {
    expect(server({})).toMatchObject({ verdict: 'ok', told: expect.stringContaining('by process 4711') });
  });

  it('is missed when nobody has confirmed the ledger for long', () => {
    const found = server({ confirmed_at_ms: NOW - 3 * 3_600_000, leases: [] });
    expect(found).toMatchObject({
      code: 'not_running',
      verdict: 'warning',
      told: expect.stringContaining('3 hours ago'),
    });
    const ended = server({
      confirmed_at_ms: NOW - 3 * 3_600_000,
      leases: [{ name: 'sync', owner: '4711-abc', until_ms: NOW - 1 }],
    });
    expect(ended.code).toBe('not_running');
  });

  it('that runs and confirms nothing has failed', () => {
    expect(server({ confirmed_at_ms: NOW - 3 * 3_600_000 })).toMatchObject({
      code: 'not_confirming',
      verdict: 'failed',
    });
  });

  it('item 21: has seen less of the catalogue than the shop counts', () => {
    expect(server({ variants_read: 58 })).toMatchObject({
      code: 'catalogue_short',
      verdict: 'warning',
      told: expect.stringContaining('3 less'),
    });
    expect(server({ variants_counted: null }).verdict).toBe('ok');
    expect(server({ variants_read: null }).verdict).toBe('ok');
  });

  it('may be at its first reading', () => {
    expect(server({ baseline_at_ms: null, confirmed_at_ms: 0 })).toMatchObject({ verdict: 'ok' });
    expect(server({ baseline_at_ms: null, confirmed_at_ms: 0, leases: [] })).toMatchObject({
      code: 'not_read_yet',
    });
  });

  it('can’t be told of without a ledger', () => {
    expect(serverFinding({ state: 'absent' }, WANTED)).toMatchObject({ verdict: 'skipped' });
  });
});

describe('orders that are accepted and not at the shop', () => {
  const waiting = (age_ms: number): Partial<LedgerBooks> => ({
    waiting: [
      { order_id: 'ord_1', submitted_at_ms: NOW - age_ms, attempts: 7, last_failure: 'unreachable' },
      { order_id: 'ord_2', submitted_at_ms: NOW - 1_000, attempts: 0, last_failure: null },
    ],
    waiting_total: [
      { last_failure: 'unreachable', orders: 14, oldest_submitted_at_ms: NOW - age_ms },
      { last_failure: null, orders: 1, oldest_submitted_at_ms: NOW - 1_000 },
    ],
  });

  it('are told of with their age and what stands in the way', () => {
    const found = ordersFinding(ledger(waiting(12 * 60_000)), WANTED);
    expect(found).toMatchObject({
      code: 'not_placed',
      verdict: 'warning',
      told: '15 orders are accepted and not at the shop yet (14 after unreachable); the oldest was submitted 12 minutes ago.',
    });
    expect(found.mend).toEqual([
      expect.stringContaining('A server that runs'),
      expect.stringMatching(/^Order ord_1 .*unreachable, tried 7 times\): holdfast explain ord_1\.$/),
      expect.stringMatching(/^Order ord_2 \(submitted [^,]* UTC\)/),
      '… and 13 more: holdfast orders',
    ]);
  });

  it('are no news while the shop takes its time', () => {
    expect(ordersFinding(ledger(waiting(30_000)), WANTED).verdict).toBe('ok');
  });

  it('go behind what is parked, and before what waits for a person', () => {
    const parked = [{ reservation_id: 'res_1', order_id: 'ord_9', last_failure: 'bug' }];
    const both = ordersFinding(ledger({ ...waiting(600_000), parked, parked_total: 1 }), WANTED);
    expect(both).toMatchObject({ code: 'parked', told: expect.stringContaining('15 orders are accepted') });
    expect(both.mend.join()).toContain('holdfast explain ord_1');
  });
});

describe('parked and held orders', () => {
  it('are named, each with what to do', () => {
    const parked = [
      { reservation_id: 'res_1', order_id: 'ord_1', last_failure: 'completed by hand' },
      { reservation_id: 'res_2', order_id: null, last_failure: null },
    ];
    const found = ordersFinding(ledger({ parked, parked_total: 12 }), WANTED);
    expect(found).toMatchObject({
      code: 'parked',
      verdict: 'failed',
      told: expect.stringMatching(/^12 pieces/),
    });
    expect(found.mend).toEqual([
      expect.stringContaining('holdfast orders retry ord_1'),
      expect.stringContaining('res_2'),
      expect.stringContaining('10 more'),
    ]);
    expect(ordersFinding(ledger(), WANTED)).toMatchObject({ verdict: 'ok', told: 'None is held or parked.' });
  });

  const held = (
    held_for: 'stale' | 'buyer_refused' | 'order_quota',
    orders: number,
    is_approved = false,
  ) => ({
    held: [{ order_id: `ord_${held_for}`, held_for, is_approved, held_until_ms: NOW + 60_000 }],
    held_total: [{ held_for, is_approved, orders }],
  });

  it('item 16: held ones that wait for a person are named, each with what to do', () => {
    const found = ordersFinding(ledger(held('order_quota', 12)), WANTED);
    expect(found).toMatchObject({
      code: 'held',
      verdict: 'warning',
      told: '12 orders are held until a person approves or rejects.',
      mend: [
        'Order ord_order_quota (order_quota, until 2026-11-23 12:01:00 UTC): holdfast orders approve ord_order_quota, or holdfast orders reject ord_order_quota.',
        '… and 11 more: holdfast orders --held',
      ],
    });
  });

  it('item 16: a stale one waits for a person only where the policy says so, and until it is approved', () => {
    const stale = ledger(held('stale', 1));
    expect(ordersFinding(stale, { ...WANTED, stale_hash: 'hold' })).toMatchObject({
      code: 'held',
      verdict: 'warning',
    });
    for (const [facts, policy] of [
      [stale, 'revalidate'],
      [ledger(held('stale', 1, true)), 'hold'],
    ] as const) {
      expect(ordersFinding(facts, { ...WANTED, stale_hash: policy })).toMatchObject({
        verdict: 'ok',
        told: '1 order is held until a server has read the shop again.',
      });
    }
  });

  it('item 16: those that wait for their callers are told of, and are nothing to mend', () => {
    expect(ordersFinding(ledger(held('buyer_refused', 3)), WANTED)).toMatchObject({
      verdict: 'ok',
      told: expect.stringContaining('3 orders are held until their callers correct'),
      mend: [],
    });
  });

  it('item 16: held ones are named beside parked ones', () => {
    const parked = [{ reservation_id: 'res_1', order_id: 'ord_1', last_failure: null }];
    const both = ledger({ parked, parked_total: 1, ...held('order_quota', 1) });
    const { code, told, mend } = ordersFinding(both, WANTED);
    expect(code).toBe('parked');
    expect(told).toContain('1 order is held until a person');
    expect(mend).toEqual([
      expect.stringContaining('orders retry ord_1'),
      expect.stringContaining('orders approve ord_order_quota'),
    ]);
  });
});

describe('unplaced_hold', () => {
  const unplaced = [{ reservation_id: 'res_1', units: 3, since_ms: NOW - 180_000 }];

  it('item 1: a hold whose units no level shows is a warning, with since when and where to look', () => {
    const found = ordersFinding(ledger({ unplaced, unplaced_total: 1 }), WANTED);
    expect(found).toMatchObject({
      code: 'unplaced_hold',
      verdict: 'warning',
      told: expect.stringMatching(/^The shop has held the units of 1 reservation for over 2 minutes/),
    });
    expect(found.mend).toEqual([
      expect.stringMatching(/^Reservation res_1 \(3 units, since 2026-11-23 11:57:00 UTC\).*Drafts/),
    ]);
  });

  it('item 1: says how many there are beyond those that are named, and does not hide what is parked', () => {
    const many = ordersFinding(ledger({ unplaced, unplaced_total: 12 }), WANTED);
    expect(many.mend.at(-1)).toBe('… and 11 more.');
    const parked = [{ reservation_id: 'res_2', order_id: null, last_failure: null }];
    const both = ordersFinding(ledger({ unplaced, unplaced_total: 1, parked, parked_total: 1 }), WANTED);
    expect(both).toMatchObject({ code: 'parked', verdict: 'failed' });
    expect(both.told).toContain('no location shows them gone');
    expect(both.mend).toHaveLength(2);
  });
});

describe('the clock', () => {
  const answered = (off_ms: number, late_ms = 0, travel_ms = 0): Answered => ({
    answered: true,
    status: 401,
    location: null,
    content_type: null,
    // Whole seconds, rounded down, of the moment at which the shop answers.
    their_time_ms: Math.floor((NOW + off_ms + late_ms) / 1_000) * 1_000,
    sent_at_ms: NOW,
    received_at_ms: NOW + late_ms + travel_ms,
  });
  const code = (reached: Answered) => clockFinding('acme.myshopify.com', reached).code;

  it.each([
    [0, 'fine'],
    [29_000, 'fine'],
    [32_000, 'clock_drifting'],
    [-32_000, 'clock_drifting'],
    [299_000, 'clock_drifting'],
    [302_000, 'clock_off'],
    [-302_000, 'clock_off'],
  ])('that is %i ms off is %s', (off_ms, expected) => {
    expect(code(answered(off_ms))).toBe(expected);
  });

  it('is never blamed for a slow answer, nor for the part of a second that the header leaves out', () => {
    const ms = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(
        fc.integer({ min: -29_000, max: 29_000 }),
        ms(6_000),
        ms(6_000),
        (off_ms, late_ms, travel_ms) => {
          expect(code(answered(off_ms, late_ms, travel_ms))).toBe('fine');
        },
      ),
    );
  });

  it('is found out however long the answer took', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 307_001, max: 1e9 }),
        fc.integer({ min: 0, max: 6_000 }),
        (ahead, off_ms, late_ms) => {
          expect(code(answered(ahead ? off_ms : -off_ms, late_ms))).toBe('clock_off');
        },
      ),
    );
  });

  it('can’t be compared with a shop that does not tell the time', () => {
    expect(code({ ...answered(0), their_time_ms: null })).toBe('no_date');
  });
});

describe('the shop', () => {
  const at = (status: number) =>
    shopFinding(ADDRESS, {
      answered: true,
      status,
      location: null,
      content_type: null,
      their_time_ms: NOW,
      sent_at_ms: NOW,
      received_at_ms: NOW,
    }).code;

  it.each([
    [401, 'fine'],
    [403, 'fine'],
    [429, 'fine'],
    [402, 'shop_closed'],
    [423, 'shop_closed'],
    [404, 'shop_unknown'],
    [302, 'shop_moved'],
    [503, 'shop_down'],
    [200, 'odd_answer'],
  ])('that answers %i is %s', (status, code) => {
    expect(at(status)).toBe(code);
  });

  it.each(['name_not_found', 'no_connection', 'tls_failed', 'timed_out'] as const)(
    'that is behind %s says so',
    (obstacle) => {
      const found = shopFinding(ADDRESS, { answered: false, obstacle, word: 'EWORD' });
      expect(found).toMatchObject({ code: obstacle, verdict: 'failed' });
      expect(found.mend.length).toBeGreaterThan(0);
      expect(found.mend.join()).not.toContain('SHOPIFY_ORIGIN');
    },
  );
});

describe('the token', () => {
  const probe = {
    shop_name: 'Acme',
    shop: 'acme.myshopify.com',
    granted_scopes: [],
    missing_scopes: [],
    shop_time_ms: NOW,
    api_version: '2026-10',
    api_version_wanted: '2026-10',
    is_development_store: false,
  };

  it.each(['unreachable', 'throttled', 'scope_missing', 'refused', 'protocol', 'unauthorized'] as const)(
    'that ends in %s comes with a mend',
    (failure) => {
      const found = tokenFinding(ADDRESS, TOKEN, { ok: false, error: new UpstreamError(failure, 'detail') });
      expect(found.verdict).not.toBe('ok');
      expect(found.mend.length).toBeGreaterThan(0);
    },
  );

  it.each([
    ['http_401', 'HTTP 401: Invalid API key or access token', 'token_refused'],
    ['http_403', 'HTTP 403: Forbidden', 'token_forbidden'],
    ['http_403', 'HTTP 403: Non-expiring access tokens are no longer accepted', 'token_outdated'],
  ])('that is refused by %s is told apart: %s', (code, detail, told) => {
    const error = new UpstreamError('unauthorized', detail, null, code);
    expect(tokenFinding(ADDRESS, TOKEN, { ok: false, error })).toMatchObject({
      code: told,
      verdict: 'failed',
    });
  });

  it('has all scopes, or lacks some that are named with their purpose', () => {
    const needed = requiredScopes({ mirror: 'draft_order' }).map((scope) => ({
      scope,
      purpose: SCOPE_TABLE[scope],
    }));
    const all = needed.map(({ scope }) => scope);
    expect(scopesFinding(TOKEN, needed, all)).toMatchObject({
      verdict: 'ok',
      told: expect.stringContaining('Without read_all_orders'),
    });
    const old = scopesFinding(TOKEN, needed, [...all, 'read_all_orders']);
    expect([old.verdict, old.told]).toEqual(['ok', `All ${needed.length} that are needed are granted.`]);
    // What may write may read.
    const writing = all.filter((scope) => scope !== 'read_draft_orders');
    expect(scopesFinding(TOKEN, needed, writing)).toMatchObject({ verdict: 'ok' });
    expect(scopesFinding(TOKEN, needed, [...all, 'write_inventory'])).toMatchObject({
      code: 'scope_unneeded',
    });
    for (const { scope, purpose } of needed) {
      const rest = all.filter(
        (other) => other.replace(/^write_/, 'read_') !== scope.replace(/^write_/, 'read_'),
      );
      const { code, told } = scopesFinding(TOKEN, needed, rest);
      expect(code).toBe('scope_missing');
      expect(told).toContain(`${scope}, ${purpose}`);
    }
  });

  it('may speak to an API of another version, or to a development store', () => {
    expect(versionFinding(probe)).toMatchObject({ verdict: 'ok' });
    expect(versionFinding({ ...probe, api_version: null })).toMatchObject({ verdict: 'ok' });
    expect(versionFinding({ ...probe, api_version: '2027-01' })).toMatchObject({
      code: 'version_other',
      verdict: 'warning',
    });
    expect(planFinding(probe)).toMatchObject({ verdict: 'ok' });
    expect(planFinding({ ...probe, is_development_store: true })).toMatchObject({
      code: 'development_store',
    });
  });
});

describe('locations', () => {
  const place = (location_id: string, active = true, till_only = false) => ({
    location_id,
    name: location_id,
    active,
    till_only,
  });

  it.each([
    [[place('1')], 'draft_order', 'fine'],
    [[place('1'), place('2', false)], 'draft_order', 'fine'],
    [[place('1'), place('2')], 'draft_order', 'several_locations'],
    [[place('1'), place('2')], 'move', 'fine'],
    [[place('1'), place('2')], 'none', 'fine'],
    [[place('1', false)], 'none', 'no_location'],
    [[place('1', false, true)], 'none', 'no_location'],
  ] as const)('%j under %s are %s', (locations, mirror, code) => {
    expect(locationsFinding(locations, mirror)).toMatchObject({ code });
  });

  it('item 17: says which stock is not offered, because it is for the till alone', () => {
    const { told } = locationsFinding(
      [place('1'), place('2', false, true), place('3', false)],
      'draft_order',
    );
    expect(told).toContain('1 more fulfil no online orders');
  });

  it('says that the places of drafts are read off the levels', () => {
    const { told } = locationsFinding([place('1'), place('2')], 'draft_order');
    expect(told).toContain('read off the stock levels');
  });
});

describe('webhooks', () => {
  const url = 'https://stock.example.com/webhooks/shopify';
  const wanted = subscribedTopics();

  it('are posted where the shop posts them, signed so that our own gate lets them in', async () => {
    expect(webhookUrl('https://stock.example.com')).toBe(url);
    const secret = 'planted';
    const { headers = {}, body = '' } = pingRequest({
      url,
      shop: ADDRESS.shop,
      secret,
      id: 'id-1',
      now_ms: NOW,
    });
    const gate = openDeliveryGate({ shop: ADDRESS.shop, secrets: [secret] });
    expect(await gate.judge(headers, Buffer.from(body))).toMatchObject({
      ok: true,
      delivery: { topic: 'holdfast/ping', hints: [], triggered_at_ms: NOW },
    });
    expect(JSON.stringify(headers)).not.toContain(secret);
  });

  it('bring a number that no other ping has, so that no two have one signature', () => {
    const ping = (id: string) => pingRequest({ url, shop: ADDRESS.shop, secret: 's', id, now_ms: NOW });
    expect(ping('id-1').body).not.toBe(ping('id-2').body);
    expect(ping('id-1').headers?.['x-shopify-hmac-sha256']).not.toBe(
      ping('id-2').headers?.['x-shopify-hmac-sha256'],
    );
  });

  describe('are all that the public may reach', () => {
    const said = (status: number, content_type: string | null = 'text/html'): Reached => ({
      answered: true,
      status,
      location: null,
      content_type,
      their_time_ms: NOW,
      sent_at_ms: NOW,
      received_at_ms: NOW,
    });
    const refused: Reached = { answered: false, obstacle: 'no_connection', word: 'ECONNREFUSED' };
    const at = { host: '127.0.0.1', webhook_port: 8788, isOurs: true, asksWhoCalls: false };
    const exposed = (mcp: Reached, healthz: Reached, isOurs = true) =>
      exposedFinding('https://stock.example.com', { mcp, healthz }, { ...at, isOurs });

    it('and are asked for without any secret', () => {
      for (const request of Object.values(besideRequests('https://stock.example.com/'))) {
        expect(request).toEqual({
          url: expect.stringMatching(/^https:\/\/stock\.example\.com\/(mcp|healthz)$/),
          method: 'GET',
          timeout_ms: 5_000,
        });
      }
    });

    it.each([
      ['404', said(404)],
      ['403', said(403)],
      ['a 405 that is no MCP', said(405)],
      ['a login', said(302)],
      ['a password', said(401)],
      ['nobody behind it', said(502)],
      ['no connection', refused],
    ])('%s is closed', (_, answer) => {
      expect(exposed(answer, answer)).toBeNull();
    });

    it.each([
      ['MCP that refuses a GET', said(405, 'application/json'), said(404)],
      ['MCP that wants a stream', said(406, 'application/json'), said(404)],
      ['/healthz alone', said(404), said(200, 'text/plain; charset=utf-8')],
    ])('%s is not, and the mend names the port', (_, mcp, healthz) => {
      expect(exposed(mcp, healthz)).toMatchObject({
        code: 'mcp_exposed',
        verdict: 'failed',
        mend: [
          expect.stringContaining('http://127.0.0.1:8788 (HOLDFAST_WEBHOOK_PORT)'),
          expect.stringContaining('holdfast tokens add'),
        ],
      });
    });

    it('where callers bring tokens, what only those reach is none, and an /mcp without is', () => {
      const withTokens = (mcp: Reached, healthz: Reached) =>
        exposedFinding('https://stock.example.com', { mcp, healthz }, { ...at, asksWhoCalls: true });
      expect(withTokens(said(401, 'application/json'), said(200, 'text/plain'))).toBeNull();
      expect(withTokens(said(405, 'application/json'), said(200, 'text/plain'))).toMatchObject({
        code: 'mcp_exposed',
        mend: [expect.any(String), expect.stringContaining('other settings')],
      });
    });

    it('where our route does not answer, a page of somebody else’s is no MCP, but MCP is', () => {
      expect(exposed(said(200), said(200), false)).toBeNull();
      expect(exposed(said(405, 'application/json'), said(404), false)).toMatchObject({ code: 'mcp_exposed' });
    });
  });

  it('have subscriptions that are all here, or some missing, or elsewhere', () => {
    const here = wanted.map((topic) => ({ topic, url }));
    expect(subscriptionsFinding(url, wanted, here)).toMatchObject({ verdict: 'ok' });
    expect(subscriptionsFinding(url, wanted, here.slice(6))).toMatchObject({
      code: 'topic_missing',
      told: expect.stringContaining(`6 of ${wanted.length} topics: ${wanted[0]}`),
    });
    const [first, ...rest] = here;
    const moved = { topic: first?.topic ?? '', url: 'https://user:pass@old.example.com/x' };
    const elsewhere = subscriptionsFinding(url, wanted, [moved, ...rest]);
    expect(elsewhere).toMatchObject({
      code: 'foreign_address',
      told: expect.stringContaining('old.example.com'),
    });
    expect(elsewhere.told).not.toContain('pass');
  });
});

describe('publication', () => {
  const found = { found: true, id: 'gid://shopify/Publication/1', title: 'Online Store' } as const;

  it.each([
    ['online_store', found, 'fine', 'ok'],
    ['any', { found: false, why: 'any' }, 'fine', 'ok'],
    ['online_store', { found: false, why: 'scope_missing' }, 'scope_missing', 'failed'],
    ['online_store', { found: false, why: 'unknown' }, 'publication_unknown', 'failed'],
    ['17', { found: false, why: 'unknown' }, 'publication_unknown', 'failed'],
  ] as const)('item 17: %s, %j is %s', (choice, state, code, verdict) => {
    const finding = publicationFinding(choice, state);
    expect(finding).toMatchObject({ code, verdict });
    if (verdict === 'failed') expect(finding.mend.join(' ')).toContain('HOLDFAST_PUBLICATION');
  });
});

it('names of checks and codes are for programs outside: they stay as they are', () => {
  expect(CODES).toMatchSnapshot();
});
