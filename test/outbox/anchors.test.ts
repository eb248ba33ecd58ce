/** Anchors: what stands on the shop's orders proves the ledger, also against somebody who has rewritten all of it. */

import { copyFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { anchorText, parseAnchor } from '../../src/ledger/model/values/anchor.js';
import { verifyLedgerFile } from '../../src/store/sqlite/verify.js';
import { runHoldfast } from '../helpers/cli.js';
import { SECOND } from '../helpers/ledger.js';
import { ShopLedger, type ShopLedgerOptions } from '../helpers/shop-ledger.js';

let t: ShopLedger | null = null;
afterEach(() => t?.close());

const KEY = 'holdfast_anchor';
const signal = AbortSignal.timeout(60_000);

async function open(options: ShopLedgerOptions): Promise<ShopLedger> {
  t = await ShopLedger.open(options);
  return t;
}

async function sell(shop: ShopLedger, details: { readonly note?: string } = {}): Promise<void> {
  const reservation = await shop.granted('SCARF', 1);
  await shop.work();
  await shop.accepted(reservation, details);
  await shop.workFor(2 * SECOND);
  expect(await shop.order(reservation)).toMatchObject({ state: 'placed' });
}

async function anchorsAtShop(shop: ShopLedger): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for await (const page of shop.upstream.anchors.readAnchors(signal))
    found.push(...page.map(({ anchor }) => anchor));
  return found;
}

describe('L11: an order at the shop carries the newest entry of the journal', () => {
  test.each([
    ['draft_order', {}],
    ['draft_order', { note: 'in a bag' }],
    ['move', {}],
    ['none', {}],
  ] as const)('mode %s, details %j', async (mirror, details) => {
    const shop = await open({ settings: { mirror } });
    await sell(shop, details);
    const [text = null, ...others] = await anchorsAtShop(shop);
    expect(others).toEqual([]);
    const anchor = parseAnchor(text ?? '');
    expect(anchor).not.toBeNull();
    if (anchor === null) return;
    expect(
      verifyLedgerFile(shop.path, { anchors: [{ ...anchor, kept_at: 'at the shop' }] }).problems,
    ).toEqual([]);
    const wrong = { ...anchor, hash: 'f'.repeat(64), kept_at: 'on order #1' };
    expect(verifyLedgerFile(shop.path, { anchors: [wrong] }).problems).toEqual([
      { invariant: 'L11', detail: expect.stringContaining('by the anchor on order #1') },
    ]);
    // One on the draft as it was made, one that replaced it with the details: never two.
    const { customAttributes } = shop.orders()[0] ?? { customAttributes: [] };
    expect(customAttributes.filter(({ key }) => key === KEY)).toHaveLength(1);
    await shop.expectTrueBooks();
  });

  test('also where the buyer pays', async () => {
    const shop = await open({ settings: { order_mode: 'checkout_link' } });
    const reservation = await shop.granted('SCARF', 1);
    await shop.accepted(reservation);
    await shop.workFor(2 * SECOND);
    const [draft] = shop.drafts();
    expect(draft?.customAttributes.filter(({ key }) => key === KEY)).toHaveLength(1);
  });
});

describe('holdfast verify', () => {
  let shop: ShopLedger;
  let env: Record<string, string>;
  beforeEach(async () => {
    shop = await open({ sockets: true });
    env = {
      HOLDFAST_DB: shop.path,
      SHOPIFY_SHOP: 'sandbox.myshopify.com',
      SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
      SHOPIFY_ORIGIN: shop.origin,
    };
  });
  const run = (...args: string[]) => runHoldfast(['verify', ...args], { cwd: '/', env });

  test('--anchors compares what stands on the orders, and finds a ledger that was put back', async () => {
    const copy = `${shop.path}-copy`;
    await shop.store.putSafetyStock(0);
    shop.store.purgeErased();
    copyFileSync(shop.path, copy);
    await sell(shop);
    expect(await run('--anchors')).toMatchObject({
      status: 0,
      out: expect.stringContaining('Compared with 1 anchors.'),
    });
    env['HOLDFAST_DB'] = copy;
    const { status, out } = await run('--anchors', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      anchors: 1,
      problems: [
        {
          invariant: 'L11',
          detail: expect.stringMatching(/^the journal ends before entry \d+, .* on order #\d+: /),
        },
      ],
    });
  });

  test('--anchors finds one that a person has changed, and says when the shop can’t be asked', async () => {
    await sell(shop);
    const [order] = shop.orders();
    if (order === undefined) throw new Error('no order');
    Object.assign(order, { customAttributes: [{ key: KEY, value: 'gone' }] });
    const { status, out } = await run('--anchors', '--json');
    expect(status).toBe(1);
    expect(JSON.parse(out).problems).toEqual([
      { invariant: 'L11', detail: expect.stringMatching(/^the anchor on order #\d+ can't be read/) },
    ]);
    env['SHOPIFY_ORIGIN'] = 'http://127.0.0.1:9';
    const silent = await run('--anchors', '--json');
    expect(silent.status).toBe(1);
    expect(JSON.parse(silent.out)).toMatchObject({ ok: false, code: 'unreachable' });
  });

  test('--since takes what an earlier run printed, in both forms, and refuses what is no anchor', async () => {
    const first = JSON.parse((await run('--json')).out);
    const text = anchorText(first.anchor);
    expect((await run()).out).toContain(`anchor ${text}`);
    await sell(shop);
    for (const form of [text, JSON.stringify(first.anchor)])
      expect((await run('--since', form)).status).toBe(0);
    const other = await run(
      '--since',
      text.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    );
    expect(other).toMatchObject({ status: 1, out: expect.stringContaining('✗ L11: ') });
    for (const wrong of ['', '1:2', 'null', '{"v":2,"n":1}', `2${text.slice(1)}`, text.toUpperCase()])
      expect((await run('--since', wrong)).status).toBe(2);
  });
});
