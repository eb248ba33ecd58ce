import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ItemObservation } from '../../../../src/ledger/model/values/observation.js';
import { BULK_DOWNLOAD } from '../../../../src/sandbox/base/faults.js';
import { BULK_LINE_BYTES_MAX } from '../../../../src/sources/shopify/client/limits.js';
import { resultLines } from '../../../../src/sources/shopify/stock/bulk-result.js';
import type { CataloguePage, StockSource } from '../../../../src/sources/source.js';
import { type Answerer, forever, json, type Opened, open, type RawShop, rawShop } from '../raw-shop.js';
import { type OpenSandbox, openSandbox } from '../sandbox-shop.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((close) => close()));
});

const BULK = { bulk_from_items: 3 };

async function sandbox(options: Parameters<typeof openSandbox>[0] = {}): Promise<OpenSandbox> {
  const opened = await openSandbox({ tuning: BULK, bulk: { durationMs: 0 }, ...options });
  cleanups.push(opened.close);
  return opened;
}

async function pagesOf(source: StockSource, signal = forever): Promise<CataloguePage[]> {
  const pages: CataloguePage[] = [];
  for await (const page of source.catalogue(signal)) pages.push(page);
  return pages;
}

const itemsOf = (pages: readonly CataloguePage[]): ItemObservation[] =>
  pages.flatMap((page) => page.items).sort((a, b) => a.item_id.localeCompare(b.item_id));
const kinds = (pages: readonly CataloguePage[]) => [...new Set(pages.map(({ as_of }) => as_of))];

describe('a large catalogue', () => {
  it('by a bulk operation has the same items and levels as by pages', async () => {
    const shop = await sandbox({ tuning: { ...BULK, bulk_items_per_page: 4 } });
    const bulk = await pagesOf(shop.upstream.source);
    const walked = await pagesOf(open({ origin: shop.origin }).source);
    expect([kinds(bulk), kinds(walked)]).toEqual([['walk'], ['page']]);
    expect(itemsOf(bulk)).toEqual(itemsOf(walked));
    const total = itemsOf(bulk).length;
    expect(new Set(bulk.map(({ total_items }) => total_items))).toEqual(new Set([total]));
    expect(bulk.map(({ items }) => items.length)).toEqual([
      ...Array(Math.floor(total / 4)).fill(4),
      ...(total % 4 === 0 ? [] : [total % 4]),
    ]);
    expect(shop.shop.bulkOperations.current()?.status).toBe('COMPLETED');
  });

  it('waits for the operation with growing pauses', async () => {
    const shop = await sandbox({ bulk: { durationMs: 20_000 } });
    const upstream = open({ origin: shop.origin, tuning: BULK, sleep: async (ms) => shop.pass(ms) });
    const waits: number[] = [];
    const slow = open({
      origin: shop.origin,
      tuning: BULK,
      sleep: async (ms) => {
        waits.push(ms);
        shop.pass(ms);
      },
    });
    expect(kinds(await pagesOf(slow.source))).toEqual(['walk']);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 10_000]);
    expect(slow.lines.join()).toContain('the shop prepares a full read');
    expect(kinds(await pagesOf(upstream.source))).toEqual(['walk']);
  });

  it('a small one is read in pages, and no operation is started', async () => {
    const shop = await sandbox({ tuning: { bulk_from_items: 1_000 } });
    expect(kinds(await pagesOf(shop.upstream.source))).toEqual(['page']);
    expect(shop.shop.bulkOperations.current()).toBeNull();
  });

  it.each([['ACCESS_DENIED', 'INTERNAL_SERVER_ERROR', 'TIMEOUT'] as const].flat())(
    'an operation that fails with %s is no catalogue: pages are read, and the log says why',
    async (code) => {
      const shop = await sandbox();
      shop.shop.bulkOperations.failNext(code);
      const pages = await pagesOf(shop.upstream.source);
      expect(kinds(pages)).toEqual(['page']);
      expect(itemsOf(pages)).toEqual(itemsOf(await pagesOf(open({ origin: shop.origin }).source)));
      expect(shop.upstream.lines.join()).toContain(code);
    },
  );

  it('too many operations at once: pages are read', async () => {
    const shop = await sandbox({ bulk: { durationMs: 60_000, concurrentMax: 0 } });
    expect(kinds(await pagesOf(shop.upstream.source))).toEqual(['page']);
    expect(shop.upstream.lines.join()).toContain('LIMIT_REACHED');
  });

  it('a result that is cut half-way is thrown away, and the catalogue read in pages from its beginning', async () => {
    const shop = await sandbox();
    shop.faults.add({ operation: BULK_DOWNLOAD, when: 'after', action: 'drop' });
    const pages = await pagesOf(shop.upstream.source);
    const walked = pages.filter(({ as_of }) => as_of === 'page');
    expect(itemsOf(walked)).toEqual(itemsOf(await pagesOf(open({ origin: shop.origin }).source)));
  });

  it('one that takes too long is cancelled at the shop, and pages are read', async () => {
    const shop = await sandbox({
      bulk: { durationMs: 3_600_000 },
      tuning: { ...BULK, bulk_wait_ms: 30_000 },
    });
    expect(kinds(await pagesOf(shop.upstream.source))).toEqual(['page']);
    expect(shop.shop.bulkOperations.current()?.status).toBe('CANCELING');
  });

  it('a caller that gives up while it waits has it cancelled at the shop, and reads nothing else', async () => {
    const shop = await sandbox({ bulk: { durationMs: 3_600_000 } });
    const caller = new AbortController();
    const sleep = async () => caller.abort();
    const { source } = open({ origin: shop.origin, tuning: BULK, sleep });
    await expect(pagesOf(source, caller.signal)).rejects.toMatchObject({ failure: 'unreachable' });
    expect(shop.shop.bulkOperations.current()?.status).toBe('CANCELING');
  });
});

