import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bigCatalogue } from '../../../src/sandbox/base/big-catalogue.js';
import type { SandboxOptions } from '../../../src/sandbox/server.js';
import { type Json, type Rig, startRig } from '../sandbox-client.js';
import { passDelivering, subscribe, WebhookListener } from '../webhooks/webhook-listener.js';

const RUN = `mutation Run($query: String!, $groupObjects: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $groupObjects) {
    bulkOperation { id status objectCount rootObjectCount url createdAt completedAt type query }
    userErrors { field message code } } }`;
const READ = `query Read($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }`;
const CANCEL = `mutation Cancel($id: ID!) { bulkOperationCancel(id: $id) {
  bulkOperation { id status } userErrors { field message } } }`;
const ITEMS = '{ inventoryItems { edges { node { id sku } } } }';
const LEVELS = `{ inventoryItems { nodes { id sku inventoryLevels { edges { node {
  id location { id } quantities(names: ["available"]) { name quantity } } } } } } }`;
const DAY_MS = 24 * 60 * 60 * 1000;
const VARIANTS = 620;

let rig: Rig;

async function open(options: SandboxOptions = {}): Promise<void> {
  await rig?.sandbox.stop();
  rig = await startRig({ throttle: false, catalogue: bigCatalogue(VARIANTS, 2), ...options });
}

beforeEach(() => open());
afterEach(() => rig.sandbox.stop());

async function run(query: string, groupObjects = false): Promise<Json> {
  return (await rig.data(RUN, { query, groupObjects })).bulkOperationRunQuery;
}

async function started(query: string, groupObjects = false): Promise<string> {
  const { bulkOperation, userErrors } = await run(query, groupObjects);
  expect(userErrors).toEqual([]);
  return bulkOperation.id;
}

const read = async (id: string): Promise<Json> => (await rig.data(READ, { id })).bulkOperation;

async function finished(query: string, groupObjects = false): Promise<Json> {
  const id = await started(query, groupObjects);
  rig.clock.nowMs += 2_000;
  return read(id);
}

async function linesOf(url: string): Promise<Json[]> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a bulk query', () => {
  test('runs from CREATED over RUNNING to COMPLETED on the shop’s clock', async () => {
    const { bulkOperation } = await run(ITEMS);
    expect(bulkOperation).toMatchObject({
      status: 'CREATED',
      objectCount: '0',
      url: null,
      createdAt: '2026-11-23T12:00:00Z',
      completedAt: null,
      type: 'QUERY',
      query: ITEMS,
    });
    const { id } = bulkOperation;
    rig.clock.nowMs += 1_999;
    expect(await read(id)).toMatchObject({ status: 'RUNNING', url: null, fileSize: null });
    rig.clock.nowMs += 1;
    const done = await read(id);
    expect(done).toMatchObject({
      status: 'COMPLETED',
      errorCode: null,
      objectCount: String(VARIANTS),
      rootObjectCount: String(VARIANTS),
      completedAt: '2026-11-23T12:00:02Z',
      partialDataUrl: null,
    });
    const lines = await linesOf(done.url);
    expect(lines.map(({ sku }) => sku)).toEqual(
      Array.from({ length: VARIANTS }, (_, index) => `BIG-${String(index + 1).padStart(7, '0')}`),
    );
    expect((await (await fetch(done.url)).arrayBuffer()).byteLength).toBe(Number(done.fileSize));
  });

  test('gives children lines of their own, which name their parent', async () => {
    const { url, objectCount, rootObjectCount } = await finished(LEVELS);
    const lines = await linesOf(url);
    expect([objectCount, rootObjectCount]).toEqual([String(VARIANTS * 3), String(VARIANTS)]);
    const parents = lines.filter((line) => line.sku !== undefined);
    const children = lines.filter((line) => line.__parentId !== undefined);
    expect([parents.length, children.length]).toEqual([VARIANTS, VARIANTS * 2]);
    expect(parents.every((line) => !('inventoryLevels' in line))).toBe(true);
    const available = new Map<string, number>();
    for (const { __parentId, quantities } of children) {
      available.set(__parentId, (available.get(__parentId) ?? 0) + quantities[0].quantity);
    }
    for (const { id } of parents) {
      expect(available.get(id)).toBe(rig.sandbox.shop.inventory.availableOfItem(id));
    }
  });

  test('groups children behind their parents when asked to, and not otherwise', async () => {
    const isGrouped = (lines: Json[]) =>
      lines.every((line, index) => {
        if (!line.__parentId) return true;
        return lines[index - 1].id === line.__parentId || lines[index - 1].__parentId === line.__parentId;
      });
    expect(isGrouped(await linesOf((await finished(LEVELS, true)).url))).toBe(true);
    expect(isGrouped(await linesOf((await finished(LEVELS, false)).url))).toBe(false);
  });

  test.each([true, false])(
    'reads on where a parent has more children than a page (grouped: %s)',
    async (isGrouped) => {
      const query = '{ locations { edges { node { id name inventoryLevels { edges { node { id } } } } } } }';
      const { url, objectCount } = await finished(query, isGrouped);
      const lines = await linesOf(url);
      expect(objectCount).toBe(String(2 + 2 * VARIANTS));
      for (const { id } of rig.sandbox.shop.inventory.locations.values()) {
        const own = lines.filter(({ __parentId }) => __parentId === id);
        expect(new Set(own.map((line) => line.id)).size).toBe(VARIANTS);
      }
    },
  );

  test('finds connections behind objects and fragments, of several roots', async () => {
    const query = `query Everything { productVariants(query: "sku:'BIG-0000001'") { edges { node { ...V } } }
      locations { nodes { id name } } }
      fragment V on ProductVariant { id stock: inventoryItem { id levels: inventoryLevels { nodes { id } } } }`;
    const lines = await linesOf((await finished(query)).url);
    const { variantId, itemId } = (({ id, itemId: item }) => ({ variantId: id, itemId: item }))(
      rig.sandbox.shop.inventory.variantOfSku('BIG-0000001'),
    );
    expect(lines).toHaveLength(1 + 2 + 2);
    expect(lines[0]).toEqual({ id: variantId, stock: { id: itemId } });
    expect(lines.slice(1, 3).map(({ __parentId }) => __parentId)).toEqual([variantId, variantId]);
    expect(lines.slice(3).map(({ name }) => name)).toEqual(['Location 1', 'Location 2']);
  });

  test('that finds nothing has no file', async () => {
    expect(
      await finished(`{ inventoryItems(query: "sku:'NOTHING'") { edges { node { id } } } }`),
    ).toMatchObject({
      status: 'COMPLETED',
      objectCount: '0',
      url: null,
      fileSize: null,
    });
  });
});

