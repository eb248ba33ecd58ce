import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Json, type Rig, startRig } from '../sandbox-client.js';
import { SUBSCRIBE, subscribe } from '../webhooks/webhook-listener.js';

const URI = 'https://holdfast.example/webhooks';
const UPDATE = `mutation Update($id: ID!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $input) {
    webhookSubscription { id uri name includeFields createdAt updatedAt } userErrors { field message } } }`;
const DELETE = `mutation Delete($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }`;
const LIST = `query List($topics: [WebhookSubscriptionTopic!], $uri: String, $reverse: Boolean) {
  webhookSubscriptions(first: 50, topics: $topics, uri: $uri, reverse: $reverse) { nodes { id topic uri } } }`;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

async function create(input: object, topic = 'PRODUCTS_UPDATE', on = rig): Promise<Json> {
  return (await on.data(SUBSCRIBE, { topic, input })).webhookSubscriptionCreate;
}

describe('subscribing', () => {
  test('answers with the subscription, which can then be read by id, by node and in the list', async () => {
    const { webhookSubscription, userErrors } = await create({
      uri: URI,
      name: 'stock-1',
      includeFields: ['id'],
    });
    expect(userErrors).toEqual([]);
    const { id } = webhookSubscription;
    expect(webhookSubscription).toEqual({
      id,
      topic: 'PRODUCTS_UPDATE',
      uri: URI,
      callbackUrl: URI,
      name: 'stock-1',
      format: 'JSON',
      filter: null,
      includeFields: ['id'],
      legacyResourceId: id.split('/').at(-1),
      createdAt: '2026-11-23T12:00:00Z',
      updatedAt: '2026-11-23T12:00:00Z',
    });
    const read = await rig.data(
      `query($id: ID!) { webhookSubscription(id: $id) { uri } node(id: $id) { ... on WebhookSubscription { topic } } }`,
      { id },
    );
    expect(read).toEqual({ webhookSubscription: { uri: URI }, node: { topic: 'PRODUCTS_UPDATE' } });
    expect((await rig.data(LIST)).webhookSubscriptions.nodes).toEqual([
      { id, topic: 'PRODUCTS_UPDATE', uri: URI },
    ]);
  });

  test('takes the old name of the address too', async () => {
    expect((await create({ callbackUrl: URI })).webhookSubscription.uri).toBe(URI);
  });

  test('refuses an address that has the topic already, but takes it for another topic', async () => {
    await subscribe(rig, ['PRODUCTS_UPDATE', 'PRODUCTS_DELETE'], URI);
    expect(await create({ uri: URI })).toEqual({
      webhookSubscription: null,
      userErrors: [
        { field: ['webhookSubscription', 'uri'], message: 'Address for this topic has already been taken' },
      ],
    });
    expect((await create({ callbackUrl: URI })).userErrors[0].field).toEqual([
      'webhookSubscription',
      'callbackUrl',
    ]);
  });

  test.each([
    ['http elsewhere', 'http://holdfast.example/webhooks', 'Address protocol http:// is not supported'],
    ['another scheme', 'ftp://holdfast.example/x', 'Address protocol ftp:// is not supported'],
    ['no address', '', "Address can't be blank"],
    ['no URL', 'holdfast', 'Address is invalid'],
    [
      'the shop itself',
      'https://sandbox.myshopify.com/x',
      'Address cannot be a Shopify or an internal domain',
    ],
    [
      'an endless address',
      `https://a.example/${'x'.repeat(2_048)}`,
      'Address is too long (maximum is 2048 characters)',
    ],
  ])('refuses %s', async (_name, uri, message) => {
    const { webhookSubscription, userErrors } = await create({ uri });
    expect(webhookSubscription).toBeNull();
    expect(userErrors).toEqual([{ field: ['webhookSubscription', 'uri'], message }]);
  });

  test.each(['http://127.0.0.1:4010/x', 'http://localhost/x', 'http://[::1]:1/x'])(
    'takes http on this machine: %s',
    async (uri) => {
      expect((await create({ uri })).userErrors).toEqual([]);
    },
  );

  test('wants names that are unique in the shop, short, and plain', async () => {
    await create({ uri: URI, name: 'levels' });
    const taken = await create({ uri: URI, name: 'levels' }, 'PRODUCTS_DELETE');
    expect(taken.userErrors).toEqual([
      { field: ['webhookSubscription', 'name'], message: 'Name has already been taken' },
    ]);
    for (const name of ['with space', '', 'x'.repeat(51)]) {
      const { userErrors } = await create({ uri: URI, name }, 'PRODUCTS_DELETE');
      expect(userErrors[0].message).toMatch(/^Name can only contain alphanumeric/u);
    }
  });

  test.each([
    ['INVENTORY_LEVELS_UPDATE', 'read_inventory', 'inventory_levels/update'],
    ['LOCATIONS_UPDATE', 'read_locations', 'locations/update'],
    ['DRAFT_ORDERS_CREATE', 'read_draft_orders', 'draft_orders/create'],
    ['ORDERS_EDITED', 'read_orders', 'orders/edited'],
    ['RETURNS_PROCESS', 'read_returns', 'returns/process'],
    ['FULFILLMENTS_CREATE', 'read_fulfillments', 'fulfillments/create'],
  ])('refuses %s without the scope %s', async (topic, scope, wire) => {
    const poor = await startRig({ scopes: ['read_products'] });
    const rich = await startRig({ scopes: [scope] });
    const refused = await create({ uri: URI }, topic, poor);
    expect(refused.webhookSubscription).toBeNull();
    expect(refused.userErrors[0].field).toEqual(['topic']);
    expect(refused.userErrors[0].message).toContain(
      `Invalid topic specified: ${wire}. Does it exist? Is there a missing access scope? Topics allowed: `,
    );
    expect((await create({ uri: URI }, topic, rich)).userErrors).toEqual([]);
    await Promise.all([poor.sandbox.stop(), rich.sandbox.stop()]);
  });

  test('takes a write scope for its read scope, and asks none for topics of the app and the shop', async () => {
    const other = await startRig({ scopes: ['write_inventory'] });
    const topics = ['INVENTORY_LEVELS_UPDATE', 'APP_UNINSTALLED', 'SHOP_UPDATE', 'BULK_OPERATIONS_FINISH'];
    await subscribe(other, topics, URI);
    await other.sandbox.stop();
  });

  test.each([
    [
      'a topic that is never sent',
      'CARTS_CREATE',
      {},
      'the sandbox shop does not emulate the topic CARTS_CREATE',
    ],
    ['XML', 'ORDERS_CREATE', { format: 'XML' }, 'the sandbox shop sends webhooks in JSON alone'],
    [
      'a filter',
      'ORDERS_CREATE',
      { filter: 'id:1' },
      'the sandbox shop does not emulate WebhookSubscriptionInput.filter',
    ],
  ])('refuses %s: silence would be a false answer', async (_name, topic, more, message) => {
    const answer = await rig.graphql(SUBSCRIBE, { topic, input: { uri: URI, ...more } });
    expect(answer.errors[0]).toMatchObject({ message, extensions: { code: 'BAD_REQUEST' } });
    expect((await rig.data(LIST)).webhookSubscriptions.nodes).toEqual([]);
  });
});

