import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_LOCATIONS, SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import type { ShopEvent } from '../../../../src/sandbox/base/events.js';
import { createOrder, ORDER_CREATE } from '../../orders-client.js';
import { COMPLETE, DELETE, hold, type Json, post, type Rig, startRig } from '../../sandbox-client.js';

const { warehouse } = SEED_LOCATIONS;
const { scarce, lastOne, plentiful } = SEED_SKUS;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.sandbox.stop());

async function invoiceOf(id: string): Promise<{ url: string; sentAt: string | null; status: string }> {
  const { draftOrder } = await rig.data(
    'query($id: ID!) { draftOrder(id: $id) { invoiceUrl invoiceSentAt status } }',
    { id },
  );
  return { url: draftOrder.invoiceUrl, sentAt: draftOrder.invoiceSentAt, status: draftOrder.status };
}

describe('an invoice', () => {
  test('is a page with what it is for, and paying it makes a paid order with all that the draft knew', async () => {
    const events: ShopEvent[] = [];
    const draft = await hold(rig, scarce, 2, 600, {
      tags: ['holdfast', 'hf-1'],
      customAttributes: [{ key: 'reservation_id', value: 'r1' }],
      email: 'buyer@example.org',
    });
    const { url } = await invoiceOf(draft.id);
    expect(url.startsWith(`${rig.origin}/`)).toBe(true);
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    const text = await page.text();
    expect(text).toContain('<button');
    expect(text).toContain('2 × ');
    expect(stockOf(scarce)).toMatchObject({ available: 1, reserved: 2 });

    rig.sandbox.shop.events.listen((event) => events.push(event));
    const paid = await fetch(url, { method: 'POST' });
    expect(paid.status).toBe(200);
    expect(await paid.text()).toContain('#1001');
    expect(stockOf(scarce)).toMatchObject({ available: 1, reserved: 0, committed: 2 });
    expect(rig.sandbox.shop.orders.named('#1001')).toMatchObject({
      isPaid: true,
      tags: ['holdfast', 'hf-1'],
      customAttributes: [{ key: 'reservation_id', value: 'r1' }],
      email: 'buyer@example.org',
    });
    expect((await invoiceOf(draft.id)).status).toBe('COMPLETED');
    const names = events.map(({ kind, change }) => `${kind} ${change}`);
    expect(names.filter((name) => !/^(?:inventory_level|product) /u.test(name))).toEqual([
      'order created',
      'order paid',
      'draft_order updated',
    ]);
  });

  test('is paid once, and not after its draft is gone', async () => {
    const draft = await hold(rig, scarce, 1, 600);
    const { url } = await invoiceOf(draft.id);
    await fetch(url, { method: 'POST' });
    const again = await fetch(url, { method: 'POST' });
    expect(again.status).toBe(409);
    expect(await again.text()).toContain('#1001');
    expect((await fetch(url)).status).toBe(409);
    expect([...rig.sandbox.shop.orders.all()]).toHaveLength(1);

    const other = await hold(rig, scarce, 1, 600);
    const gone = (await invoiceOf(other.id)).url;
    await rig.data(DELETE, { input: { id: other.id } });
    expect((await fetch(gone)).status).toBe(404);
    expect((await fetch(gone, { method: 'POST' })).status).toBe(404);
    expect(() => rig.sandbox.shop.payInvoice(other.id)).toThrow('gone');
    expect(() => rig.sandbox.shop.payInvoice(draft.id)).toThrow('completed');
  });

  test('whose hold has lapsed is paid while the units are there, and refused when they are sold', async () => {
    const draft = await hold(rig, lastOne, 1, 60);
    rig.clock.nowMs += 61_000;
    rig.sandbox.shop.sell(lastOne, 1);
    const { url } = await invoiceOf(draft.id);
    expect((await fetch(url)).status).toBe(409);
    expect((await fetch(url, { method: 'POST' })).status).toBe(409);
    expect(stockOf(lastOne)).toMatchObject({ available: 0, committed: 1 });
    rig.sandbox.shop.receive(lastOne, warehouse, 1);
    expect((await fetch(url, { method: 'POST' })).status).toBe(200);
    expect(stockOf(lastOne)).toMatchObject({ available: 0, committed: 2 });
  });

  test('of another draft cannot be guessed, and only GET and POST are answered', async () => {
    const draft = await hold(rig, scarce, 1, 600);
    const { url } = await invoiceOf(draft.id);
    const guessed = `${url.slice(0, -1)}${url.endsWith('0') ? '1' : '0'}`;
    expect((await fetch(guessed, { method: 'POST' })).status).toBe(404);
    expect((await fetch(url, { method: 'PUT' })).status).toBe(405);
    expect([...rig.sandbox.shop.orders.all()]).toEqual([]);
  });

  test('shows what a merchant typed as text', async () => {
    const input = {
      lineItems: [{ title: '<script>alert(1)</script>', quantity: 1, originalUnitPrice: '5.00' }],
    };
    const { draftOrderCreate } = await rig.data(
      'mutation($input: DraftOrderInput!) { draftOrderCreate(input: $input) { draftOrder { id invoiceUrl } } }',
      { input },
    );
    const text = await (await fetch(draftOrderCreate.draftOrder.invoiceUrl)).text();
    expect(text).not.toContain('<script>');
    expect(text).toContain('&lt;script&gt;');
  });

  test('is marked as sent, when there is somebody to send it to', async () => {
    const SEND = `mutation($id: ID!, $email: EmailInput) { draftOrderInvoiceSend(id: $id, email: $email) {
      draftOrder { invoiceSentAt } userErrors { field message } } }`;
    const draft = await hold(rig, scarce, 1, 600);
    const nobody = await rig.data(SEND, { id: draft.id });
    expect(nobody.draftOrderInvoiceSend.userErrors).toHaveLength(1);
    const { draftOrderInvoiceSend } = await rig.data(SEND, { id: draft.id, email: { to: 'a@example.org' } });
    expect(draftOrderInvoiceSend).toEqual({
      draftOrder: { invoiceSentAt: '2026-11-23T12:00:00Z' },
      userErrors: [],
    });
    rig.sandbox.shop.payInvoice(draft.id);
    expect((await rig.data(SEND, { id: draft.id })).draftOrderInvoiceSend.userErrors).toHaveLength(1);
  });
});

