/**
 * What Shopify's documents leave open (facts that the sandbox had to assume). Each question tries it, takes it back, and
 * answers in a few words; a scope that is not granted answers itself.
 */

import { randomUUID } from 'node:crypto';
import { DRAFT_QUESTIONS } from './draft-questions.mjs';
import { complete, HOLD_LONG_S, hold, release } from './drafts.mjs';
import { changesBetween, goodsOf, TAG, watch } from './goods.mjs';
import { schemaDifferences } from './schema.mjs';
import { Refused, wait } from './shop.mjs';
import { listenForWebhooks, subscribe } from './webhooks.mjs';

const MOVE = `mutation Move($input: InventoryMoveQuantitiesInput!, $key: String!) {
  inventoryMoveQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id } userErrors { field message code } } }`;
const CREATE_ORDER = `mutation Order($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {
  orderCreate(order: $order, options: $options) { order { id name } userErrors { field message code } } }`;

export const QUESTIONS = [
  { id: '1', what: 'Which state do held units sit in?', ask: bucketOfHold },
  { id: '1b', what: 'How long after its time does a hold lapse?', ask: delayOfLapse },
  { id: '2', what: 'Completing a lapsed draft with nothing left (policy DENY)', ask: completeAfterLapse },
  { id: '3', what: 'Moving more than is available, without a comparison', ask: moveBeyondAvailable },
  { id: '4', what: 'Until a draft is found by its tag', ask: draftByTag },
  { id: '4b', what: 'Until an order is found by its tag', ask: orderByTag },
  { id: '4c', what: 'Until an order is found by source_identifier', ask: orderBySource },
  { id: '5', what: 'Does deleting a draft free its units at once?', ask: deleteFrees },
  { id: '5b', what: 'Does deleting a draft send inventory_levels/update?', ask: deleteTells },
  {
    id: '7',
    what: 'Is the schema the one that we know?',
    ask: ({ shop, signal }) => schemaDifferences(shop, signal),
  },
  ...DRAFT_QUESTIONS,
];

/** The question's answer, or why there is none. Rejects only when the person has left. */
export async function answerOf(question, stage) {
  try {
    return await question.ask(stage);
  } catch (error) {
    if (stage.signal.aborted) throw error;
    if (error instanceof Refused && error.codes.includes('ACCESS_DENIED'))
      return 'not asked: a scope is missing';
    return `no answer: ${error.message}`;
  }
}

async function bucketOfHold(stage) {
  const { shop, goods } = stage;
  const before = await goodsOf(shop, goods.itemId);
  const draft = await hold(stage, 1, HOLD_LONG_S);
  const held = await watch(shop, goods.itemId, {
    ...stage.pace,
    done: (now) => changesBetween(before, now).some(({ available }) => available === -1),
  });
  await release(stage, draft);
  if (held === null) return 'none: available did not fall';
  const [change] = changesBetween(before, held.goods);
  return Object.entries(change)
    .filter(([, by]) => typeof by === 'number')
    .map(([name, by]) => `${name} ${by > 0 ? '+' : ''}${by}`)
    .join(', ');
}

async function delayOfLapse(stage) {
  const { shop, goods, limits, signal } = stage;
  const before = await goodsOf(shop, goods.itemId);
  const until = Date.now() + limits.hold_s * 1_000;
  const draft = await hold(stage, 1, limits.hold_s);
  await wait(Math.max(0, until - Date.now()), signal);
  const back = await watch(shop, goods.itemId, {
    ...stage.pace,
    max_ms: limits.lapse_max_s * 1_000,
    done: (now) => changesBetween(before, now).every(({ available = 0 }) => available >= 0),
  });
  await release(stage, draft);
  return back === null ? `not within ${limits.lapse_max_s} s` : seconds(Date.now() - until);
}

