/** What the sandbox shop refuses of a buyer's details, and in which words. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEED_SKUS } from '../../../../src/sandbox/base/catalogue.js';
import { BUYER_RULES, buyerErrors } from '../../../../src/sandbox/shop/orders/buyer-rules.js';
import { ORDER_CREATE } from '../../orders-client.js';
import { CREATE, hold, type Rig, startRig, UPDATE } from '../../sandbox-client.js';

describe('the rules', () => {
  test.each([
    ['an e-mail without @', { email: 'nobody' }, ['email'], 'Email is invalid'],
    ['a domain', { email: 'a@gmail.ru' }, ['email'], 'Email contains an invalid domain name'],
    [
      'a domain that can not be',
      { email: 'a@b.invalid' },
      ['email'],
      'Email contains an invalid domain name',
    ],
    ['words for a number', { phone: 'call me' }, ['phone'], 'Phone is invalid'],
    ['a number that is too short', { phone: '+49 12' }, ['phone'], 'Phone is invalid'],
    [
      'one in an address',
      { shippingAddress: { countryCode: 'DE', phone: '12' } },
      null,
      'Phone number in shipping address is invalid',
    ],
    [
      'a state of no country',
      { shippingAddress: { countryCode: 'US', provinceCode: 'ZZ' } },
      ['shippingAddress', 'province'],
      'State is not a valid state in United States',
    ],
    [
      'a state by a name that is none',
      { shippingAddress: { countryCode: 'US', province: 'Bavaria' } },
      ['shippingAddress', 'province'],
      'State is not a valid state in United States',
    ],
    [
      'a province of another country',
      { shippingAddress: { countryCode: 'CA', provinceCode: 'TX' } },
      ['shippingAddress', 'province'],
      'Province is not a valid province in Canada',
    ],
  ] as const)('refuse %s', (_, details, field, message) => {
    expect(buyerErrors(details, BUYER_RULES)).toEqual([{ field, message }]);
  });

  test.each([
    ['nothing', {}],
    ['a good e-mail', { email: 'ada@example.com' }],
    ['a number with an extension', { phone: '+49 30 1234567 ext. 12' }],
    ['a state by its code', { shippingAddress: { countryCode: 'US', provinceCode: 'CA' } }],
    ['a state by its name', { shippingAddress: { countryCode: 'US', province: 'California' } }],
    ['a province that is not looked at', { shippingAddress: { countryCode: 'FR', provinceCode: 'X' } }],
    ['an address without a country', { shippingAddress: { provinceCode: 'X' } }],
  ] as const)('take %s', (_, details) => {
    expect(buyerErrors(details, BUYER_RULES)).toEqual([]);
  });

  test('are a setting: other domains, certain numbers, and provinces as they come', () => {
    const rules = { emailDomains: ['example.com'], phones: ['49301234567'], checksProvinces: false };
    const address = { countryCode: 'US', provinceCode: 'ZZ' };
    const details = { email: 'a@EXAMPLE.com', phone: '+49 30 1234567', shippingAddress: address };
    expect(buyerErrors(details, rules).map(({ message }) => message)).toEqual([
      'Email contains an invalid domain name',
      'Phone is invalid',
    ]);
    expect(buyerErrors({ email: 'a@gmail.ru' }, rules)).toEqual([]);
  });
});

describe('the shop', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await startRig();
  });
  afterEach(() => rig.sandbox.stop());

  const email = 'a@gmail.ru';
  const message = 'Email contains an invalid domain name';
  const lines = () => [
    { variantId: rig.sandbox.shop.inventory.variantOfSku(SEED_SKUS.scarce).id, quantity: 1 },
  ];

  test('makes no draft and no order of it, and leaves a draft as it was', async () => {
    const { draftOrderCreate } = await rig.data(CREATE, { input: { lineItems: lines(), email } });
    expect(draftOrderCreate).toMatchObject({ draftOrder: null, userErrors: [{ field: ['email'], message }] });
    const draft = await hold(rig, SEED_SKUS.scarce, 1, 60);
    const { draftOrderUpdate } = await rig.data(UPDATE, { id: draft.id, input: { email, note: 'n' } });
    expect(draftOrderUpdate.userErrors).toEqual([{ field: ['input', 'email'], message }]);
    expect(rig.sandbox.shop.draftOrders.get(draft.id)).toMatchObject({ email: null, note: null });
    const { orderCreate } = await rig.data(ORDER_CREATE, { order: { lineItems: lines(), email } });
    expect(orderCreate).toMatchObject({
      order: null,
      userErrors: [{ field: ['order', 'email'], message, code: 'INVALID' }],
    });
    rig.sandbox.shop.setBuyerRules({ emailDomains: [] });
    expect(
      (await rig.data(CREATE, { input: { lineItems: lines(), email } })).draftOrderCreate.userErrors,
    ).toEqual([]);
  });
});
