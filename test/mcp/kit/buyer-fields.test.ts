/** Details of the buyer: refused by their name when they can't be right, and written as shops want them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normalizePhone } from '../../../src/mcp/kit/phone-number.js';
import { normalizeProvince } from '../../../src/mcp/kit/provinces.js';
import { submitOrderWithHash } from '../../../src/mcp/tools/submit-order-with-hash.js';
import { AGENT_CALLER, TestLedger } from '../../helpers/ledger.js';

let t: TestLedger;
beforeAll(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { 'loc-1': 1_000 } });
});
afterAll(() => t.close());

const reportBug = (error: unknown): string => {
  throw error;
};

async function submitted(buyer: unknown) {
  const { reservation_id, stock_hash } = await t.granted('tee', 1);
  const context = { ledger: t.ledger, caller: AGENT_CALLER, reportBug };
  const result = await submitOrderWithHash.run(context, { reservation_id, stock_hash, buyer });
  const [content] = result.content;
  const text = content?.type === 'text' ? content.text : '';
  return { result, text, order: (await t.owned(reservation_id)).order };
}

const US = { country_code: 'US' };

describe('19: what can not be right is refused before anything is ordered, and names its field', () => {
  test.each([
    ['buyer.email', { email: 'ada at example.com' }],
    ['buyer.email', { email: `${'a'.repeat(250)}@example.com` }],
    ['buyer.phone', { phone: '030 1234567' }],
    ['buyer.phone', { phone: '+49' }],
    ['buyer.phone', { phone: 'call me' }],
    ['buyer.phone', { phone: '12', shipping_address: US }],
    ['buyer.shipping_address.country_code', { shipping_address: { country_code: 'Germany' } }],
    ['buyer.shipping_address.country_code', { shipping_address: { country_code: 'XX' } }],
    ['buyer.shipping_address.country_code', { shipping_address: { country_code: 'ZZ' } }],
    ['buyer.shipping_address.province', { shipping_address: { ...US, province: 'Bavaria' } }],
    ['buyer.shipping_address.province', { shipping_address: { country_code: 'CA', province: 'TX' } }],
  ])('%s of %o', async (field, buyer) => {
    const { result, text, order } = await submitted(buyer);
    expect(result.isError).toBe(true);
    expect(text).toContain(`"code":"arguments_invalid","message":"${field}: wants `);
    expect(order).toBeNull();
  });
});

describe('what can be right is written as shops want it', () => {
  test.each([
    [{ phone: '+49 (0)30 123 45 67' }, { phone: '+49301234567' }],
    [
      { phone: '030 1234567', shipping_address: { country_code: 'de' } },
      { phone: '+49301234567', shipping_address: { country_code: 'DE' } },
    ],
    [{ phone: '+49 170 1234567 ext. 12' }, { phone: '+49 170 1234567 ext. 12' }],
    [
      { shipping_address: { ...US, province: ' new  york' } },
      { shipping_address: { ...US, province: 'NY' } },
    ],
    [{ shipping_address: { ...US, province: 'US-ca' } }, { shipping_address: { ...US, province: 'CA' } }],
    [
      { shipping_address: { country_code: 'br', province: 'Sao Paulo' } },
      { shipping_address: { country_code: 'BR', province: 'SP' } },
    ],
    [
      { shipping_address: { country_code: 'JP', province: '東京都' } },
      { shipping_address: { country_code: 'JP', province: '東京都' } },
    ],
    [{ shipping_address: { province: 'Bavaria' } }, { shipping_address: { province: 'Bavaria' } }],
    [{ email: 'ada@example.com', phone: null }, { email: 'ada@example.com' }],
  ])('%o', async (buyer, kept) => {
    const { order } = await submitted(buyer);
    expect(order).toMatchObject({ state: 'accepted', buyer: kept });
  });
});

test('numbers of every length and provinces of every country have an answer', async () => {
  for (let digits = 0; digits < 30; digits += 1) {
    const phone = await normalizePhone(`+49${'1'.repeat(digits)}`, undefined);
    expect(phone === null || /^\+49\d+$/.test(phone)).toBe(true);
  }
  expect(normalizeProvince('anything', undefined)).toBe('anything');
  expect(normalizeProvince('Québec', 'CA')).toBe('QC');
  expect(normalizeProvince('nowhere', 'AU')).toBeNull();
});