/** The rest of the stock is held by drafts, one for each place, so nothing has to be written off to make it zero. */
async function completeAfterLapse(stage) {
  const { shop, goods, limits, signal } = stage;
  if (goods.policy !== 'DENY') return `not asked: the policy of ${goods.sku} is ${goods.policy}`;
  const before = await goodsOf(shop, goods.itemId);
  const draft = await hold(stage, 1, limits.hold_s);
  const took = (now) => changesBetween(before, now).some(({ available }) => available === -1);
  if ((await watch(shop, goods.itemId, { ...stage.pace, done: took })) === null)
    return 'no answer: the hold took nothing';
  await wait(limits.hold_s * 1_000, signal);
  const lapsed = await watch(shop, goods.itemId, {
    ...stage.pace,
    max_ms: limits.lapse_max_s * 1_000,
    done: (now) => unitsOf(now) === unitsOf(before),
  });
  if (lapsed === null) return `no answer: the hold did not lapse within ${limits.lapse_max_s} s`;
  const places = before.levels.map(({ available }) => available).filter((available) => available > 0);
  const rest = [];
  for (const units of places.sort((a, b) => b - a)) rest.push(await hold(stage, units, HOLD_LONG_S));
  const empty = await watch(shop, goods.itemId, { ...stage.pace, done: (now) => unitsOf(now) <= 0 });
  const story =
    empty === null ? 'no answer: the stock could not be held whole' : await completeNow(stage, draft);
  for (const other of [...rest, draft]) await release(stage, other);
  return story;
}

/** At all places. */
function unitsOf({ levels }) {
  return levels.reduce((sum, { available }) => sum + available, 0);
}

async function completeNow(stage, draft) {
  const { shop, goods, pace, signal } = stage;
  const { draftOrder, userErrors } = await complete(stage, draft);
  const said = userErrors.map(({ message }) => message).join('; ');
  if ((draftOrder?.order ?? null) === null) return `refused: ${said || 'no order, no error'}`;
  await wait(pace.every_ms, signal);
  return `an order is made, available becomes ${unitsOf(await goodsOf(shop, goods.itemId))}`;
}

async function moveBeyondAvailable({ shop, goods }) {
  const [level] = [...goods.levels].sort((a, b) => a.available - b.available);
  const before = (await goodsOf(shop, goods.itemId)).levels.find(
    ({ location_id }) => location_id === level.location_id,
  );
  const quantity = Math.max(0, before.available) + 1;
  const payload = (await shop.data(MOVE, move(goods, level, quantity, 'available', 'reserved')))
    .inventoryMoveQuantities;
  const [error] = payload.userErrors;
  if (error !== undefined) return `refused: ${error.code}`;
  try {
    const after = (await goodsOf(shop, goods.itemId)).levels.find(
      ({ location_id }) => location_id === level.location_id,
    );
    return `done: available becomes ${after.available} (of ${before.available})`;
  } finally {
    await shop.undisturbed().mutate(MOVE, move(goods, level, quantity, 'reserved', 'available'));
  }
}

function move(goods, level, quantity, from, to) {
  const side = (name) => ({
    locationId: level.location_id,
    name,
    changeFromQuantity: null,
    ...(name === 'available' ? {} : { ledgerDocumentUri: 'gid://holdfast/LiveTest/1' }),
  });
  const change = { inventoryItemId: goods.itemId, quantity, from: side(from), to: side(to) };
  const reason = from === 'available' ? 'reservation_created' : 'reservation_deleted';
  return {
    key: randomUUID(),
    input: { reason, referenceDocumentUri: 'gid://holdfast/LiveTest/1', changes: [change] },
  };
}

async function draftByTag(stage) {
  const tag = `live-${randomUUID().slice(0, 12)}`;
  const draft = await hold(stage, 1, HOLD_LONG_S, { tags: [tag] });
  const found = await search(stage, 'draftOrders', `tag:'${tag}'`);
  await release(stage, draft);
  return found;
}

