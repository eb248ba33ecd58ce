/**
 * Ledger time from the machine's clocks and the shop's: it follows the wall clock forwards as far as the shop's clock
 * bears that out, and never steps back (L9).
 */

import type { LedgerMs } from '../ledger/model/values/units.js';
import type { Clock, ShopTime, TimeMark } from '../ledger/state/state.js';

export interface TimeSources {
  /** Milliseconds since the epoch; may jump either way. */
  readonly wall: () => number;
  /** Milliseconds since any start; never steps back, but may stand still while the machine sleeps. */
  readonly monotonic: () => number;
}

// Not the function itself: whoever puts another clock in its place, as the simulation does, has to be followed.
const MACHINE: TimeSources = { wall: () => Date.now(), monotonic: () => performance.now() };

/** A wall clock further than this from the shop's is wrong: it moves the ledger no further than the shop's time. */
export const WALL_OFF_MS = 300_000;
/** Before the shop has answered, a wall clock further ahead than this is not followed while another process lives. */
export const WALL_JUMP_MS = 3_600_000;
/** The Date header has whole seconds: the shop's time is known to half a second at best, and clocks are read one by one. */
const DATE_SLACK_MS = 1_500;
/** More than this between the wall clock's pace and the monotonic one's: the machine slept, or somebody set the clock. */
const PACE_SLACK_MS = 5_000;
/** Gaps that are remembered one by one. Older ones are taken together. */
const GAPS_MAX = 20;

/** The shop's time at one moment of this machine's clocks. */
interface Anchor {
  readonly shop_ms: number;
  readonly wall_ms: number;
  readonly monotonic_ms: number;
  readonly ledger_ms: LedgerMs;
  /** How far `shop_ms` may be off. */
  readonly slack_ms: number;
}

/** Time that the shop has seen pass between two of its answers and this machine has not: it was suspended, or set back to a snapshot. */
interface Gap {
  /** When the answer that showed it was heard. */
  readonly heard_ms: LedgerMs;
  /** What ledger time has not made up for. */
  readonly missed_ms: number;
}

export type LedgerClock = Clock & ShopTime;

export function ledgerClock(sources: TimeSources = MACHINE): LedgerClock {
  return new MachineClock(sources);
}

/**
 * When the wall clock jumps back, time goes on at the pace of the monotonic clock from where it was: it must not stand still
 * either, or stock would never seem to age. When it jumps ahead, nobody can tell at once whether the machine slept or the clock
 * was set: time follows as far as the shop's newest answer allows, and `doubtMs` says by how much stock may be older than that.
 */
class MachineClock implements Clock, ShopTime {
  readonly #sources: TimeSources;
  #base: { readonly at_ms: LedgerMs; readonly monotonic_ms: number };
  /** Whether anybody has been given a time: until then the ledger's own comes first. */
  #isTold = false;
  #anchor: Anchor | null = null;
  /** From processes before this one. */
  #recalled: TimeMark | null = null;
  #lead_ms = 0;
  readonly #gaps: Gap[] = [];
  /** From when on the jump that is in doubt now makes nothing older. */
  #jumpedAt_ms: LedgerMs = 0;
  /** How far the wall clock had jumped when that was last noticed. */
  #noticedGapMs = 0;
  readonly #start: Pick<Anchor, 'wall_ms' | 'monotonic_ms'>;

  constructor(sources: TimeSources) {
    this.#sources = sources;
    this.#base = { at_ms: this.#wall(), monotonic_ms: sources.monotonic() };
    this.#start = { wall_ms: sources.wall(), monotonic_ms: sources.monotonic() };
  }

  now(): LedgerMs {
    this.#noticeJump();
    return this.#follow(this.#paced(), () => true);
  }

  observe(writtenAt: LedgerMs, isShared: (now: LedgerMs) => boolean = () => false): LedgerMs {
    this.#noticeJump();
    const paced = this.#isTold ? Math.max(this.#paced(), writtenAt) : writtenAt;
    return this.#follow(paced, isShared);
  }