/** The item of the page walk, and that of the bulk result. */
const PAGED = 'gid://shopify/InventoryItem/1';
const BULKED = 'gid://shopify/InventoryItem/9007199254740993';
const VARIANT = {
  title: 'One',
  requiresComponents: false,
  product: {
    id: 'gid://shopify/Product/3',
    title: 'T',
    status: 'ACTIVE',
    requiresSellingPlan: false,
    isGiftCard: false,
    combinedListingRole: null,
  },
};
const ITEM = { id: BULKED, sku: 'S', tracked: true };
const VARIANT_LINE = { id: 'gid://shopify/ProductVariant/2', ...VARIANT, __parentId: BULKED };
const LEVEL_LINE = {
  id: 'gid://shopify/InventoryLevel/4?inventory_item_id=9007199254740993',
  isActive: true,
  updatedAt: '2026-11-23T12:00:00Z',
  location: { id: 'gid://shopify/Location/5' },
  quantities: [{ name: 'available', quantity: 6 }],
  __parentId: BULKED,
};
const GOOD = [ITEM, VARIANT_LINE, LEVEL_LINE];
const PAGE_INFO = { hasNextPage: false, endCursor: null };
const DONE = {
  id: 'gid://shopify/BulkOperation/7',
  status: 'COMPLETED',
  errorCode: null,
  rootObjectCount: '1',
  objectCount: '3',
  fileSize: '1',
};

interface Script {
  readonly state?: object | null;
  /** Null: no result. Default: the shop's own origin. */
  readonly url?: (origin: string) => string | null;
  readonly result?: (response: ServerResponse) => void;
  readonly start?: Answerer;
}

