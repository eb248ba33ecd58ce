import { afterEach, describe, expect, it } from 'vitest';
import { SUBSCRIBED, subscribedTopics } from '../../../../src/sources/shopify/webhooks/webhook-topics.js';
import type { SubscriptionReport } from '../../../../src/sources/source.js';
import { type Answerer, forever, json, type Opened, open, type RawShop, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const URL_HERE = 'https://holdfast.example.com/webhooks/shopify';
const URL_BEFORE = 'https://old.example.com/webhooks/shopify';
const ALL = subscribedTopics();

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

async function sandbox(options?: Parameters<typeof openSandbox>[0]): Promise<OpenSandbox> {
  const opened = await openSandbox({ throttle: false, ...options });
  cleanups.push(opened.close);
  return opened;
}

const ensure = ({ upstream }: OpenSandbox, url = URL_HERE) => upstream.subscriptions.ensure(url, forever);
const present = ({ shop }: OpenSandbox) => [...shop.webhookSubscriptions.all()];
const counts = ({ kept, created, moved, refused }: SubscriptionReport) => [
  kept.length,
  created.length,
  moved.length,
  refused.length,
];

function subscribe(
  { shop, now }: OpenSandbox,
  name: string | null,
  uri = URL_HERE,
  fields: string[] = [],
): void {
  const input = { uri, name, includeFields: fields };
  const { userErrors } = shop.webhookSubscriptions.create('INVENTORY_LEVELS_UPDATE', input, now());
  expect(userErrors).toEqual([]);
}

describe('subscriptions', () => {
  it('all that are missing are made, with our name and the fields we ask for, and the second time there is nothing to do', async () => {
    const shop = await sandbox();
    expect(await ensure(shop)).toEqual({ kept: [], created: ALL, moved: [], refused: [] });
    const made = present(shop);
    expect(made.map(({ topic }) => topic).sort()).toEqual(SUBSCRIBED.map(({ name }) => name).sort());
    expect(made.every(({ name, uri }) => name?.startsWith('holdfast-') && uri === URL_HERE)).toBe(true);
    const orders = made.find(({ topic }) => topic === 'ORDERS_UPDATED');
    expect(orders?.includeFields).toEqual(['id', 'admin_graphql_api_id', 'updated_at']);
    expect(await ensure(shop)).toEqual({ kept: ALL, created: [], moved: [], refused: [] });
    expect(present(shop)).toEqual(made);
  });

  it('are listed by the topic of their deliveries', async () => {
    const shop = await sandbox();
    await ensure(shop);
    subscribe(shop, 'somebody-else', 'https://other.example.com/');
    const listed = await shop.upstream.subscriptions.list(forever);
    expect(listed.map(({ topic }) => topic)).toEqual(ALL);
    expect(new Set(listed.map(({ url }) => url))).toEqual(new Set([URL_HERE]));
  });

  it('those that lead elsewhere are moved, and one that the shop removed is made again', async () => {
    const shop = await sandbox();
    await ensure(shop, URL_BEFORE);
    const [removed] = present(shop);
    shop.shop.webhookSubscriptions.delete(removed?.id ?? '');
    expect(counts(await ensure(shop))).toEqual([0, 1, ALL.length - 1, 0]);
    expect(new Set(present(shop).map(({ uri }) => uri))).toEqual(new Set([URL_HERE]));
    expect(present(shop).length).toBe(ALL.length);
  });

  it('one with other fields is mended', async () => {
    const shop = await sandbox();
    subscribe(shop, 'holdfast-inventory-levels-update', URL_HERE, ['inventory_item_id']);
    expect(counts(await ensure(shop))).toEqual([0, ALL.length - 1, 1, 0]);
    expect(counts(await ensure(shop))).toEqual([ALL.length, 0, 0, 0]);
  });

  it('of several for one topic one stays, whichever names and addresses they have', async () => {
    const shop = await sandbox();
    subscribe(shop, 'holdfast-a', URL_HERE);
    subscribe(shop, 'holdfast-inventory-levels-update', URL_BEFORE);
    subscribe(shop, 'holdfast-c', 'https://third.example.com/');
    expect(counts(await ensure(shop))).toEqual([0, ALL.length - 1, 1, 0]);
    expect(counts(await ensure(shop))).toEqual([ALL.length, 0, 0, 0]);
    expect(present(shop).length).toBe(ALL.length);
  });

  it("nobody else's is touched, and one made by hand for our address counts as it is", async () => {
    const shop = await sandbox();
    subscribe(shop, null, URL_HERE);
    subscribe(shop, 'theirs', URL_BEFORE);
    const before = present(shop);
    expect(counts(await ensure(shop))).toEqual([1, ALL.length - 1, 0, 0]);
    expect(present(shop)).toEqual(expect.arrayContaining(before));
  });

  it('of ours for a topic that we no longer want none is left', async () => {
    const shop = await sandbox();
    shop.shop.webhookSubscriptions.create(
      'SHOP_UPDATE',
      { uri: URL_HERE, name: 'holdfast-shop-update' },
      shop.now(),
    );
    await ensure(shop);
    expect(present(shop).map(({ topic }) => topic)).not.toContain('SHOP_UPDATE');
  });

  it('a topic whose scope is missing is reported, and all others are made', async () => {
    const shop = await sandbox({ scopes: ['read_inventory', 'read_products'] });
    const report = await ensure(shop);
    expect(report.created).toContain('inventory_levels/update');
    expect(report.refused.map(({ topic }) => topic)).toContain('orders/updated');
    expect(report.refused.every(({ detail }) => detail !== '')).toBe(true);
    expect(counts(report).reduce((sum, count) => sum + count)).toBe(ALL.length);
  });

  it('two at once make each topic once', async () => {
    const shop = await sandbox();
    const other = open({ origin: shop.origin });
    await Promise.all([ensure(shop), other.subscriptions.ensure(URL_HERE, forever)]);
    expect(counts(await ensure(shop))).toEqual([ALL.length, 0, 0, 0]);
    expect(present(shop).length).toBe(ALL.length);
  });

  it('one that was made although the answer was lost is found the next time', async () => {
    const shop = await sandbox();
    shop.faults.add({ operation: 'webhookSubscriptionCreate', when: 'after', action: 'drop' });
    await expect(ensure(shop)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(counts(await ensure(shop))).toEqual([1, ALL.length - 1, 0, 0]);
  });
});

describe('what the shop answers', () => {
  async function shopThat(answer: Answerer): Promise<Opened & { readonly shop: RawShop }> {
    const shop = await rawShop(answer);
    cleanups.push(shop.close);
    return { ...open({ origin: shop.origin }), shop };
  }
  const list = {
    data: { webhookSubscriptions: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } } },
  };

  it.each<[string, Answerer, string]>([
    ['a token that is refused', (_, response) => json(response, {}, 401), 'unauthorized'],
    ['a shop that is down', (_, response) => json(response, {}, 503), 'unreachable'],
    [
      'too many calls, for long',
      (_, response) => json(response, {}, 429, { 'retry-after': '600' }),
      'throttled',
    ],
    [
      'an answer without a subscription or an error',
      ({ body }, response) =>
        json(
          response,
          body.query?.includes('mutation') ? { data: { webhookSubscriptionCreate: null } } : list,
        ),
      'protocol',
    ],
  ])('%s is thrown: no topic is to blame', async (_, answer, failure) => {
    const { subscriptions } = await shopThat(answer);
    await expect(subscriptions.ensure(URL_HERE, forever)).rejects.toMatchObject({ failure });
  });

  it('access denied to a topic is the topic’s affair', async () => {
    const { subscriptions } = await shopThat(({ body }, response) =>
      json(
        response,
        body.query?.includes('mutation')
          ? {
              data: { webhookSubscriptionCreate: null },
              errors: [
                { message: 'no', path: ['webhookSubscriptionCreate'], extensions: { code: 'ACCESS_DENIED' } },
              ],
            }
          : list,
      ),
    );
    expect(counts(await subscriptions.ensure(URL_HERE, forever))).toEqual([0, 0, 0, ALL.length]);
  });

  it('a list that never ends is a broken promise', async () => {
    const { subscriptions, shop } = await shopThat((_, response, count) =>
      json(response, {
        data: { webhookSubscriptions: { nodes: [], pageInfo: { hasNextPage: true, endCursor: `${count}` } } },
      }),
    );
    await expect(subscriptions.list(forever)).rejects.toMatchObject({ failure: 'protocol' });
    expect(shop.requests.length).toBe(20);
  });
});