describe('refusals', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'id' : `id variants { edges { node { id product { ${nested(depth - 1)} } } } }`;
  test.each([
    ['no connection', '{ shop { name } }', /^Bulk queries must contain at least one connection\.$/u],
    ['broken syntax', '{ products {', /^Invalid bulk query: Syntax Error/u],
    [
      'an unknown field',
      '{ products { edges { node { nonsense } } } }',
      /^Invalid bulk query: Cannot query field/u,
    ],
    [
      'six connections',
      `{ ${['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}: products { nodes { id } }`).join(' ')} }`,
      /more than 5 connections/u,
    ],
    ['three levels', `{ products { edges { node { ${nested(2)} } } } }`, /nesting depth greater than 2/u],
    ['node at its root', '{ node(id: "gid://shopify/Product/1") { id } }', /top-level `node` or `nodes`/u],
    [
      'a parent without id',
      '{ products { edges { node { title variants { nodes { id } } } } } }',
      /must select the 'id' field/u,
    ],
    [
      'a parent whose id has another name',
      '{ products { nodes { key: id variants { nodes { id } } } } }',
      /must select the 'id' field/u,
    ],
    ['a mutation', 'mutation { draftOrderDelete(input: { id: "x" }) { deletedId } }', /must be a query/u],
    ['variables', 'query($n: Int) { products(first: $n) { nodes { id } } }', /cannot use variables/u],
    [
      'two operations',
      'query A { products { nodes { id } } } query B { products { nodes { id } } }',
      /exactly one/u,
    ],
  ])('a query with %s', async (_name, query, message) => {
    const { bulkOperation, userErrors } = await run(query);
    expect(bulkOperation).toBeNull();
    expect(userErrors).toEqual([
      { field: ['query'], message: expect.stringMatching(message), code: 'INVALID' },
    ]);
  });

  test('a sixth operation while five are under way', async () => {
    for (let count = 0; count < 5; count += 1) await started(ITEMS);
    expect((await run(ITEMS)).userErrors).toEqual([
      {
        field: null,
        message: 'Bulk operations limit reached. Please try again later.',
        code: 'LIMIT_REACHED',
      },
    ]);
    rig.clock.nowMs += 2_000;
    await started(ITEMS);
  });

  test('a second one, in the words of the older versions, where one at a time is allowed', async () => {
    await open({ bulk: { concurrentMax: 1 } });
    const id = await started(ITEMS);
    expect((await run(ITEMS)).userErrors).toEqual([
      {
        field: null,
        message: `A bulk query operation for this app and shop is already in progress: ${id}.`,
        code: 'OPERATION_IN_PROGRESS',
      },
    ]);
  });

  test('without the scope the operation runs, and fails', async () => {
    await open({ scopes: ['read_products'] });
    expect(await finished('{ locations { edges { node { id } } } }')).toMatchObject({
      status: 'FAILED',
      errorCode: 'ACCESS_DENIED',
      url: null,
      partialDataUrl: null,
    });
  });
});

describe('looking after bulk operations', () => {
  test('lists the newest first, by status, and knows the current one', async () => {
    const first = await started(ITEMS);
    rig.clock.nowMs += 2_000;
    const second = await started(ITEMS);
    const ids = async (args: string): Promise<string[]> =>
      (await rig.data(`{ bulkOperations(first: 5 ${args}) { nodes { id } } }`)).bulkOperations.nodes.map(
        ({ id }: Json) => id,
      );
    expect(await ids('')).toEqual([second, first]);
    expect(await ids('reverse: true')).toEqual([first, second]);
    expect(await ids('query: "status:completed"')).toEqual([first]);
    const { currentBulkOperation, node } = await rig.data(
      `{ currentBulkOperation { id } node(id: "${first}") { ... on BulkOperation { status } } }`,
    );
    expect([currentBulkOperation.id, node.status]).toEqual([second, 'COMPLETED']);
    expect(await rig.data('{ currentBulkOperation(type: MUTATION) { id } }')).toEqual({
      currentBulkOperation: null,
    });
  });

  test('cancels what runs, and refuses to cancel what has ended', async () => {
    const id = await started(ITEMS);
    const cancel = async () => (await rig.data(CANCEL, { id })).bulkOperationCancel;
    expect(await cancel()).toEqual({ bulkOperation: { id, status: 'CANCELING' }, userErrors: [] });
    rig.clock.nowMs += 1_000;
    expect(await read(id)).toMatchObject({ status: 'CANCELED', url: null, completedAt: null });
    expect((await cancel()).userErrors).toEqual([
      { field: null, message: 'A bulk operation cannot be canceled when it is canceled' },
    ]);
    const unknown = await rig.data(CANCEL, { id: 'gid://shopify/BulkOperation/1' });
    expect(unknown.bulkOperationCancel.userErrors[0].message).toBe('Bulk operation does not exist');
  });

  test('a failure on demand leaves what was read so far', async () => {
    rig.sandbox.shop.bulkOperations.failNext('INTERNAL_SERVER_ERROR');
    const failed = await finished(ITEMS);
    expect(failed).toMatchObject({ status: 'FAILED', errorCode: 'INTERNAL_SERVER_ERROR', url: null });
    expect(await linesOf(failed.partialDataUrl)).toHaveLength(250);
    expect(await finished(ITEMS)).toMatchObject({ status: 'COMPLETED' });
  });

  test('the end is told of by webhook, when it comes and not when somebody asks', async () => {
    const listener = await WebhookListener.start();
    await subscribe(rig, ['BULK_OPERATIONS_FINISH'], listener.uri);
    const id = await started(ITEMS);
    rig.clock.nowMs += 60_000;
    await passDelivering(rig, 0);
    expect(listener.received.map(({ json }) => json)).toEqual([
      {
        admin_graphql_api_id: id,
        completed_at: '2026-11-23T13:00:02+01:00',
        created_at: '2026-11-23T13:00:00+01:00',
        error_code: null,
        status: 'completed',
        type: 'query',
      },
    ]);
    await listener.stop();
  });
});

describe('the storage host', () => {
  test('refuses a request with the shop’s token: a real one does not know it', async () => {
    const { url } = await finished(ITEMS);
    const response = await fetch(url, { headers: { 'X-Shopify-Access-Token': 'shpat_sandbox' } });
    expect(response.status).toBe(400);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect((await fetch(url.replace(/\d+\.jsonl/u, '1.jsonl'))).status).toBe(404);
  });

  test('forgets a result after seven days', async () => {
    const { id, url } = await finished(ITEMS);
    rig.clock.nowMs += 7 * DAY_MS - 1;
    expect((await fetch(url)).status).toBe(200);
    rig.clock.nowMs += 1;
    expect((await fetch(url)).status).toBe(403);
    expect(await read(id)).toMatchObject({ status: 'EXPIRED', url: null });
  });

  test('cuts a download half-way, and answers with a status, on demand', async () => {
    const { url, fileSize } = await finished(ITEMS);
    rig.sandbox.faults.add({ operation: 'bulkDownload', when: 'after', action: 'drop' });
    const cut = await fetch(url);
    expect(cut.headers.get('content-length')).toBe(fileSize);
    await expect(cut.arrayBuffer()).rejects.toThrow();
    rig.sandbox.faults.add({ operation: 'bulkDownload', when: 'before', action: 'status', code: 503 });
    expect((await fetch(url)).status).toBe(503);
    expect((await fetch(url)).status).toBe(200);
  });
});

describe('counting variants', () => {
  const count = async (args: string): Promise<Json> =>
    (await rig.data(`{ productVariantsCount${args} { count precision } }`)).productVariantsCount;

  test('is exact up to the limit, and says so', async () => {
    expect(await count('')).toEqual({ count: VARIANTS, precision: 'EXACT' });
    expect(await count(`(limit: ${VARIANTS})`)).toEqual({ count: VARIANTS, precision: 'EXACT' });
    expect(await count('(limit: 100)')).toEqual({ count: 100, precision: 'AT_LEAST' });
    expect(await count('(limit: null)')).toEqual({ count: VARIANTS, precision: 'EXACT' });
  });

  test('takes no query, as at Shopify', async () => {
    const answer = await rig.graphql(`{ productVariantsCount(query: "sku:'A'") { count } }`);
    expect(answer.errors[0].message).toBe(
      'the sandbox shop does not emulate a query on productVariantsCount',
    );
  });
});
