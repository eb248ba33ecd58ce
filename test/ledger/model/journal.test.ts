/** The chain of the journal: what anybody can compute of an entry without our code, and what changes it. */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { chainHash, JOURNAL_GENESIS, type JournalEntry } from '../../../src/ledger/model/journal.js';

const ENTRY: Omit<JournalEntry, 'hash'> = {
  seq: 7,
  at_ms: 1795435200000,
  kind: 'order.placed',
  reservation_key: 3,
  item_key: 5,
  data: '{"order_ref":"o1"}',
};

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

describe('the hash of an entry', () => {
  test.each([
    ['both a reservation and an item', ENTRY, '3\n5'],
    ['no reservation', { ...ENTRY, reservation_key: null }, '-\n5'],
    ['no item', { ...ENTRY, item_key: null }, '3\n-'],
    ['neither', { ...ENTRY, reservation_key: null, item_key: null }, '-\n-'],
  ])('L6: that belongs to %s is that of its text, as files of earlier versions have it', (_, entry, keys) => {
    const text = `${'0'.repeat(64)}\n7\n1795435200000\norder.placed\n${keys}\n{"order_ref":"o1"}`;
    expect(chainHash(JOURNAL_GENESIS, entry)).toBe(sha256(text));
  });

  test.each([
    ['its number', { seq: 8 }],
    ['its time', { at_ms: ENTRY.at_ms + 1 }],
    ['its kind', { kind: 'order.failed' }],
    ['its reservation', { reservation_key: 5 }],
    ['its item', { item_key: 3 }],
    ['the first reservation for none', { reservation_key: null }],
    ['its data', { data: '{"order_ref":"o2"}' }],
  ] as const)('L6: is another one when somebody edits %s', (_, edit) => {
    expect(chainHash(JOURNAL_GENESIS, { ...ENTRY, ...edit })).not.toBe(chainHash(JOURNAL_GENESIS, ENTRY));
  });

  test('L6: is another one when the entry before it is', () => {
    const before = chainHash(JOURNAL_GENESIS, ENTRY);
    expect(chainHash(before, ENTRY)).not.toBe(chainHash(JOURNAL_GENESIS, ENTRY));
  });
});
