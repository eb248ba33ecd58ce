/** Item 18: a SKU is found however its letters are spelled, in every tool, where that is unambiguous. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skuOfUri, stockUri } from '../../../src/mcp/kit/stock-uri.js';
import { TOOLS, type ToolContext } from '../../../src/mcp/server.js';
import { StockFeed } from '../../../src/mcp/subscriptions/change-feed.js';
import { AGENT_CALLER, MINUTE, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

let shop: TestLedger;
let context: ToolContext;

beforeEach(async () => {
  shop = await TestLedger.open();
  context = { ledger: shop.ledger, caller: AGENT_CALLER, reportBug: () => 'bug' };
  await stock(5);
});
afterEach(() => shop.close());

function stock(units: number) {
  const names = { sku: 'Linen-ÄRM-m', item_id: 'item-1', variant_id: '11' };
  return shop.seed({ ...names, levels: { [WAREHOUSE]: units } });
}

async function run(name: string, args: unknown): Promise<Record<string, never>> {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const { structuredContent } = await tool.run(context, args);
  return structuredContent as Record<string, never>;
}

const SPELLINGS = ['Linen-ÄRM-m', ' Linen-ÄRM-m\t', 'LINEN-ÄRM-M', 'linen-ärm-m '];

describe.each(SPELLINGS)('item 18: spelled %j', (sku) => {
  it('check_stock finds it, and answers with its own spelling', async () => {
    expect(await run('check_stock', { skus: [sku] })).toMatchObject({
      items: [{ sku: 'Linen-ÄRM-m', available_to_promise: 5 }],
      unknown_skus: [],
    });
  });

  it('reserve_units reserves it, and the order is for it', async () => {
    const reserved = await run('reserve_units', { lines: [{ sku, quantity: 2 }] });
    expect(reserved).toMatchObject({ lines: [{ sku: 'Linen-ÄRM-m', reserved: 2 }] });
    const { reservation_id, stock_hash } = reserved;
    expect(await run('submit_order_with_hash', { reservation_id, stock_hash })).toMatchObject({
      status: 'accepted',
    });
    expect(await run('get_order', { reservation_id })).toMatchObject({
      lines: [{ sku: 'Linen-ÄRM-m', quantity: 2 }],
    });
  });

  it('find_items finds it', async () => {
    expect(await run('find_items', { query: sku })).toMatchObject({ items: [{ sku: 'Linen-ÄRM-m' }] });
  });

  it('stock as a resource is read and followed', async () => {
    const named = skuOfUri(stockUri(sku)) ?? '';
    const feed = new StockFeed({
      store: shop.store,
      settings: shop.settings,
      limits: { changes_max: 50, looks_batch: 3, looks_max: 100, looks_at_old_max: 10, sweep_ms: MINUTE },
      breathe: async () => {},
    });
    await feed.watch([named, 'LINEN-ärm-m']);
    await stock(3);
    const changed: string[] = [];
    await feed.round((skus) => changed.push(...skus), new AbortController().signal);
    expect(changed.sort()).toEqual([named, 'LINEN-ärm-m'].sort());
    feed.unwatch(named);
    await stock(2);
    await feed.round((skus) => changed.push(...skus), new AbortController().signal);
    expect(changed.filter((one) => one === 'LINEN-ärm-m')).toHaveLength(2);
  });
});

describe('item 18: spellings', () => {
  it('two of one SKU are one item: lines are summed before they are compared', async () => {
    const lines = [
      { sku: 'linen-ärm-m', quantity: 3 },
      { sku: 'LINEN-ÄRM-M', quantity: 3 },
    ];
    expect(await run('reserve_units', { lines })).toMatchObject({
      error: { code: 'stock_insufficient' },
    });
    expect(await run('check_stock', { skus: ['linen-ärm-m', 'LINEN-ÄRM-M'] })).toMatchObject({
      items: [{ sku: 'Linen-ÄRM-m' }],
    });
    expect((await run('check_stock', { skus: ['linen-ärm-m', 'LINEN-ÄRM-M'] }))['items']).toHaveLength(1);
  });

  it('that differ in case alone are two SKUs: each by its own, and neither by a third', async () => {
    await shop.readWhole();
    await shop.seed({ sku: 'tee', item_id: 'item-2', variant_id: '22', levels: { [WAREHOUSE]: 1 } });
    await shop.seed({ sku: 'TEE', item_id: 'item-3', variant_id: '33', levels: { [WAREHOUSE]: 2 } });
    expect(await run('check_stock', { skus: ['tee', 'TEE', 'Tee'] })).toMatchObject({
      items: [
        { sku: 'tee', available_to_promise: 1 },
        { sku: 'TEE', available_to_promise: 2 },
      ],
      unknown_skus: ['Tee'],
    });
    expect(await run('reserve_units', { lines: [{ sku: 'Tee', quantity: 1 }] })).toMatchObject({
      error: { code: 'sku_unknown', details: { skus: ['Tee'] } },
    });
  });

  it('that only one item on sale has mean that one', async () => {
    await shop.seed({ sku: 'tee', item_id: 'item-2', variant_id: '22', lifecycle: 'discontinued' });
    await shop.seed({ sku: 'TEE', item_id: 'item-3', variant_id: '33', levels: { [WAREHOUSE]: 2 } });
    expect(await run('check_stock', { skus: ['Tee'] })).toMatchObject({ items: [{ sku: 'TEE' }] });
  });
});
