/** Shopify drops subscriptions without a word: somebody has to look. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { LIMITS } from '../../src/config/config.js';
import { ALL_SCOPES } from '../../src/sandbox/api-rules/access.js';
import { SubscriptionKeeper } from '../../src/sync/subscription-keeper.js';
import { HOUR, MINUTE } from '../helpers/ledger.js';
import { ShopLedger } from '../helpers/shop-ledger.js';

const URL = 'https://stock.example.com/webhooks/shopify';
const forever = new AbortController().signal;

let t: ShopLedger;
let keeper: SubscriptionKeeper;
let told: { severity: string; event: string; detail: Readonly<Record<string, unknown>> }[];

beforeEach(async () => {
  t = await ShopLedger.bare({ tuning: { attempts_max: 1 } });
  told = [];
  keeper = new SubscriptionKeeper({
    subscriptions: t.upstream.subscriptions,
    url: URL,
    clock: t.clock,
    report: (severity, event, detail) => told.push({ severity, event, detail }),
    limits: LIMITS.subscriptions,
  });
});
afterEach(() => t.close());

const topics = async () =>
  (await t.upstream.subscriptions.list(forever)).filter(({ url }) => url === URL).map(({ topic }) => topic);

test('at the start the shop is asked to tell us, and the log says so', async () => {
  await keeper.keep(forever);
  expect(await topics()).toContain('inventory_levels/update');
  expect(told).toEqual([
    {
      severity: 'info',
      event: 'webhooks_subscribed',
      detail: expect.objectContaining({ url: URL, moved: [] }),
    },
  ]);
});

test('what the shop has dropped is made again within the hour, and not looked at sooner', async () => {
  await keeper.keep(forever);
  const all = await topics();
  const gone = [...t.server.shop.webhookSubscriptions.all()].slice(0, 3);
  for (const { id } of gone) t.server.shop.webhookSubscriptions.delete(id);
  t.time.pass(HOUR - 1);
  await keeper.keep(forever);
  expect(await topics()).toHaveLength(all.length - 3);
  t.time.pass(1);
  await keeper.keep(forever);
  expect((await topics()).sort()).toEqual(all.sort());
  expect(told.at(-1)?.detail).toMatchObject({ created: expect.objectContaining({ length: 3 }) });
});

test('when all is well nothing is said', async () => {
  await keeper.keep(forever);
  t.time.pass(HOUR);
  await keeper.keep(forever);
  expect(told).toHaveLength(1);
});

test('a check that fails is made again in a minute', async () => {
  t.server.faults.add({ operation: '*', when: 'before', action: 'status', code: 503, times: 1 });
  await expect(keeper.keep(forever)).rejects.toMatchObject({ failure: 'unreachable' });
  t.time.pass(MINUTE - 1);
  await keeper.keep(forever);
  expect(await topics()).toEqual([]);
  t.time.pass(1);
  await keeper.keep(forever);
  expect(await topics()).not.toEqual([]);
});

test('topics that the shop refuses are told once, and the others are subscribed', async () => {
  t.server.grantScopes(ALL_SCOPES.filter((scope) => !/returns$/.test(scope)));
  for (let hours = 0; hours < 3; hours += 1) {
    await keeper.keep(forever);
    t.time.pass(HOUR);
  }
  const refused = told.filter(({ event }) => event === 'webhook_topic_refused');
  const missing = refused.map(({ detail }) => detail['topic']);
  expect(missing.length).toBeGreaterThan(0);
  expect(new Set(missing).size).toBe(missing.length);
  expect((await topics()).filter((topic) => missing.includes(topic))).toEqual([]);
  expect((await topics()).length).toBeGreaterThan(10);
  t.server.grantScopes(ALL_SCOPES);
  await keeper.keep(forever);
  expect(await topics()).toEqual(expect.arrayContaining(missing));
});