describe('looking after subscriptions', () => {
  test('lists by topic and by address, in the order of their making or the other way round', async () => {
    const [update, remove] = await subscribe(rig, ['PRODUCTS_UPDATE', 'PRODUCTS_DELETE'], URI);
    const [other] = await subscribe(rig, ['PRODUCTS_UPDATE'], `${URI}/2`);
    const ids = async (variables: object) =>
      (await rig.data(LIST, variables)).webhookSubscriptions.nodes.map(({ id }: Json) => id);
    expect(await ids({})).toEqual([update, remove, other]);
    expect(await ids({ reverse: true })).toEqual([other, remove, update]);
    expect(await ids({ topics: ['PRODUCTS_UPDATE'] })).toEqual([update, other]);
    expect(await ids({ uri: URI })).toEqual([update, remove]);
  });

  test('an update changes what it names, and clashes as a creation does', async () => {
    const [id] = await subscribe(rig, ['PRODUCTS_UPDATE'], URI, { name: 'one' });
    await subscribe(rig, ['PRODUCTS_UPDATE'], `${URI}/2`, { name: 'two' });
    rig.clock.nowMs += 5_000;
    const update = async (input: object) => (await rig.data(UPDATE, { id, input })).webhookSubscriptionUpdate;
    expect((await update({ uri: `${URI}/3` })).webhookSubscription).toEqual({
      id,
      uri: `${URI}/3`,
      name: 'one',
      includeFields: [],
      createdAt: '2026-11-23T12:00:00Z',
      updatedAt: '2026-11-23T12:00:05Z',
    });
    expect((await update({ uri: `${URI}/2` })).userErrors[0].message).toBe(
      'Address for this topic has already been taken',
    );
    expect((await update({ name: 'two' })).userErrors[0].message).toBe('Name has already been taken');
    expect((await update({ name: 'one' })).userErrors).toEqual([]);
  });

  test('a deleted one is gone, and cannot be deleted or changed again', async () => {
    const [id] = await subscribe(rig, ['PRODUCTS_UPDATE'], URI);
    const gone = [{ field: ['id'], message: 'Webhook subscription does not exist' }];
    expect((await rig.data(DELETE, { id })).webhookSubscriptionDelete).toEqual({
      deletedWebhookSubscriptionId: id,
      userErrors: [],
    });
    expect((await rig.data(LIST)).webhookSubscriptions.nodes).toEqual([]);
    expect((await rig.data(DELETE, { id })).webhookSubscriptionDelete).toEqual({
      deletedWebhookSubscriptionId: null,
      userErrors: gone,
    });
    expect(
      (await rig.data(UPDATE, { id, input: { name: 'x' } })).webhookSubscriptionUpdate.userErrors,
    ).toEqual(gone);
  });
});
