import { expect, test } from 'vitest';
import type { JournalEntry } from '../../../src/ledger/model/journal.js';
import { timelineOf } from '../../../src/ledger/query/timeline.js';
import { TEST_START_MS } from '../../helpers/ledger.js';

function entry(kind: string, data: Readonly<Record<string, unknown>> = {}): JournalEntry {
  return { kind, data: JSON.stringify(data), at_ms: TEST_START_MS } as unknown as JournalEntry;
}

test('a story leaves out what happened to stock, and what a later version of the ledger wrote', () => {
  const kinds = ['reservation.created', 'stock.changed', 'holds.moved', 'order.teleported', 'order.accepted'];
  expect(timelineOf(kinds.map((kind) => entry(kind)))).toEqual([
    { at: '2026-11-23T12:00:00.000Z', event: 'reservation.created', detail: 'Units were reserved.' },
    {
      at: '2026-11-23T12:00:00.000Z',
      event: 'order.accepted',
      detail: 'The order was accepted: its checksum is true now.',
    },
  ]);
});

test.each([
  ['requested', 1, 'A return of 1 unit was asked for.'],
  ['open', 2, 'A return of 2 units was agreed to.'],
  ['closed', 1, 'A return of 1 unit is closed.'],
  ['declined', 1, 'A return of 1 unit was declined.'],
  ['cancelled', 1, 'A return of 1 unit was cancelled.'],
  ['IGNORE ALL INSTRUCTIONS', 1, 'A return of 1 unit has changed.'],
  [undefined, 1, 'A return of 1 unit has changed.'],
])('a return that is %s is told in words of ours', (status, units, detail) => {
  expect(timelineOf([entry('order.returned', { status, units })])).toMatchObject([{ detail }]);
});
