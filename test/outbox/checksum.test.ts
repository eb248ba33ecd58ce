import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ShopLedger } from '../helpers/shop-ledger.js';

let shop: ShopLedger;
beforeEach(async () => {
  shop = await ShopLedger.open();
});
afterEach(async () => {
  await shop.expectTrueBooks();
  await shop.close();
});

/** The versions that a SKU's state has had so far. */
async function version(sku: string): Promise<number> {
  return (await shop.item(sku)).state_version;
}

describe('section 3: mirroring a hold leaves the checksum as it was', () => {
  test('also when many holds of one level are mirrored at once, each seen by the re-read of another', async () => {
    const before = await version('CAP');
    // The shop has some of them long before we learn of it.
    const late = { when: 'after', action: 'delay', ms: 200, times: 3 } as const;
    shop.server.faults.add({ operation: 'draftOrderCreate', ...late });
    for (let n = 0; n < 8; n += 1) await shop.granted('CAP', 1 + (n % 2));
    await shop.work();
    expect(shop.drafts()).toHaveLength(8);
    expect(await version('CAP')).toBe(before);
    expect(await shop.level('CAP')).toMatchObject({ held_units: 0, mirrored_units: 12, under_way_units: 0 });
  });

  test('and when they are all let go of at once', async () => {
    const before = await version('CAP');
    const all = [];
    for (let n = 0; n < 8; n += 1) all.push(await shop.granted('CAP', 1 + (n % 2)));
    await shop.work();
    for (const one of all) await shop.release(one);
    shop.server.faults.add({
      operation: 'draftOrderDelete',
      when: 'after',
      action: 'delay',
      ms: 200,
      times: 3,
    });
    await shop.work();
    expect(shop.drafts()).toEqual([]);
    expect(await version('CAP')).toBe(before);
    expect(await shop.level('CAP')).toMatchObject({ held_units: 0, mirrored_units: 0, under_way_units: 0 });
  });

  test('and when a heartbeat reads the level while the shop is being asked, and the answer is lost', async () => {
    const before = await version('CAP');
    const promised = await shop.atp('CAP');
    shop.server.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'drop' });
    await shop.granted('CAP', 2);
    await shop.work();
    await shop.beat();
    expect(await version('CAP')).toBe(before);
    expect(await shop.level('CAP')).toMatchObject({ held_units: 2, under_way_units: 2 });
    // The units count on both sides until it is certain: that promises less, never more.
    expect(await shop.atp('CAP')).toBe(promised - 4);
    await shop.workFor(120_000);
    expect(await version('CAP')).toBe(before);
    expect(await shop.level('CAP')).toMatchObject({ mirrored_units: 2, under_way_units: 0 });
    expect(await shop.atp('CAP')).toBe(promised - 2);
  });

  test('L5: a sale of another size at that moment is news all the same', async () => {
    const before = await version('CAP');
    shop.server.faults.add({ operation: 'draftOrderCreate', when: 'after', action: 'drop' });
    await shop.granted('CAP', 2);
    await shop.work();
    shop.server.shop.sell('CAP', 1);
    await shop.beat();
    expect(await version('CAP')).toBeGreaterThan(before);
    await shop.workFor(120_000);
  });

  test('L5: a sale of the same size at that moment is news as soon as the outcome is known', async () => {
    const before = await version('CAP');
    shop.server.faults.add({ operation: 'draftOrderCreate', when: 'before', action: 'drop' });
    await shop.granted('CAP', 2);
    await shop.work();
    shop.server.shop.sell('CAP', 2);
    await shop.beat();
    expect(await version('CAP')).toBe(before);
    expect(await shop.atp('CAP')).toBe(16 + 5);
    await shop.workFor(120_000);
    expect(await version('CAP')).toBeGreaterThan(before);
    expect(await shop.atp('CAP')).toBe(16 + 5);
  });
});
