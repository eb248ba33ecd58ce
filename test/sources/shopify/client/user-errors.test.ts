/** What Shopify's user errors mean, in the words that real shops were seen to use. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COUNTRY_CODES } from '../../../../src/ledger/model/values/countries.js';
import {
  ERROR_RULES,
  judgeErrors,
  type ShopError,
} from '../../../../src/sources/shopify/client/user-errors.js';

const SCHEMA = readFileSync(
  new URL('../../../../src/sandbox/graphql/admin-2026-10.graphql', import.meta.url),
  'utf8',
);

/** The values of an enumeration of the schema. */
function valuesOf(name: string): string[] {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(SCHEMA)?.[1];
  if (body === undefined) throw new Error(`the schema has no ${name}`);
  return body.trim().split(/\s+/);
}

const error = (message: string, ...field: string[]): ShopError => ({
  field: field.length === 0 ? null : field,
  message,
});

describe('19: a detail of the buyer', () => {
  test.each([
    ['buyer.email', error('Email is invalid', 'email')],
    ['buyer.email', error('Email contains an invalid domain name', 'email')],
    ['buyer.email', error('Email contains an invalid domain name')],
    ['buyer.email', error('Email is invalid', 'input', 'email')],
    ['buyer.email', error('Email is invalid', 'order', 'email')],
    ['buyer.phone', error('Phone is invalid', 'phone')],
    ['buyer.phone', error('Phone number in shipping address is invalid')],
    ['buyer.phone', error('is invalid', 'input', 'shippingAddress', 'phone')],
    ['buyer.name', error('Enter a last name', 'shippingAddress', 'lastName')],
    [
      'buyer.shipping_address.province',
      error('State is not a valid state in United States', 'shippingAddress', 'province'),
    ],
    ['buyer.shipping_address.province', error('Province is invalid', 'shipping_address', 'province_code')],
    ['buyer.shipping_address.province', error('Province is not valid')],
    ['buyer.shipping_address.postal_code', error('Enter a ZIP code', 'shippingAddress', 'zip')],
    ['buyer.shipping_address.postal_code', error('Zip is not valid for Canada')],
    ['buyer.shipping_address.country_code', error('Country is invalid', 'shippingAddress', 'country')],
    ['buyer.shipping_address.address1', error('is too long', 'shippingAddress', 'address1')],
    ['buyer.shipping_address', error('is odd', 'input', 'shippingAddress')],
    ['note', error('Note is too long (maximum is 5000 characters)', 'input', 'note')],
    ['reference', error('Value is too long', 'input', 'customAttributes', '1', 'value')],
  ] as const)('%s is meant by %o', (field, one) => {
    expect(judgeErrors([one])).toEqual({ means: 'buyer_refused', fields: [field] });
  });

  test('two of them are both named, each once, and anything else beside them comes first', () => {
    const email = error('Email is invalid', 'email');
    const phone = error('Phone is invalid', 'phone');
    expect(judgeErrors([email, phone, email])).toEqual({
      means: 'buyer_refused',
      fields: ['buyer.email', 'buyer.phone'],
    });
    const gone = error('Product with ID 7 is no longer available.', 'lineItems', '0', 'variantId');
    expect(judgeErrors([email, gone])).toEqual({ means: 'refused', cause: 'item_unavailable' });
  });
});

describe('anything else', () => {
  test.each([
    ['done', error('This order has been paid')],
    ['paced', error('Exceeded order API rate limit, please try again in a minute.')],
    [
      'out_of_stock',
      { ...error('Line items Unable to reserve inventory', 'order', 'lineItems'), code: 'INVALID' },
    ],
    ['out_of_stock', { ...error('x'), code: 'INVENTORY_CLAIM_FAILED' }],
    ['later', error("Reserve until can't be in the past")],
    ['later', { ...error('x', 'order', 'processedAt'), code: 'PROCESSED_AT_INVALID' }],
  ] as const)('%s is meant by %o', (means, one) => {
    expect(judgeErrors([one])).toEqual({ means });
  });

  test.each([
    ['shop_closed', { ...error('x'), code: 'SHOP_DORMANT' }],
    ['item_unavailable', error('Product with ID 7 is no longer available.', 'lineItems', '0', 'variantId')],
    ['item_unavailable', error('Order Line items is invalid')],
    ['item_unavailable', error("Line items Name can't be blank")],
    ['payment', error('Invalid payment gateway')],
    ['gone', error('Draft order does not exist', 'id')],
    ['gone', error('Draft order not found')],
    ['limit', error('Title Tag exceeds the maximum length of 40 characters', 'input', 'tags', '1')],
    ['malformed', error('Add at least 1 product')],
    ['malformed', error('Quantity must be greater than or equal to 1', 'lineItems', '0', 'quantity')],
    ['malformed', { ...error('x'), code: 'REDUNDANT_CUSTOMER_FIELDS' }],
    [null, error('Something that nobody has seen yet')],
    [null, { ...error('x'), code: 'INVALID' }],
  ] as const)('refused for %s is meant by %o', (cause, one) => {
    expect(judgeErrors([one])).toEqual({ means: 'refused', cause });
  });

  test('no error at all is a refusal whose cause is not known', () => {
    expect(judgeErrors([])).toEqual({ means: 'refused', cause: null });
  });
});

test('every code of the schema has its row, but for INVALID, which says nothing by itself', () => {
  const known = ERROR_RULES.flatMap(({ code }) => (code === undefined ? [] : [code]));
  expect(['INVALID', ...known].sort()).toEqual(valuesOf('OrderCreateUserErrorCode').sort());
});

test('the countries that an order can go to are those of the schema', () => {
  expect([...COUNTRY_CODES].sort()).toEqual(
    valuesOf('CountryCode')
      .filter((code) => code !== 'ZZ')
      .sort(),
  );
});
