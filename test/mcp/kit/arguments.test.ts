/** Arguments as real clients send them: what is taken, what is ignored and told, and what is left to be refused. */

import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TOOLS, type ToolContext } from '../../../src/mcp/server.js';
import { AGENT_CALLER, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

let t: TestLedger;
let context: ToolContext;
beforeEach(async () => {
  t = await TestLedger.open();
  await t.readWhole();
  await t.seed({ sku: 'MUG', levels: { [WAREHOUSE]: 10 } });
  context = { ledger: t.ledger, caller: AGENT_CALLER, reportBug: (error) => `bug: ${error}` };
});
afterEach(() => t.close());

async function call(name: string, args: unknown) {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const { isError = false, structuredContent, content } = await tool.run(context, args);
  const texts = content.map((block) => (block.type === 'text' ? block.text : block.type));
  // The first text is the whole answer, as JSON, whatever comes behind it.
  expect(JSON.parse(texts[0] ?? '')).toEqual(structuredContent);
  return { isError, answer: structuredContent as Record<string, never>, note: texts.slice(1) };
}

const codeOf = ({ answer }: { answer: Record<string, { code?: string }> }) => answer['error']?.code;

describe('fields that no tool has', () => {
  test('are ignored and named in the text, as n8n sends them', async () => {
    const sent = {
      skus: ['MUG'],
      toolCallId: 'call_1',
      sessionId: 's',
      action: 'sendMessage',
      chatInput: {},
    };
    const { isError, answer, note } = await call('check_stock', sent);
    expect(isError).toBe(false);
    expect(answer).toMatchObject({ items: [{ sku: 'MUG', available_to_promise: 10 }] });
    expect(note).toEqual([
      'Ignored, because this tool has no such argument: toolCallId, sessionId, action, chatInput.',
    ]);
  });

  test('are named on a refusal, too', async () => {
    const { answer, note } = await call('check_stock', { sku: 'MUG' });
    expect(codeOf({ answer })).toBe('arguments_invalid');
    expect(note).toEqual(['Ignored, because this tool has no such argument: sku.']);
  });

  test('are told shortened, of many only the first, and never as anything but a name', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field-${n}`, n]));
    const long = { skus: ['MUG'], [`<b>\n${'x'.repeat(100_000)}`]: 1, ...many };
    const [told] = (await call('check_stock', long)).note;
    expect(told).toMatch(/argument: \?b\?\?x{36}, field-0, field-1, field-2, field-3\.$/);
  });

  test('are not even looked at one by one where there are more than any client sends, inside a line neither', async () => {
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`field-${n}`, n]));
    const looked = (keys: object) => {
      let count = 0;
      const counting = new Proxy(keys, {
        get: (target, name) => {
          count += 1;
          return Reflect.get(target, name);
        },
      });
      return { counting, count: () => count };
    };
    const top = looked({ ...many, skus: ['MUG'] });
    expect((await call('check_stock', top.counting)).isError).toBe(false);
    const line = looked({ ...many, sku: 'MUG', quantity: 1 });
    expect((await call('reserve_units', { lines: [line.counting] })).isError).toBe(true);
    expect([top.count(), line.count()].filter((count) => count > 100)).toEqual([]);
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s is one of them', async (name) => {
    const { isError, note } = await call('find_items', JSON.parse(`{"query":"mug","${name}":{"limit":1}}`));
    expect([isError, note.length]).toEqual([false, 1]);
  });

  test('are refused inside a line or a buyer: nobody is to believe that a price was heard', async () => {
    const { answer } = await call('reserve_units', { lines: [{ sku: 'MUG', quantity: 1, price: 1 }] });
    expect(codeOf({ answer })).toBe('arguments_invalid');
  });
});

describe('the reason of a release', () => {
  test('is taken, and kept nowhere: agents write what the buyer said', async () => {
    const { reservation_id } = await t.granted('MUG', 2);
    const { answer } = await call('release_reservation', { reservation_id, reason: 'Mrs Planted is ill' });
    expect(answer).toMatchObject({ status: 'released' });
    expect(t.journal('reservation.released')).toEqual([{ by: AGENT_CALLER.principal, released_units: 2 }]);
    const files = ['', '-wal'].map((end) => readFileSync(t.path + end, 'latin1'));
    expect(files.join('')).toContain(reservation_id);
    expect(files.join('')).not.toContain('Planted');
  });
});

describe('names that are spelt otherwise', () => {
  test.each(['reservationId', 'ReservationID', 'reservation-id', 'RESERVATION_ID', 'reservationid'])(
    '%s is reservation_id',
    async (name) => {
      const mine = await t.granted('MUG', 2);
      const { answer, note } = await call('release_reservation', { [name]: mine.reservation_id });
      expect(answer).toMatchObject({ status: 'released', released_units: 2 });
      expect(note).toEqual([]);
    },
  );

  test('count only where the right one is missing', async () => {
    const { answer, note } = await call('find_items', { Limit: 1, limit: 3, query: 'mug', QUERY: 'x' });
    expect(answer).toMatchObject({ items: [{ sku: 'MUG' }] });
    expect(note).toEqual(['Ignored, because this tool has no such argument: Limit, QUERY.']);
  });
});

describe('values that arrive as text', () => {
  test.each([
    ['a list', 'check_stock', { skus: '["MUG"]' }],
    ['a number', 'find_items', { query: 'mug', limit: '5' }],
    ['a truth', 'reserve_units', { lines: [{ sku: 'MUG', quantity: 1 }], allow_partial: 'true' }],
    ['lines', 'reserve_units', { lines: '[{"sku":"MUG","quantity":"2"}]' }],
    ['a line', 'reserve_units', { lines: ['{"sku":"MUG","quantity":2}'] }],
    ['a quantity', 'reserve_units', { lines: [{ sku: 'MUG', quantity: '2' }] }],
  ])('%s is taken where %s wants it', async (_, name, args) => {
    expect((await call(name, args)).isError).toBe(false);
  });

  test('an object is taken: the buyer of an order', async () => {
    const { reservation_id, stock_hash } = await t.granted('MUG', 1);
    const buyer = '{"email":"ada@example.com","shipping_address":"{\\"country_code\\":\\"DE\\"}"}';
    const { answer } = await call('submit_order_with_hash', { reservation_id, stock_hash, buyer });
    expect(answer).toMatchObject({ status: 'accepted' });
    const { order } = await t.owned(reservation_id);
    expect(order?.buyer).toMatchObject({
      email: 'ada@example.com',
      shipping_address: { country_code: 'DE' },
    });
  });

  test.each([
    ['a SKU for a list', 'check_stock', { skus: 'MUG' }, 'arguments_invalid'],
    ['a list of another kind', 'check_stock', { skus: '{"0":"MUG"}' }, 'arguments_invalid'],
    ['a word', 'reserve_units', { lines: [{ sku: 'MUG', quantity: 'two' }] }, 'units_invalid'],
    ['half a unit', 'reserve_units', { lines: [{ sku: 'MUG', quantity: '1.5' }] }, 'units_invalid'],
    ['a truth for a number', 'find_items', { query: 'mug', limit: 'true' }, 'arguments_invalid'],
  ])('%s is refused', async (_, name, args, code) => {
    expect(codeOf(await call(name, args))).toBe(code);
    expect(await t.atp('MUG')).toBe(10);
  });

  test('text that is wanted as text stays what it is, also where it looks like a number or null', async () => {
    await t.seed({ sku: '007', levels: { [WAREHOUSE]: 1 } });
    expect((await call('check_stock', { skus: ['007'] })).answer).toMatchObject({ items: [{ sku: '007' }] });
    expect((await call('find_items', { query: 'null' })).isError).toBe(false);
  });
});

describe('what says nothing', () => {
  test.each([null, ''])('%j in an optional field is left out, at any depth', async (nothing) => {
    const line = { sku: 'MUG', quantity: 1, location_id: nothing };
    const wish = { lines: [line], ttl_seconds: nothing, idempotency_key: nothing, allow_partial: nothing };
    expect((await call('reserve_units', wish)).answer).toMatchObject({ status: 'active', ttl_seconds: 900 });
    const { reservation_id, stock_hash } = await t.granted('MUG', 1);
    const buyer = { email: nothing, phone: nothing, shipping_address: { province: nothing, city: 'Kiel' } };
    const order = { reservation_id, stock_hash, buyer, note: nothing, reference: nothing };
    expect((await call('submit_order_with_hash', order)).isError).toBe(false);
    const owned = await t.owned(reservation_id);
    expect(owned.order).toMatchObject({
      buyer: { shipping_address: { city: 'Kiel' } },
      note: null,
      reference: null,
    });
    expect(owned.order?.buyer).not.toHaveProperty('email');
  });

  test('is refused where something is needed', async () => {
    expect(codeOf(await call('reserve_units', { lines: [{ sku: 'MUG', quantity: '' }] }))).toBe(
      'units_invalid',
    );
    expect(codeOf(await call('find_items', { query: '' }))).toBe('arguments_invalid');
    expect(codeOf(await call('release_reservation', { reservation_id: null }))).toBe('reservation_unknown');
  });
});
