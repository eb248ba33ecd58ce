import { afterEach, beforeEach, expect, test } from 'vitest';
import { SEED_SKUS } from '../../../src/sandbox/base/catalogue.js';
import { type Rig, startRig } from '../sandbox-client.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

const EVENTS = `query($query: String, $first: Int!, $after: String) {
  events(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { __typename id ... on BasicEvent { action subjectId subjectType createdAt } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const DESTROYED = 'action:destroy AND subject_type:PRODUCT';

async function events(query: string, first = 10) {
  return (await rig.data(EVENTS, { query, first })).events.nodes;
}

test('item 13: the log of events names products that are gone, by id from a cursor and by time', async () => {
  const { shop } = rig.sandbox;
  const gone = shop.inventory.variantOfSku(SEED_SKUS.scarce).productId;
  expect(await events(DESTROYED)).toEqual([]);
  shop.deleteProduct(SEED_SKUS.scarce);
  const [first] = await events(DESTROYED);
  expect(first).toMatchObject({
    __typename: 'BasicEvent',
    action: 'destroy',
    subjectId: gone,
    subjectType: 'PRODUCT',
    createdAt: '2026-11-23T12:00:00Z',
  });
  rig.clock.nowMs += 60_000;
  shop.deleteProduct(SEED_SKUS.lastOne);
  const id = first.id.split('/').at(-1);
  const [next, ...none] = await events(`${DESTROYED} AND id:>${id}`);
  expect([next.createdAt, none]).toEqual(['2026-11-23T12:01:00Z', []]);
  expect(await events(`${DESTROYED} AND created_at:>='2026-11-23T12:00:30Z'`)).toEqual([next]);
  rig.sandbox.set({ searchLagMs: 60_000 });
  expect(await events(DESTROYED)).toEqual([first]);
});

test('item 13: a shop may refuse it', async () => {
  rig.sandbox.set({ refusesEvents: true });
  const { data, errors } = await rig.graphql(EVENTS, { query: DESTROYED, first: 1 });
  expect(data).toEqual({ events: null });
  expect(errors[0].extensions.code).toBe('ACCESS_DENIED');
});
