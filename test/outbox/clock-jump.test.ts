/** A wall clock that jumps ahead, between a lost answer and the look for what became of it. */

import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../helpers/ledger.js';
import { ShopLedger } from '../helpers/shop-ledger.js';

const JUMP_MS = 40 * SECOND;

describe('a wall clock that jumps ahead while an order is being looked for', () => {
  test.each(['move', 'draft_order'] as const)(
    'L4: does not shorten the wait for the shop’s search (%s): one order',
    async (mirror) => {
      // Less than the look-up allows for, which is 30 seconds.
      const ledger = await ShopLedger.open({ settings: { mirror }, sandbox: { searchLagMs: 25 * SECOND } });
      try {
        const reservation = await ledger.granted('CAP', 2);
        await ledger.accepted(reservation);
        const operation = mirror === 'move' ? 'orderCreate' : 'draftOrderCreate';
        ledger.server.faults.add({ operation, when: 'after', action: 'drop' });
        await ledger.workFor(5 * SECOND);
        // Ours alone: the shop's own time goes on as it did.
        ledger.time.setWallClockBy(JUMP_MS);
        ledger.server.set({ clockSkewMs: -JUMP_MS });
        await ledger.work();
        await ledger.workFor(5 * MINUTE);
        expect(ledger.orders()).toHaveLength(1);
        expect(ledger.drafts()).toEqual([]);
        await ledger.expectTrueBooks();
      } finally {
        await ledger.close();
      }
    },
  );
});