async function orderByTag(stage) {
  const tag = `live-${randomUUID().slice(0, 12)}`;
  const draft = await hold(stage, 1, HOLD_LONG_S, { tags: [tag] });
  const { draftOrder, userErrors } = await complete(stage, draft);
  if ((draftOrder?.order ?? null) === null) throw new Refused(userErrors);
  return await search(stage, 'orders', `tag:'${tag}'`);
}

async function orderBySource(stage) {
  const { shop, goods, cleaning } = stage;
  const source = `live:${randomUUID()}`;
  const { order } = await shop.mutate(CREATE_ORDER, {
    order: {
      lineItems: [{ variantId: goods.variantId, quantity: 1 }],
      sourceIdentifier: source,
      tags: [TAG],
      test: true,
    },
    options: { inventoryBehaviour: 'DECREMENT_OBEYING_POLICY' },
  });
  cleaning.addOrder(order.id, order.name);
  return await search(stage, 'orders', `source_identifier:'${source}'`);
}

async function deleteFrees(stage) {
  const { shop, goods } = stage;
  const before = await goodsOf(shop, goods.itemId);
  const draft = await hold(stage, 1, HOLD_LONG_S);
  const held = await watch(shop, goods.itemId, {
    ...stage.pace,
    done: (now) => changesBetween(before, now).some(({ available }) => available === -1),
  });
  if (held === null) return 'no answer: the hold took nothing';
  const [{ location_id }] = changesBetween(before, held.goods);
  const at = (now) => now.levels.find((level) => level.location_id === location_id);
  // Times at the shop are told in whole seconds.
  await wait(2_000, stage.signal);
  await release(stage, draft);
  const back = await watch(shop, goods.itemId, {
    ...stage.pace,
    done: (now) => at(now).available === at(before).available,
  });
  if (back === null) return `not within ${seconds(stage.pace.max_ms)}`;
  const isTold = at(back.goods).updated_at !== at(held.goods).updated_at;
  return `yes, in ${seconds(back.took_ms)}; the level’s updatedAt ${isTold ? 'moves' : 'stays'}`;
}

async function deleteTells(stage) {
  const { shop, goods, cleaning, limits, pace, signal } = stage;
  if (stage.webhooks === null) return 'not asked: HOLDFAST_PUBLIC_URL is not set';
  const listening = await listenForWebhooks(stage.webhooks);
  try {
    await subscribe(shop, cleaning, listening.url);
    const draft = await hold(stage, 1, HOLD_LONG_S);
    await wait(SETTLE_MS, signal);
    const before = listening.bodies.length;
    await release(stage, draft);
    const began = Date.now();
    // The number is looked for in the text: ids of the shop are no numbers for JavaScript.
    const tail = goods.itemId.replace(/^.*\//, '');
    while (!listening.bodies.slice(before).some((body) => body.includes(tail))) {
      if (Date.now() - began > limits.search_max_s * 1_000) return `not within ${limits.search_max_s} s`;
      await wait(pace.every_ms, signal);
    }
    return `yes, in ${seconds(Date.now() - began)}`;
  } finally {
    await listening.close();
  }
}

/** The webhook of the hold itself comes first: Shopify waits a few seconds to merge changes. */
const SETTLE_MS = 3_000;

async function search({ shop, pace, limits, signal }, list, query) {
  const began = Date.now();
  while (Date.now() - began < limits.search_max_s * 1_000) {
    const found = (
      await shop.data(`query Search($query: String!) { ${list}(first: 2, query: $query) { nodes { id } } }`, {
        query,
      })
    )[list];
    if (found.nodes.length > 0) return seconds(Date.now() - began);
    await wait(pace.every_ms, signal);
  }
  return `not within ${limits.search_max_s} s`;
}

export function seconds(ms) {
  return ms < 950 ? 'under 1 s' : `${Math.round(ms / 1_000)} s`;
}
