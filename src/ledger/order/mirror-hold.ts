/** What a hold at the shop means for our own holds: which sum they stand in, and what they wait for. */

import type { Hold } from '../model/hold.js';
import type { JournalDraft } from '../model/journal.js';
import type { OutboxRow } from '../model/outbox-row.js';
import { sumsAfter } from '../reservation/end-reservation.js';
import { note, type SeenHold } from '../state/job.js';
import type { Changes, HoldMove, LedgerState, LevelSums, Owned } from '../state/state.js';

export function openRow(outbox: OutboxRow, seen: SeenHold): OutboxRow {
  return {
    ...outbox,
    shop_state: 'open',
    hold_ref: seen.hold_ref,
    hold_until_ms: seen.until_ms,
    intent_at_ms: null,
    empty_lookups: 0,
    parked: false,
  };
}

export function openNote({ hold_ref, until_ms }: SeenHold): JournalDraft {
  return note('shop.open', { hold_ref, until_ms });
}

/** The shop has the units until then: counted holds wait for a report that shows it, mirrored ones last longer. */
export function mirroring({ now_ms }: LedgerState, { holds }: Owned, until: number | null): HoldMove[] {
  if (until === null) return [];
  return holds.flatMap((hold): HoldMove[] => {
    // The draft was read back and is ours: the rise had another reason.
    if (hold.place === 'doubted')
      return [{ hold, to: { ...hold, place: 'guessed', mirror_until_ms: until } }];
    if (hold.state === 'counted' && hold.awaits !== 'settle')
      return [{ hold, to: waitsForMirror(hold, now_ms, until) }];
    const is_longer = hold.state === 'mirrored' && hold.mirror_until_ms !== until;
    return is_longer ? [{ hold, to: { ...hold, mirror_until_ms: until } }] : [];
  });
}

export function waitsForMirror(hold: Hold, now: number, until: number): Hold {
  return {
    ...hold,
    state: 'counted',
    place: 'promised',
    awaits: 'mirror',
    awaits_after_ms: now,
    mirror_until_ms: until,
  };
}

/** With nothing at the shop, its figure excludes nothing of ours: the holds count on our side again. */
export function unmirrorHolds(state: LedgerState, owned: Owned): Required<Pick<Changes, 'holds' | 'sums'>> {
  const holds = owned.holds
    .filter((hold) => hold.state !== 'counted' || hold.awaits === 'mirror')
    .map((hold): HoldMove => {
      const ours = { place: 'promised', awaits: null, awaits_after_ms: null, mirror_until_ms: null } as const;
      return { hold, to: hold.state === 'returning' ? null : { ...hold, ...ours, state: 'counted' } };
    });
  return { holds, sums: sumsOf(state, holds) };
}

export function sumsOf(state: LedgerState, holds: readonly HoldMove[]): LevelSums[] {
  return sumsAfter(
    state.owned_items.flatMap((item) => item.levels),
    holds,
  );
}
