/** What is told of an order and its times, and what an order is made of. */

import { describe, expect, test } from 'vitest';
import { linkOf } from '../../../src/ledger/model/order.js';
import { grantedBySku, type ReservationLine } from '../../../src/ledger/model/reservation.js';
import { NEXT_BY_STATE, nextFor } from '../../../src/ledger/order/order-next.js';
import { isoTime } from '../../../src/ledger/state/time.js';

const NOW = Date.UTC(2026, 10, 23, 12);
const URL = 'https://shop.example/pay';
type Told = Parameters<typeof nextFor>[0];
const ACCEPTED: Told = {
  state: 'accepted',
  order_mode: 'complete',
  payment: 'pending',
  held_for: null,
  held_until_ms: null,
  checkout_url: null,
  pay_until_ms: null,
  aftermath: null,
};
const PAID_BY_LINK: Told = { ...ACCEPTED, order_mode: 'checkout_link', payment: 'paid' };
const WITH_LINK: Told = { ...PAID_BY_LINK, checkout_url: URL, pay_until_ms: NOW };

describe('the link where the buyer pays', () => {
  test.each([
    ['is told one millisecond before the time to pay is over', WITH_LINK, NOW - 1, URL],
    ['is told no more when the time to pay is over', WITH_LINK, NOW, null],
    ['is told no more after that', WITH_LINK, NOW + 1, null],
    ['is not there before the shop has told it', PAID_BY_LINK, NOW, null],
    ['is told for as long as no time is set', { ...WITH_LINK, pay_until_ms: null }, NOW + 1, URL],
    ['stays that of an order that was paid in time', { ...WITH_LINK, state: 'placed' }, NOW + 1, URL],
    ['stays that of an order that was shipped', { ...WITH_LINK, state: 'fulfilled' }, NOW + 1, URL],
  ] as const)('%s', (_, order, now, link) => {
    expect(linkOf(order, now)).toBe(link);
  });
});

describe('what an agent is told to do next', () => {
  test.each([
    ['of an order that the server places: to wait for its number', ACCEPTED, NOW, 'see the order number'],
    ['of an order that waits for its payment: that nobody has paid', ACCEPTED, NOW, 'payment pending'],
    ['of an order that is paid: that it is', { ...ACCEPTED, payment: 'paid' }, NOW, 'marked as paid'],
    [
      'of a placed order that is to be paid: who will ask for the money',
      { ...ACCEPTED, state: 'placed' },
      NOW,
      'payment is pending',
    ],
    [
      'of a placed order that is paid: nothing more',
      { ...ACCEPTED, state: 'placed', payment: 'paid' },
      NOW,
      'marked as paid. Nothing more to do',
    ],
    [
      'of an order whose details the shop refused: to send them corrected, and until when',
      { ...ACCEPTED, state: 'held', held_for: 'buyer_refused', held_until_ms: NOW },
      NOW,
      'The units stay held until 2026-11-23T12:00:00.000Z; then the order is rejected.',
    ],
    [
      'of an order above the quota: that the merchant decides',
      { ...ACCEPTED, state: 'held', held_for: 'order_quota', held_until_ms: NOW },
      NOW,
      'the merchant decides on this order',
    ],
    ['of an order without a link yet: to ask again for it', PAID_BY_LINK, NOW, 'in a few seconds'],
    ['of an order with a link: to give it to the buyer', WITH_LINK, NOW - 1, 'to the buyer'],
    ['of an order whose time to pay is over: to send nobody there', WITH_LINK, NOW, 'do not send the buyer'],
    [
      'of an order whose link was withdrawn: to send nobody there',
      { ...WITH_LINK, checkout_url: null },
      NOW,
      'do not send the buyer',
    ],
  ] as const)('%s', (_, order, now, words) => {
    expect(nextFor(order, now)).toContain(words);
  });

  test.each(['held', 'rejected', 'placed', 'failed', 'fulfilled', 'cancelled'] as const)(
    'of an order paid by a link that is %s is what its state says, whatever became of the link',
    (state) => {
      expect(nextFor({ ...WITH_LINK, state }, NOW - 1)).toBe(NEXT_BY_STATE[state]);
      expect(nextFor({ ...PAID_BY_LINK, state }, NOW)).toBe(NEXT_BY_STATE[state]);
    },
  );
});

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [NOW, '2026-11-23T12:00:00.000Z'],
  [NOW + 1, '2026-11-23T12:00:00.001Z'],
])('the time %i is told as %s, the first time and every other', (at, text) => {
  for (let others = 0; others < 100; others += 1) {
    expect(isoTime(at)).toBe(text);
    expect(isoTime(NOW + 1000 + others)).toBe(new Date(NOW + 1000 + others).toISOString());
  }
});

describe('an order', () => {
  const line = (sku: string, reserved: number): ReservationLine => ({
    sku,
    requested: 9,
    reserved,
    allocations: [],
    stock_hash: `sha256:${'0'.repeat(64)}` as ReservationLine['stock_hash'],
  });
  test.each([
    ['is made of what was granted, not of what was asked for', [line('tee', 4)], [['tee', 4]]],
    [
      'has the lines of one SKU as one, in the order of the first',
      [line('tee', 4), line('cap', 1), line('tee', 2)],
      [
        ['tee', 6],
        ['cap', 1],
      ],
    ],
    ['leaves out a line that got nothing', [line('tee', 0), line('cap', 1)], [['cap', 1]]],
    ['of nothing but such lines has none', [line('tee', 0)], []],
  ] as const)('%s', (_, lines, granted) => {
    expect([...grantedBySku(lines)]).toEqual(granted);
  });
});