function send(lines: readonly unknown[]): (response: ServerResponse) => void {
  return (response) => {
    response.end(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  };
}

/** A shop whose bulk result a test writes itself. */
async function scripted(script: Script = {}): Promise<RawShop & { open: () => Opened }> {
  const { state = DONE, url = (origin) => `${origin}/result`, result = send(GOOD) } = script;
  const started = {
    bulkOperationRunQuery: { bulkOperation: { id: DONE.id, status: 'CREATED' }, userErrors: [] },
  };
  const shop: RawShop = await rawShop((request, response, count) => {
    const query = request.body.query ?? '';
    if (request.path === '/result') return result(response);
    if (query.includes('VariantsCount'))
      return json(response, { data: { productVariantsCount: { count: 9, precision: 'EXACT' } } });
    if (query.includes('StartBulk'))
      return script.start ? script.start(request, response, count) : json(response, { data: started });
    if (query.includes('BulkState')) {
      const bulkOperation = state === null ? null : { url: url(shop.origin), ...state };
      return json(response, { data: { bulkOperation } });
    }
    if (query.includes('CancelBulk'))
      return json(response, { data: { bulkOperationCancel: { bulkOperation: DONE, userErrors: [] } } });
    const nodes = [
      {
        id: PAGED,
        sku: 'P',
        tracked: true,
        variants: { nodes: [{ id: 'gid://shopify/ProductVariant/2', ...VARIANT }], pageInfo: PAGE_INFO },
        inventoryLevels: { nodes: [], pageInfo: PAGE_INFO },
      },
    ];
    json(response, { data: { inventoryItems: { nodes, pageInfo: PAGE_INFO } } });
  });
  cleanups.push(shop.close);
  return { ...shop, open: () => open({ origin: shop.origin, tuning: BULK }) };
}

const sent = (shop: RawShop, name: string) =>
  shop.requests.filter(({ body }) => body.query?.includes(name)).length;

describe('what comes of a bulk operation', () => {
  it('is fetched without the token, and 64-bit ids stay what they are', async () => {
    const shop = await scripted();
    const pages = await pagesOf(shop.open().source);
    expect(pages).toEqual([
      {
        as_of: 'walk',
        total_items: 1,
        variants: 1,
        items: [
          expect.objectContaining({
            item_id: '9007199254740993',
            variant_id: '2',
            levels: [expect.objectContaining({ location_id: '5', available_units: 6 })],
          }),
        ],
      },
    ]);
    const [fetched] = shop.requests.filter(({ path }) => path === '/result');
    expect(Object.entries(fetched?.headers ?? {}).join()).not.toContain('shpat_sandbox');
    expect(Object.keys(fetched?.headers ?? {})).not.toContain('x-shopify-access-token');
    expect(sent(shop, 'CancelBulk')).toBe(0);
  });

  it('nothing at all, when the shop counts nothing', async () => {
    const shop = await scripted({
      state: { ...DONE, rootObjectCount: '0', objectCount: '0' },
      url: () => null,
    });
    expect(await pagesOf(shop.open().source)).toEqual([]);
  });

  it('a result on another machine, without https, is not fetched', async () => {
    const elsewhere = await rawShop((_, response) => send(GOOD)(response));
    cleanups.push(elsewhere.close);
    const shop = await scripted({ url: () => `${elsewhere.origin}/result` });
    expect(kinds(await pagesOf(shop.open().source))).toEqual(['page']);
    expect(elsewhere.requests).toEqual([]);
  });

  it('a redirect is not followed', async () => {
    const elsewhere = await rawShop((_, response) => send(GOOD)(response));
    cleanups.push(elsewhere.close);
    const shop = await scripted({
      result: (response) => response.writeHead(302, { location: `${elsewhere.origin}/result` }).end(),
    });
    expect(kinds(await pagesOf(shop.open().source))).toEqual(['page']);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each<[string, Script]>([
    ['no operation', { state: null }],
    ['no result for what was counted', { url: () => null }],
    ['a count that is no number', { state: { ...DONE, rootObjectCount: 'many' } }],
    ['item 21: fewer levels of its last item than were counted', { result: send([ITEM, VARIANT_LINE]) }],
    ['fewer items than were counted', { state: { ...DONE, rootObjectCount: '2' } }],
    ['more items than were counted', { result: send([...GOOD, { ...ITEM, id: PAGED }]) }],
    ['levels before their item', { result: send([LEVEL_LINE, ITEM]) }],
    [
      'levels after the next item',
      { result: send([ITEM, { ...ITEM, id: PAGED }, LEVEL_LINE]), state: { ...DONE, rootObjectCount: '2' } },
    ],
    ['an item of another form', { result: send([{ ...ITEM, tracked: 'yes' }]) }],
    ['a level without figures', { result: send([ITEM, { ...LEVEL_LINE, quantities: null }]) }],
    ['a variant without a product', { result: send([ITEM, { ...VARIANT_LINE, product: null }]) }],
    ['a part of another type', { result: send([ITEM, { ...LEVEL_LINE, id: 'gid://shopify/Metafield/1' }]) }],
    ['a line that is no JSON', { result: send([ITEM, '{"id":']) }],
    ['a line that is no object', { result: send(['[]']) }],
    ['a line without end', { result: send(['x'.repeat(BULK_LINE_BYTES_MAX * 2)]) }],
    ['HTTP 404', { result: (response) => response.writeHead(404).end() }],
    ['a dropped connection', { result: (response) => void response.destroy() }],
    ['an address of no form', { url: () => 'result' }],
    ['an address with a password', { url: (origin) => `${origin.replace('//', '//user:x@')}/result` }],
    ['a start that is never answered', { start: (_, response) => void response.destroy() }],
    [
      'a start without an operation',
      {
        start: (_, r) =>
          json(r, { data: { bulkOperationRunQuery: { bulkOperation: null, userErrors: [] } } }),
      },
    ],
  ])('%s: the catalogue is read in pages, whole, and the log says why', async (_, script) => {
    const shop = await scripted(script);
    const upstream = shop.open();
    const pages = await pagesOf(upstream.source);
    expect(pages.at(-1)).toMatchObject({ as_of: 'page', items: [{ item_id: '1' }] });
    expect(upstream.lines.filter((line) => line.includes('no full read in bulk')).length).toBe(1);
    expect(sent(shop, 'StartBulk')).toBe(1);
  });

  it.each(['CANCELED', 'EXPIRED', 'FAILED', 'CANCELING'])(
    'an operation that is %s is over: it is not cancelled',
    async (status) => {
      const shop = await scripted({ state: { ...DONE, status } });
      expect(kinds(await pagesOf(shop.open().source))).toEqual(['page']);
      expect(sent(shop, 'CancelBulk')).toBe(0);
    },
  );

  it('one whose state cannot be read is cancelled', async () => {
    const shop = await scripted({ state: { ...DONE, rootObjectCount: {}, status: 'RUNNING' } });
    expect(kinds(await pagesOf(shop.open().source))).toEqual(['page']);
    expect(sent(shop, 'CancelBulk')).toBe(1);
  });

  it('a caller that stops reading half-way leaves no connection behind', async () => {
    const closed: Promise<void>[] = [];
    const many = Array.from({ length: 400 }, (_, i) => ({
      ...ITEM,
      id: `gid://shopify/InventoryItem/${i + 1}`,
    }));
    const shop = await scripted({
      state: { ...DONE, rootObjectCount: '400' },
      result: (response) => {
        closed.push(new Promise((resolve) => response.on('close', () => resolve())));
        response.write(many.map((line) => `${JSON.stringify(line)}\n`).join(''));
      },
    });
    for await (const _ of shop.open().source.catalogue(forever)) break;
    await Promise.all(closed);
    expect(closed.length).toBe(1);
  });

  it('a caller that gives up while the result comes is told, and no page is read', async () => {
    const caller = new AbortController();
    const shop = await scripted({
      result: (response) => {
        response.write(`${JSON.stringify(ITEM)}\n`);
        setTimeout(() => caller.abort(), 20);
      },
    });
    await expect(pagesOf(shop.open().source, caller.signal)).rejects.toMatchObject({
      failure: 'unreachable',
    });
    expect(sent(shop, 'query Items(')).toBe(0);
  });
});

describe('lines of a result', () => {
  it('are whole, however the bytes come, and empty ones are none', async () => {
    const text = '{"a":"ü€😀"}\n\n{"b":2}\r\n{"c":3}';
    const shop = await rawShop(async (_, response) => {
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.from([byte]));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    cleanups.push(shop.close);
    const lines: unknown[] = [];
    for await (const line of resultLines(shop.origin, { origin: new URL(shop.origin), signal: forever })) {
      lines.push(JSON.parse(line));
    }
    expect(lines).toEqual([{ a: 'ü€😀' }, { b: 2 }, { c: 3 }]);
  });

  it.each([
    'http://example.com/x',
    'file:///x',
    'ftp://127.0.0.1/x',
    'data:,x',
    'https://127.0.0.1/x',
    'https://127.1:4010/x',
    'https://0x7f000001/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://localhost/x',
    'https://LOCALHOST./x',
    'https://shop.localhost/x',
  ])('%s is no place to read from', async (url) => {
    for (const origin of [null, new URL('http://127.0.0.1:4010')]) {
      const lines = resultLines(url, { origin, signal: forever });
      await expect(lines.next()).rejects.toMatchObject({ failure: 'protocol' });
    }
  });
});
