/** An order that can't reach its shop is seen everywhere an operator looks, and the log tells its story in a few lines. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SANDBOX_ACCESS_TOKEN } from '../../src/sandbox/api-rules/access.js';
import { SandboxServer } from '../../src/sandbox/server.js';
import { runHoldfast, until } from '../helpers/cli.js';
import { product } from '../helpers/shop-ledger.js';
import type { Json } from './any-client.js';
import { Served } from './served.js';

let folder: string;
let sandbox: SandboxServer;
let server: Served;
let env: Record<string, string>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-stuck-'));
  sandbox = new SandboxServer({
    catalogue: {
      locations: [{ name: 'Warehouse', city: 'Hamburg', countryCode: 'DE' }],
      products: [product('CAP', { Warehouse: 10 })],
    },
  });
  const { origin } = await sandbox.start();
  env = {
    HOLDFAST_DB: join(folder, 'ledger.db'),
    HOLDFAST_HEARTBEAT_SECONDS: '1',
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_MIRROR: 'none',
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: SANDBOX_ACCESS_TOKEN,
    SHOPIFY_ORIGIN: origin,
  };
  server = new Served(folder, env);
  await server.start();
});

afterEach(async () => {
  await server.kill('SIGTERM');
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

const logged = (event: string): unknown[] => server.log.filter(({ msg }) => msg === event);
const cutOff = (share: number): void => sandbox.set({ faults: { cutBefore: share } });
const cli = (...words: string[]) => runHoldfast(words, { cwd: folder, env });

test('an accepted order that the shop does not take is told of with its age and reason, until it is placed', async () => {
  await until(() => logged('first_read_done').length > 0);
  expect(logged('first_read_done')).toMatchObject([{ items: 1, level: 30 }]);
  const reserved = await server.call('reserve_units', { lines: [{ sku: 'CAP', quantity: 2 }] });
  const { reservation_id, stock_hash } = reserved.structuredContent;
  cutOff(1);
  const submitted = await server.call('submit_order_with_hash', { reservation_id, stock_hash });
  const { order_id } = submitted.structuredContent;
  const failures = async (): Promise<number> =>
    (await server.metrics())['outbox_put_off_total{failure="unreachable"}'] ?? 0;
  await until(async () => (await failures()) >= 3);

  const ready: Json = await (await fetch(`${server.origin}/readyz`)).json();
  expect(ready.orders_waiting).toMatchObject({ orders: 1, failures: { unreachable: 1 } });
  expect(await server.metrics()).toMatchObject({ orders_waiting: 1 });
  expect((await server.metrics())['orders_waiting_oldest_age_seconds']).toBeGreaterThanOrEqual(1);
  expect((await cli('explain', order_id)).out).toMatch(
    new RegExp(
      `^Order ${order_id}: accepted \\(tried \\d+ times, last: unreachable\\)\\. 2×CAP for local\\.`,
    ),
  );
  expect(logged('reserved')).toMatchObject([{ reservation_id, principal: 'local', units: 2, level: 30 }]);
  expect(logged('order_accepted')).toMatchObject([{ order_id, reservation_id, hash_verdict: 'match' }]);
  expect(logged('order_placed')).toEqual([]);

  cutOff(0);
  await until(() => logged('order_placed').length > 0);
  expect(logged('order_placed')).toMatchObject([{ order_id, reservation_id }]);
  await until(() => logged('shop_answers_again').length > 0);
  // Heartbeats, calls and steps of the outbox have all met the outage: it is one line, without a stack.
  expect(logged('shop_unreachable')).toMatchObject([{ since: expect.stringMatching(/Z$/), level: 40 }]);
  const about = server.log.filter(({ level }) => level >= 40);
  expect(JSON.stringify(about)).not.toContain('node:internal');
  // A call whose answer was cut is news of another kind: nobody knows what became of it.
  expect(about.map(({ msg }) => msg).filter((msg) => msg !== 'shop_call_put_off')).toEqual([
    'shop_unreachable',
  ]);
  expect(await server.metrics()).toMatchObject({ orders_waiting: 0, orders_waiting_oldest_age_seconds: 0 });

  const story = (await cli('explain', '1001')).out;
  expect(story).toMatch(new RegExp(`^Order ${order_id}, #1001 at the shop: placed\\. 2×CAP for local\\.`));
  expect(story).toMatch(/Units were reserved\. They are held until [\s\S]*The shop has the order\./);
  // Sentences, no records.
  expect(story).not.toMatch(/[{}]|order\.placed/);
  const listed = (await cli('orders')).out.split('\n');
  expect(listed[0]).toMatch(/^submitted \(UTC\) +order +state +at the shop +for +lines$/);
  expect(listed[1]).toContain('#1001');
  const unquoted = await cli('explain');
  expect(unquoted).toMatchObject({ status: 2, err: expect.stringContaining("write 1009, or '#1009'") });
});