  elapsed(): number {
    return Math.floor(this.#sources.monotonic());
  }

  doubtMs(since: LedgerMs): number {
    const unheard_ms = this.#unheardMs();
    return this.missedMs(since) + (since < this.#jumpedAt_ms ? unheard_ms : 0);
  }

  missedMs(since: LedgerMs): number {
    return this.#gaps.reduce((sum, gap) => sum + (gap.heard_ms > since ? gap.missed_ms : 0), 0);
  }

  mayHaveStoodStill(since: LedgerMs): boolean {
    this.#noticeJump();
    if (since < this.#jumpedAt_ms && this.#paceGapMs(this.#anchor ?? this.#start) > PACE_SLACK_MS)
      return true;
    return this.#gaps.some(({ heard_ms }) => heard_ms > since);
  }

  leadMs(): number {
    const now = this.now();
    if (this.#anchor === null) {
      const ahead_ms = now - this.#wall();
      return ahead_ms > WALL_OFF_MS ? ahead_ms : 0;
    }
    const lead_ms = Math.round(now - this.#shopNow(this.#anchor));
    // The header's seconds must not make one time told differently from call to call.
    if (Math.abs(lead_ms - this.#lead_ms) > this.#anchor.slack_ms)
      this.#lead_ms = Math.abs(lead_ms) > this.#anchor.slack_ms ? lead_ms : 0;
    return this.#lead_ms;
  }

  isShopTimeKnown(): boolean {
    return this.#anchor !== null && Math.abs(this.#paceGapMs(this.#anchor)) <= PACE_SLACK_MS;
  }

  hearShopTime(dateMs: number, sentAtElapsed: number): void {
    const monotonic_ms = this.#sources.monotonic();
    // The header was written between sending and receiving, and its fraction of a second is cut off.
    const round_trip_ms = Math.max(0, monotonic_ms - sentAtElapsed);
    const anchor: Anchor = {
      shop_ms: dateMs + 500 + round_trip_ms / 2,
      wall_ms: this.#sources.wall(),
      monotonic_ms,
      ledger_ms: 0,
      slack_ms: DATE_SLACK_MS + round_trip_ms / 2,
    };
    const before = this.#anchor;
    const was = this.now();
    this.#anchor = anchor;
    this.#anchor = { ...anchor, ledger_ms: this.now() };
    this.#noticedGapMs = 0;
    if (before !== null) this.#noteGap(before, this.#anchor, was);
    else if (this.#recalled !== null) this.#catchUp(this.#recalled, this.#anchor);
  }

  recall(mark: TimeMark): void {
    this.#recalled = mark;
  }

  timeMark(): TimeMark | null {
    if (this.#anchor === null) return null;
    return { shop_ms: Math.floor(this.#shopNow(this.#anchor)), ledger_ms: this.now() };
  }

  /**
   * Compares the shop's first answer with what the ledger remembers. Less ledger time has passed since then when the ledger is a
   * copy that was put back and the wall clock went on from there, or when ledger time was ahead of the wall clock. It catches up,
   * so that stock ages and reservations expire as everywhere else. A shop whose clock is far ahead of this machine's may be wrong:
   * then only stock is older than it seems.
   */
  #catchUp(before: TimeMark, after: Anchor): void {
    const slack_ms = DATE_SLACK_MS + after.slack_ms;
    const missed_ms = Math.floor(after.shop_ms - before.shop_ms - (after.ledger_ms - before.ledger_ms));
    if (missed_ms <= slack_ms) return;
    const isBelieved = after.shop_ms - after.wall_ms <= WALL_OFF_MS;
    const at_ms = this.#step(isBelieved ? missed_ms - Math.ceil(slack_ms) : 0);
    this.#anchor = { ...after, ledger_ms: at_ms };
    this.#gaps.push({ heard_ms: at_ms, missed_ms: isBelieved ? 0 : missed_ms });
  }

  /** Compares neighbouring answers alone, so that a clock which is a little slow never adds up to a gap. */
  #noteGap(before: Anchor, after: Anchor, was: LedgerMs): void {
    const passed_ms = after.shop_ms - before.shop_ms;
    const slack_ms = before.slack_ms + after.slack_ms;
    if (passed_ms - (after.monotonic_ms - before.monotonic_ms) <= slack_ms) return;
    const missed_ms = Math.floor(passed_ms - (after.ledger_ms - before.ledger_ms));
    const heard_ms = after.ledger_ms > was ? after.ledger_ms : this.#step();
    this.#gaps.push({ heard_ms, missed_ms: missed_ms > slack_ms ? missed_ms : 0 });
    const [first, second] = this.#gaps;
    if (this.#gaps.length <= GAPS_MAX || first === undefined || second === undefined) return;
    const both = { ...second, missed_ms: first.missed_ms + second.missed_ms };
    this.#gaps.splice(0, 2, both);
  }

  #noticeJump(): void {
    const gap_ms = this.#paceGapMs(this.#anchor ?? this.#start);
    if (!this.#isTold || gap_ms - this.#noticedGapMs <= PACE_SLACK_MS) return;
    this.#noticedGapMs = gap_ms;
    this.#jumpedAt_ms = this.#step();
  }

  /** Moves time on by a millisecond at least: it has to tell what was before from what comes after, although the clocks stood still. */
  #step(by_ms = 0): LedgerMs {
    this.#base = { at_ms: this.#paced() + Math.max(1, by_ms), monotonic_ms: this.#sources.monotonic() };
    return this.#base.at_ms;
  }

  /** By how much the wall clock has jumped ahead of ledger time since the shop's newest answer. */
  #unheardMs(): number {
    this.#noticeJump();
    if (this.#anchor === null) return Math.max(0, this.#wall() - this.now());
    if (this.#paceGapMs(this.#anchor) <= PACE_SLACK_MS) return 0;
    const { ledger_ms, wall_ms } = this.#anchor;
    return Math.max(0, Math.floor(ledger_ms + this.#sources.wall() - wall_ms - this.now()));
  }

  /** Moves time to `paced`, and on to what the other clocks allow. `isShared`: whether another process lives at that time. */
  #follow(paced: LedgerMs, isShared: (now: LedgerMs) => boolean): LedgerMs {
    const at_ms = Math.max(paced, this.#limit(paced, isShared));
    if (!this.#isTold) this.#jumpedAt_ms = at_ms;
    if (!this.#isTold || at_ms > this.#paced()) {
      this.#base = { at_ms, monotonic_ms: this.#sources.monotonic() };
      this.#isTold = true;
    }
    return at_ms;
  }

  /** As far as the clocks let time go now. */
  #limit(paced: LedgerMs, isShared: (now: LedgerMs) => boolean): LedgerMs {
    const wall = this.#wall();
    if (this.#anchor !== null) {
      const shop = Math.floor(this.#shopNow(this.#anchor));
      return Math.abs(wall - shop) > WALL_OFF_MS ? Math.min(wall, shop) : wall;
    }
    return wall - paced > WALL_JUMP_MS && isShared(paced) ? paced : wall;
  }

  #paced(): LedgerMs {
    return this.#base.at_ms + Math.floor(this.#sources.monotonic() - this.#base.monotonic_ms);
  }

  #wall(): number {
    return Math.floor(this.#sources.wall());
  }

  #shopNow({ shop_ms, monotonic_ms }: Anchor): number {
    return shop_ms + this.#sources.monotonic() - monotonic_ms;
  }

  /** By how much more the wall clock has moved since the shop's answer than the monotonic one. */
  #paceGapMs({ wall_ms, monotonic_ms }: Pick<Anchor, 'wall_ms' | 'monotonic_ms'>): number {
    return Math.floor(this.#sources.wall() - wall_ms - (this.#sources.monotonic() - monotonic_ms));
  }
}