describe('a development store', () => {
  const create = () => {
    const lineItems = [{ variantId: rig.sandbox.shop.inventory.variantOfSku(plentiful).id, quantity: 1 }];
    return post(rig.origin, JSON.stringify({ query: ORDER_CREATE, variables: { order: { lineItems } } }));
  };

  test('says that it is one, and others do not', async () => {
    const PLAN = '{ shop { plan { partnerDevelopment } } }';
    expect((await rig.data(PLAN)).shop.plan.partnerDevelopment).toBe(false);
    await rig.sandbox.stop();
    rig = await startRig({ plan: 'development' });
    expect((await rig.data(PLAN)).shop.plan.partnerDevelopment).toBe(true);
  });

  test('takes five orders a minute by API, by either way, and then answers 429 with nothing done', async () => {
    await rig.sandbox.stop();
    rig = await startRig({ plan: 'development' });
    const drafts: Json[] = [];
    for (let index = 0; index < 4; index += 1) drafts.push(await hold(rig, plentiful, 1, 600));
    for (const { id } of drafts.slice(0, 3)) await rig.data(COMPLETE, { id });
    // Completing again makes no order.
    await rig.data(COMPLETE, { id: drafts[0].id });
    rig.clock.nowMs += 20_000;
    await createOrder(rig, { [plentiful]: 1 });
    await createOrder(rig, { [plentiful]: 1 });
    const refused = await create();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('40.0');
    expect(await refused.json()).toEqual({
      errors: expect.stringContaining('Exceeded order API rate limit'),
    });
    const completing = await post(
      rig.origin,
      JSON.stringify({ query: COMPLETE, variables: { id: drafts[3].id } }),
    );
    expect(completing.status).toBe(429);
    expect([...rig.sandbox.shop.orders.all()]).toHaveLength(5);
    // What the buyers do themselves is not limited.
    rig.sandbox.shop.payInvoice(drafts[3].id);
    rig.clock.nowMs += 40_000;
    expect((await create()).status).toBe(200);
    expect([...rig.sandbox.shop.orders.all()]).toHaveLength(7);
  });

  test('is the only one with that limit', async () => {
    for (let index = 0; index < 7; index += 1) expect((await create()).status).toBe(200);
  });
});

function stockOf(sku: string) {
  return rig.sandbox.shop.readStock(sku, warehouse);
}
