/** Item 18: of the items that the shop gives one SKU, agents mean the one that is sold. */

import { afterEach, describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/sandbox/base/catalogue.js';
import { SECOND } from '../helpers/ledger.js';
import { product, ShopLedger, SMALL_CATALOGUE, tailOf, WAREHOUSE } from '../helpers/shop-ledger.js';

let t: ShopLedger;
afterEach(() => t.close());

const open = async (more: Catalogue['products'] = []) => {
  const products = [...SMALL_CATALOGUE.products, ...more];
  t = await ShopLedger.open({ sandbox: { catalogue: { ...SMALL_CATALOGUE, products } } });
};
const heartbeat = async () => {
  t.time.pass(15 * SECOND);
  await t.beat();
};
const itemOf = async (sku: string) => (await t.item(sku)).item_id;
const at = (units: number) => ({ [WAREHOUSE]: units });
/** No full read but the first: heartbeats alone have brought it. */
const expectNoFullRead = async () => expect(await t.store.reconciliations(10)).toHaveLength(1);
const add = (sku: string, units: number, status: 'ACTIVE' | 'DRAFT' = 'ACTIVE') => {
  const { shop } = t.server;
  const made = shop.addProduct({ ...product(sku, at(units), `New ${sku}`), status });
  const [variantId = ''] = made.variantIds;
  const variant = shop.inventory.variants.get(variantId);
  if (variant === undefined) throw new Error('a product without a variant');
  return { item_id: tailOf(variant.itemId), name: `${sku}~${tailOf(variantId)}` };
};
/** The shop names items by SKU; of two alike, another name first. */
const renameItem = (itemId: string, sku: string) => {
  const { shop } = t.server;
  const item = [...shop.inventory.items.values()].find(({ id }) => tailOf(id) === itemId);
  if (item === undefined) throw new Error('no such item');
  shop.productChanges.updateItem(item, { sku }, shop.settle());
};

describe('item 18: who is known by a SKU', () => {
  test('a relaunch takes it from the old listing in draft, and so within one heartbeat', async () => {
    await open();
    const old = await itemOf('CAP');
    t.server.shop.setProductStatus('CAP', 'DRAFT');
    await heartbeat();
    const relaunch = add('CAP', 7);
    await heartbeat();
    expect(await itemOf('CAP')).toBe(relaunch.item_id);
    expect(await t.atp('CAP')).toBe(7);
    expect((await t.check('CAP')).items[0]).toMatchObject({ status: 'active' });
    const named = await t.store.read({ item_ids: [old] }, (state) => state.items_by_id.get(old));
    expect(named).toMatchObject({ sku: `CAP~${named?.variant_id}`, given_sku: 'CAP', lifecycle: 'unlisted' });
    await expectNoFullRead();
    await t.expectTrueBooks();
  });

  test('the active one has it, whichever came first', async () => {
    await open();
    const draft = add('CAP', 7, 'DRAFT');
    await heartbeat();
    expect(await t.atp('CAP')).toBe(25);
    expect((await t.check(draft.name)).items[0]).toMatchObject({ status: 'unlisted' });
    await t.expectTrueBooks();
  });

  test('of two active ones the newest has it, and the other is sold under a name of its own', async () => {
    await open();
    const old = await t.item('CAP');
    const copy = add('CAP', 7);
    await heartbeat();
    expect(await itemOf('CAP')).toBe(copy.item_id);
    expect(await t.atp('CAP')).toBe(7);
    expect(await t.atp(`CAP~${old.variant_id}`)).toBe(25);
    await t.expectTrueBooks();
  });

  test('a full read finds them as they are, in whichever order it comes to them', async () => {
    await open([
      { ...product('MUG', at(3)), status: 'DRAFT' },
      product('MUG', at(4), 'Copy'),
      { ...product('MUG', at(5), 'Old copy'), status: 'ARCHIVED' },
    ]);
    expect(await t.atp('MUG')).toBe(4);
    expect(await t.store.searchItems('MUG', 5)).toHaveLength(1);
  });

  test('an original that is archived leaves it to its copy, one that is deleted too', async () => {
    await open([product('MUG', at(3)), { ...product('MUG', at(4), 'Copy'), status: 'DRAFT' }]);
    expect(await t.atp('MUG')).toBe(3);
    const original = await itemOf('MUG');
    // The sandbox's verbs mean the first of the SKU: the original.
    t.server.shop.setProductStatus('MUG', 'ARCHIVED');
    await heartbeat();
    expect((await t.check('MUG')).items[0]).toMatchObject({ status: 'unlisted' });
    expect(await itemOf('MUG')).not.toBe(original);
    t.server.shop.deleteProduct('MUG');
    await t.sync.rereadItems([original], new AbortController().signal);
    t.server.shop.setProductStatus('MUG', 'ACTIVE');
    await heartbeat();
    expect(await t.atp('MUG')).toBe(4);
    await t.expectTrueBooks();
  });

  test('two items that swap their SKUs are each known by the new one after the next heartbeat', async () => {
    await open();
    const [cap, scarf] = [await itemOf('CAP'), await itemOf('SCARF')];
    renameItem(cap, 'SWAP');
    renameItem(scarf, 'CAP');
    renameItem(cap, 'SCARF');
    await heartbeat();
    expect([await itemOf('CAP'), await itemOf('SCARF')]).toEqual([scarf, cap]);
    expect([await t.atp('CAP'), await t.atp('SCARF')]).toEqual([3, 25]);
    await expectNoFullRead();
    await t.expectTrueBooks();
  });

  test('a doubled SKU that is renamed is free for the other one at once', async () => {
    await open();
    const old = await itemOf('CAP');
    const copy = add('CAP', 7);
    await heartbeat();
    renameItem(copy.item_id, 'CAP-NEW');
    await heartbeat();
    expect(await itemOf('CAP')).toBe(old);
    expect(await itemOf('CAP-NEW')).toBe(copy.item_id);
    await expectNoFullRead();
    await t.expectTrueBooks();
  });

  test('a live reservation follows its item: what was reserved is what is ordered', async () => {
    await open();
    const [cap, scarf] = [await itemOf('CAP'), await itemOf('SCARF')];
    const reservation = await t.mirrored('SCARF', 2);
    renameItem(cap, 'SWAP');
    renameItem(scarf, 'CAP');
    renameItem(cap, 'SCARF');
    await heartbeat();
    expect((await t.owned(reservation)).holds).toMatchObject([{ quantity_units: 2 }]);
    expect([await t.atp('CAP'), await t.atp('SCARF')]).toEqual([1, 25]);
    await t.submit(reservation);
    await t.workFor(2 * SECOND);
    expect(await t.order(reservation)).toMatchObject({ state: 'placed' });
    expect(
      t
        .orders()
        .flatMap(({ lines }) => lines.map(({ itemId, quantity }) => [tailOf(itemId ?? ''), quantity])),
    ).toEqual([[scarf, 2]]);
    await t.expectTrueBooks();
  });

  test('blanks around a SKU are no part of it', async () => {
    await open([product(' PADDED ', at(5))]);
    expect(await t.atp('PADDED')).toBe(5);
    await t.expectTrueBooks();
  });
});
