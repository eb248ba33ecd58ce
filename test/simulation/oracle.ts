/**
 * The oracle: says after each step whether the invariants hold. It shares no code with the ledger: it looks at the shop
 * itself, at the rows by plain SQL, and at what agents were told, and keeps a plain account of who owns which unit.
 * Each check has a name and can be left out, which shows that each is needed: `npm run simulate:mutations -- --matrix`.
 */

import { createHash } from 'node:crypto';
import type { Shop } from '../../src/sandbox/shop/shop.js';
import { type Answered, codeOf } from './agents.js';
import type { Network } from './network.js';
import { type HoldRow, type OrderRow, type ReservationRow, Rows, type Snapshot, unitsOf } from './rows.js';
import { type OversoldOrder, ShopTruth } from './shop-truth.js';
import type { MIRRORS } from './story.js';
import { Spinning, type Universe } from './universe.js';

/** What is checked, and the invariant that it stands for. */
export const CHECKS = {
  promises: 'L1',
  covered: 'L5',
  fresh: 'L1',
  figures: 'L1',
  settled: 'L1',
  sold: 'L1',
  sums: 'L2',
  over: 'L3',
  expiry: 'L3',
  once: 'L4',
  hash: 'L5',
  journal: 'L6',
  durable: 'L6',
  replay: 'L7',
  shop_stock: 'L8',
  time: 'L9',
  owner: 'L3',
  no_bugs: 'all',
  at_rest: 'L4',
  placed: 'L10',
  moved: 'L4',
  places: 'L1',
  woken: 'L1',
  lasting: 'L3',
} as const;

export type CheckName = keyof typeof CHECKS;

export interface Violation {
  readonly check: CheckName;
  readonly invariant: string;
  readonly detail: string;
}

class Broken extends Error {
  override readonly name = 'Broken';
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.invariant} ${violation.check}: ${violation.detail}`);
    this.violation = violation;
  }
}

export interface OracleParts {
  readonly path: string;
  readonly universe: Universe;
  readonly network: Network;
  readonly shop: Shop;
  readonly mirror: (typeof MIRRORS)[number];
  readonly without: ReadonlySet<CheckName>;
}

export interface CallSeen {
  readonly by: string;
  readonly tool: string;
  readonly args: object;
  readonly answer: Answered;
  /** By the shop's clock or the server's, whichever is behind. */
  readonly sent_ms: number;
}

interface Promised {
  readonly reservation_id: string;
  readonly stock_hash: string;
  readonly by: string;
  readonly expires_at_ms: number;
}

const LIVE: ReadonlySet<string> = new Set(['active', 'submitted']);
const OVER: ReadonlySet<string> = new Set(['released', 'expired']);
const AT_SHOP: ReadonlySet<string> = new Set(['placed', 'fulfilled', 'cancelled']);
const SOLD: ReadonlySet<string> = new Set(['accepted', 'placed', 'fulfilled', 'cancelled']);

/** The longest that a sale can come after the arrival of the read that it rests on: the read's own time limit, and a second. */
const GAP_MS = 12_000;
/** What a heartbeat may not have seen yet of what it confirms: the search lags, and an answer is under way for a while. */
const UNSEEN_MS = 45_000;
/** Ledger time is rounded down. */
const CLOCK_SLACK_MS = 5;
/** The shop's clock is known by a header of whole seconds. */
const DATE_MS = 2_000;
/** Nothing is promised on figures of which nobody has heard for longer; a clock that was set back loses some seconds. */
const UNHEARD_MAX_MS = 120_000 + 30_000;
/** No hold, order or link of a story needs the shop to hold units for longer. */
const HOLD_MAX_MS = 3_600_000;
/** A call that was under way when its server died has arrived by then. */
const UNDER_WAY_MS = 60_000;
/** Why a row stays parked whose units may have been given back by a state of the ledger that is lost. */
const LEFT_TO_A_PERSON: ReadonlySet<string | null> = new Set(['left_behind', 'too_old_to_resend']);

export class Oracle {
  /** Looks at the whole. */
  checks = 0;
  readonly #parts: OracleParts;
  readonly #truth: ShopTruth;
  #rows: Rows | null = null;
  #before: Snapshot | null = null;
  readonly #promised = new Map<string, Promised>();
  readonly #orders_told = new Map<string, string>();
  readonly #by_key = new Map<string, string>();
  readonly #wishes = new Map<string, number>();
  readonly #fabricated = new Set<string>();
  readonly #meddled = new Set<string>();
  /** By tag: when a person last changed the draft, in virtual time. */
  readonly #edited_at_ms = new Map<string, number>();
  /** By reservation: when its order was first seen accepted, in virtual time. */
  readonly #accepted_at_ms = new Map<number, number>();
  /** Orders of units that others bought between the last look at the shop and the sale. */
  gap_sales = 0;
  /** When each order was first seen, in virtual time. */
  readonly #seen_at = new Map<number, number>();
  /** By tag: ledger time that had been written down when a draft of it was first there. */
  readonly #drafted_at_ms = new Map<string, number>();
  #orders_checked = 0;
  /** By tag: orders, or whole reservations, that the ledger does not know any more since it was put back. */
  readonly #lost = new Set<string>();
  /** When the ledger was last put back; long ago when it never was. */
  #putBack_ms = Number.NEGATIVE_INFINITY;
  /** Moves of orders at the shop that were looked at. */
  moves_checked = 0;
  readonly #found: Violation[] = [];

  constructor(parts: OracleParts) {
    this.#parts = parts;
    this.#truth = new ShopTruth(parts.shop, parts.universe, parts.mirror === 'move');
    parts.network.onItemsRead = (ids) => this.#truth.readArrived(ids);
  }

  close(): void {
    this.#rows?.close();
  }

  /**
   * The ledger is put back to a copy, by `act`. What was told since the copy, and is not in it, the ledger can't know: only that is
   * not asked of it any more. What is at the shop stays there, and what is bought by what is lost is bought by others.
   */
  putBack(act: () => void): void {
    this.check();
    this.#rows?.close();
    act();
    const was = this.#before;
    this.#rows = null;
    this.#before = null;
    const now = this.#snapshot();
    if (was === null || now === null) return;
    this.#before = now;
    this.#putBack_ms = this.#parts.universe.now_ms;
    const tags = new Set([...now.reservations.values()].map(({ tag }) => tag));
    const lost = [...was.reservations.values()].filter(({ tag }) => !tags.has(tag)).map(({ tag }) => tag);
    this.#truth.lose(lost);
    const isForgotten = ({ key }: OrderRow) => !now.orders.has(key);
    const unordered = [...was.orders.values()]
      .filter(isForgotten)
      .flatMap(({ key }) => was.reservations.get(key) ?? []);
    for (const tag of [...lost, ...unordered.map((row) => row.tag)]) this.#lost.add(tag);
    const ids = new Set([...now.reservations.values(), ...now.orders.values()].map(({ id }) => id));
    for (const id of this.#promised.keys()) if (!ids.has(id)) this.#promised.delete(id);
    for (const id of this.#orders_told.keys()) if (!ids.has(id)) this.#orders_told.delete(id);
    for (const [name, id] of this.#by_key) if (!ids.has(id)) this.#by_key.delete(name);
    // The ledger's time goes on from the copy.
    const drafted = new Set(this.#truth.openDrafts().map(({ tag }) => tag));
    for (const [tag, at_ms] of this.#drafted_at_ms) {
      if (drafted.has(tag)) this.#drafted_at_ms.set(tag, Math.min(at_ms, now.head.last_at_ms));
      else this.#drafted_at_ms.delete(tag);
    }
    // Keys of rows are given out anew.
    for (const key of this.#seen_at.keys()) if (!now.orders.has(key)) this.#seen_at.delete(key);
    for (const key of this.#accepted_at_ms.keys())
      if (!SOLD.has(now.orders.get(key)?.state ?? '')) this.#accepted_at_ms.delete(key);
  }

  get #wasPutBack(): boolean {
    return this.#putBack_ms > Number.NEGATIVE_INFINITY;
  }

  violationOf(error: unknown): Violation | null {
    if (error instanceof Spinning)
      return { check: 'no_bugs', invariant: CHECKS.no_bugs, detail: error.message };
    return error instanceof Broken ? error.violation : null;
  }

  /** After each step. Throws at the first thing that must not be. */
  check(): void {
    this.#raise();
    const is_shop_changed = this.#truth.look();
    const now = this.#snapshot();
    if (now === null && !is_shop_changed) return;
    this.checks += 1;
    if (is_shop_changed) this.#checkShop(now ?? this.#before);
    if (now !== null) {
      this.#checkRows(now);
      if (this.#before !== null) this.#checkChange(this.#before, now);
      this.#before = now;
    }
    this.#raise();
  }

  /** Whether an order was accepted that the shop does not have yet. */
  isOrderUnderWay(): boolean {
    const last = this.#before;
    if (last === null) return false;
    const made = new Set(this.#truth.orders.map(({ tag }) => tag));
    return [...last.orders.values()].some(
      ({ key, state }) => state === 'accepted' && !made.has(last.reservations.get(key)?.tag ?? ''),
    );
  }

  /** Whether there is nothing left to do. */
  isAtRest(): boolean {
    return this.#leftOver().length === 0;
  }

  /** When everything should have come to rest: nothing is left behind, and nothing was lost. */
  checkRest(): void {
    for (const detail of this.#leftOver()) this.#fail('at_rest', detail);
    this.#raise();
  }

  #leftOver(): string[] {
    const last = this.#before;
    if (last === null) return ['the ledger was never made'];
    const rows = [...last.reservations.values()];
    const is_ours = ({ tag }: { readonly tag: string }) =>
      !this.#meddled.has(tag) && !this.#edited_at_ms.has(tag);
    const isMoved = this.#parts.mirror === 'move';
    const isLeft = ({ tag, last_failure }: ReservationRow) =>
      (this.#wasPutBack && isMoved && LEFT_TO_A_PERSON.has(last_failure)) ||
      // Nobody has submitted again what was ordered in a state that is lost.
      (this.#lost.has(tag) && last_failure === 'completed_by_others');
    const parked = rows.filter((row) => row.parked === 1 && !isLeft(row));
    // Drafts that nobody knows of are let go by the shop in time. Moves are not: `doctor` tells of them.
    const mayBeReserved = this.#wasPutBack && isMoved;
    const orders = [...last.orders.values()].map((order) => ({
      ...order,
      tag: last.reservations.get(order.key)?.tag ?? '',
    }));
    // What a person has done at the shop may leave rows that only a person can judge.
    const is_clean = parked.length === 0 && this.#meddled.size === 0 && this.#edited_at_ms.size === 0;
    const { now_ms } = this.#parts.universe;
    return [
      ...rows
        .filter((row) => LIVE.has(row.state) && is_ours(row))
        .map((row) => `${row.id} is still ${row.state} (${row.shop_state})`),
      ...orders
        .filter((order) => order.state === 'accepted' && is_ours(order))
        .map(({ id }) => `${id} was accepted and is not placed`),
      ...parked.filter(is_ours).map(({ id, last_failure }) => `${id} is parked (${last_failure})`),
      ...(is_clean ? last.holds.map(({ key, state }) => `reservation ${key} has a hold (${state})`) : []),
      ...this.#truth
        .openDrafts()
        .filter((draft) => is_ours(draft) && !this.#lost.has(draft.tag))
        .map(({ name }) => `the draft ${name} is left at the shop`),
      ...(is_clean
        ? [...this.#truth.reserved()]
            .filter(([, units]) => (mayBeReserved ? units < 0 : units !== 0))
            .map(([sku, units]) => `${units} of ${sku} are left reserved`)
        : []),
      ...last.levels
        .filter(
          ({ item_id, location_id, available }) =>
            !this.#truth.hadFigure(item_id, location_id, available, now_ms),
        )
        .map(({ sku, available }) => `the ledger says ${available} of ${sku}`),
    ];
  }

  // What agents tell.

  /** Before an agent wishes for units: each wish makes one reservation at most. */
  wishes(by: string): void {
    this.#wishes.set(by, (this.#wishes.get(by) ?? 0) + 1);
  }

  fabricated(stock_hash: string): void {
    this.#fabricated.add(stock_hash);
  }

  meddled(tags: readonly string[]): void {
    for (const tag of tags) if (tag !== 'holdfast') this.#meddled.add(tag);
  }

  /** A person has changed a draft of ours: what it holds is not what was reserved any more. */
  edited(tags: readonly string[]): void {
    for (const tag of tags) if (tag !== 'holdfast') this.#edited_at_ms.set(tag, this.#parts.universe.now_ms);
  }

  bug(what: string): void {
    this.#fail('no_bugs', what.slice(0, 1_500));
  }

  /** A reservation of somebody else, to reach for. */
  anotherOnes(by: string, draw: number): Pick<Promised, 'reservation_id' | 'stock_hash'> | null {
    const others = [...this.#promised.values()].filter((one) => one.by !== by);
    return others[Math.floor(draw * others.length)] ?? null;
  }

  reachedForAnothers(by: string, reservation_id: string, answer: Answered): void {
    if (codeOf(answer) === 'reservation_unknown' || AGAIN.has(codeOf(answer) ?? '')) return;
    this.#fail(
      'owner',
      `${by} reached for ${reservation_id} and was answered ${JSON.stringify(answer.content)}`,
    );
  }

  reusedKey(by: string, answer: Answered): void {
    if (answer.is_error) return;
    this.#fail(
      'replay',
      `${by} used a key again with other arguments and was answered as if they were the same`,
    );
  }

  answered({ by, tool, args, answer, sent_ms }: CallSeen): void {
    if (answer.is_error) return;
    const { content } = answer;
    if (tool === 'reserve_units') this.#reservedAnswer(by, args, content);
    if (tool === 'submit_order_with_hash') this.#submittedAnswer(by, args, content, sent_ms);
    if (tool === 'check_stock') this.#stockAnswer(content);
  }

  #reservedAnswer(by: string, args: object, content: Answered['content']): void {
    const reservation_id = String(content['reservation_id']);
    const key = (args as { idempotency_key?: string }).idempotency_key;
    this.#sameAnswer(`${by} reserve ${key}`, key, reservation_id);
    this.#promised.set(reservation_id, {
      reservation_id,
      by,
      stock_hash: String(content['stock_hash']),
      expires_at_ms: Date.parse(String(content['expires_at'])),
    });
  }

  #submittedAnswer(by: string, args: object, content: Answered['content'], sent_ms: number): void {
    const { idempotency_key: key, reservation_id } = args as {
      idempotency_key?: string;
      reservation_id: string;
    };
    const order_id = String(content['order_id']);
    const is_news = !this.#orders_told.has(order_id);
    this.#sameAnswer(`${by} submit ${key}`, key, order_id);
    this.#orders_told.set(order_id, String(content['status']));
    const promise = this.#promised.get(reservation_id);
    // Times are told by the shop's clock, or by the server's before the shop has answered: neither was there yet.
    if (
      is_news &&
      content['replayed'] !== true &&
      promise !== undefined &&
      sent_ms >= promise.expires_at_ms + DATE_MS
    ) {
      this.#fail(
        'expiry',
        `${order_id} was taken ${sent_ms - promise.expires_at_ms} ms after ${reservation_id} had expired`,
      );
    }
  }

  /** What is shown as available was not sold long ago. */
  #stockAnswer(content: Answered['content']): void {
    const items = content['items'] as
      | { sku: string; available_to_promise: number; fresh: boolean }[]
      | undefined;
    for (const { sku, available_to_promise, fresh } of items ?? []) {
      if (!fresh && available_to_promise > 0)
        this.#fail('fresh', `${sku} is not fresh and shows ${available_to_promise}`);
    }
  }

  #sameAnswer(name: string, key: string | undefined, id: string): void {
    if (key === undefined) return;
    const first = this.#by_key.get(name);
    this.#by_key.set(name, first ?? id);
    if (first !== undefined && first !== id) this.#fail('replay', `${name} made ${first}, and then ${id}`);
  }

  // What is looked at.

  #snapshot(): Snapshot | null {
    try {
      this.#rows ??= new Rows(this.#parts.path);
      return this.#rows.changed();
    } catch (error) {
      // Nobody has made the file yet, or its tables.
      if (this.#before === null) {
        this.#rows = null;
        return null;
      }
      throw error;
    }
  }

  #checkShop(rows: Snapshot | null): void {
    const truth = this.#truth;
    for (const sale of truth.oversold.splice(0)) this.#checkSale(sale, rows);
    for (const detail of truth.meddling.splice(0)) this.#fail('shop_stock', detail);
    this.#checkMoves();
    const drafts = truth.openDrafts();
    for (const { tag } of drafts) {
      if (!this.#drafted_at_ms.has(tag)) this.#drafted_at_ms.set(tag, this.#before?.head.last_at_ms ?? 0);
    }
    if (rows === null) return;
    const by_tag = new Map([...rows.reservations.values()].map((row) => [row.tag, row]));
    for (const { name, tag, units, until_ms } of drafts) {
      const lasts_ms = (until_ms ?? 0) - this.#parts.shop.nowMs();
      if (lasts_ms > HOLD_MAX_MS) this.#fail('lasting', `the draft ${name} is reserved for ${lasts_ms} ms`);
      const row = by_tag.get(tag);
      if (row === undefined && this.#lost.has(tag)) continue;
      const is_ours = row !== undefined && sameUnits(units, unitsOf(row));
      if (!is_ours && !this.#edited_at_ms.has(tag))
        this.#fail('shop_stock', `the draft ${name} takes ${show(units)}, and nobody reserved that`);
    }
    const orders = truth.orders.slice(this.#orders_checked);
    this.#orders_checked = truth.orders.length;
    for (const { name, tag, units } of orders) {
      if (this.#meddled.has(tag)) continue;
      const row = by_tag.get(tag);
      const order = row === undefined ? undefined : rows.orders.get(row.key);
      const doubles = truth.orders.filter((other) => other.tag === tag);
      if (doubles.length > 1)
        this.#fail('once', `${doubles.map((other) => other.name).join(' and ')} are one order of ours`);
      const { now_ms } = this.#parts.universe;
      if (this.#lost.has(tag) && order === undefined && now_ms - this.#putBack_ms < UNDER_WAY_MS) continue;
      if (row === undefined || order === undefined || !SOLD.has(order.state))
        this.#fail('once', `${name} is at the shop, and our order is ${order?.state ?? 'not there'}`);
      else if (!sameUnits(units, unitsOf(row)) && this.#parts.universe.now_ms - this.#editedAt(tag) > GAP_MS)
        this.#fail('placed', `${name} has ${show(units)}, reserved were ${show(unitsOf(row))}`);
    }
  }

  /** No fulfilment order is moved to the same place a second time. */
  #checkMoves(): void {
    const { done } = this.#parts.shop.fulfillmentMoves;
    for (; this.moves_checked < done.length; this.moves_checked += 1) {
      const move = done[this.moves_checked];
      const before = done.slice(0, this.moves_checked);
      const again = before.find(
        (one) =>
          one.fulfillmentOrderId === move?.fulfillmentOrderId && one.toLocationId === move.toLocationId,
      );
      if (again !== undefined) this.#fail('moved', `${again.fulfillmentOrderId} was asked to be moved twice`);
    }
  }

  /** When a person last changed the draft of that tag; long ago when none did. */
  #editedAt(tag: string): number {
    return this.#edited_at_ms.get(tag) ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * An order of ours that sold what was not there. Between the last look at the shop and the effect of the sale nothing can be
   * known; what a look since the order was accepted would have shown can.
   */
  #checkSale({ name, tag, item_id, since_ms }: OversoldOrder, rows: Snapshot | null): void {
    if (this.#meddled.has(tag)) return;
    const { now_ms } = this.#parts.universe;
    const row = [...(rows?.reservations.values() ?? [])].find((one) => one.tag === tag);
    const isUnderWay = this.#lost.has(tag) && now_ms - this.#putBack_ms < UNDER_WAY_MS;
    const accepted_ms = this.#accepted_at_ms.get(row?.key ?? 0) ?? (isUnderWay ? 0 : now_ms);
    const read_ms = this.#truth.firstReadSince(item_id, Math.max(accepted_ms, now_ms - GAP_MS));
    if (read_ms === null) this.#fail('sold', `${name} sold what was not there, and nobody looked before`);
    else if (since_ms <= read_ms)
      this.#fail('sold', `${name} sold what was not there for ${now_ms - since_ms} ms`);
    else this.gap_sales += 1;
  }

  #checkRows({ levels, holds, reservations, orders }: Snapshot): void {
    const sums = new Map(levels.map(({ level_key }) => [level_key, { held: 0, mirrored: 0 }]));
    for (const { key, level_key, units, state } of holds) {
      const at = sums.get(level_key);
      if (at !== undefined && state === 'counted') at.held += units;
      else if (at !== undefined) at.mirrored += units;
      const owner = reservations.get(key);
      if (owner !== undefined && OVER.has(owner.state) && state !== 'returning')
        this.#fail('over', `${owner.id} is ${owner.state} and holds ${units} (${state})`);
    }
    for (const { level_key, sku, held, mirrored } of levels) {
      const at = sums.get(level_key);
      if (at?.held !== held || at.mirrored !== mirrored)
        this.#fail(
          'sums',
          `${sku}: held ${held} and mirrored ${mirrored}, the holds say ${at?.held} and ${at?.mirrored}`,
        );
    }
    for (const { key, state, id } of orders.values()) {
      const owner = reservations.get(key);
      const is_ended = state === 'rejected' || state === 'failed';
      if (is_ended && owner !== undefined && !OVER.has(owner.state))
        this.#fail('over', `${id} is ${state} and its reservation ${owner.state}`);
      const is_there = this.#truth.orders.some(({ tag }) => tag === owner?.tag);
      if (AT_SHOP.has(state) && !is_there)
        this.#fail('once', `${id} is ${state}, and the shop has no such order`);
      if (is_ended && is_there && !this.#meddled.has(owner?.tag ?? ''))
        this.#fail('once', `${id} is ${state}, and the shop has the order`);
    }
    for (const reservation_id of this.#promised.keys())
      this.#mustExist(reservation_id, reservations.values());
    for (const order_id of this.#orders_told.keys()) this.#mustExist(order_id, orders.values());
  }

  #mustExist(id: string, rows: Iterable<{ readonly id: string }>): void {
    for (const row of rows) if (row.id === id) return;
    this.#fail('durable', `${id} was promised, and the ledger does not know it`);
  }

  #checkChange(before: Snapshot, now: Snapshot): void {
    this.#checkJournal(before, now);
    this.#checkStates(before, now);
    this.#checkFigures(before, now);
    this.#checkHolds(before, now);
    if (this.#parts.mirror === 'draft_order') {
      this.#checkSeenPlaces(before, now);
      this.#checkWoken(before, now);
    }
    const granted = [...now.reservations.values()].filter(({ key }) => !before.reservations.has(key));
    for (const row of granted) this.#checkGrant(row, now);
    for (const order of now.orders.values()) this.#checkOrder(order, before, now);
    if (granted.length > 0) this.#checkWishes(now);
    if (now.head.last_at_ms < before.head.last_at_ms)
      this.#fail('time', `the ledger went from ${before.head.last_at_ms} to ${now.head.last_at_ms}`);
  }

  #checkWishes({ reservations }: Snapshot): void {
    const made = new Map<string, number>();
    for (const { principal } of reservations.values()) made.set(principal, (made.get(principal) ?? 0) + 1);
    for (const [by, count] of made) {
      const wished = this.#wishes.get(by) ?? 0;
      if (count > wished) this.#fail('replay', `${by} wished for ${wished} reservations and has ${count}`);
    }
  }

  #checkJournal(before: Snapshot, now: Snapshot): void {
    let seq = before.head.journal_seq;
    let at_ms = 0;
    let hash = before.head.journal_hash.toString('hex');
    for (const entry of now.entries) {
      const { reservation_key, item_key, kind, data } = entry;
      const text = [hash, entry.seq, entry.at_ms, kind, reservation_key ?? '-', item_key ?? '-', data].join(
        '\n',
      );
      hash = createHash('sha256').update(text).digest('hex');
      if (entry.seq !== seq + 1) this.#fail('journal', `entry ${entry.seq} follows ${seq}`);
      if (entry.hash.toString('hex') !== hash)
        this.#fail('journal', `entry ${entry.seq} is not chained to the one before`);
      if (entry.at_ms < at_ms || entry.at_ms < before.head.last_at_ms)
        this.#fail('time', `entry ${entry.seq} is older than the one before`);
      ({ seq, at_ms } = entry);
    }
    if (now.head.journal_seq !== seq || now.head.journal_hash.toString('hex') !== hash)
      this.#fail('journal', 'the head is not the last entry');
  }

  /** Every change has an entry, and what is over stays so. */
  #checkStates(before: Snapshot, now: Snapshot): void {
    const told = new Set(now.entries.map(({ reservation_key }) => reservation_key));
    const items_told = new Set(now.entries.map(({ item_key }) => item_key));
    for (const row of now.reservations.values()) {
      const was = before.reservations.get(row.key);
      if (was !== undefined && !LIVE.has(was.state) && was.state !== row.state)
        this.#fail('over', `${row.id} was ${was.state} and is ${row.state}`);
      if (was?.state !== row.state && !told.has(row.key))
        this.#fail('journal', `${row.id} became ${row.state}, and the journal does not say so`);
    }
    for (const row of now.orders.values()) {
      if (before.orders.get(row.key)?.state !== row.state && !told.has(row.key))
        this.#fail('journal', `${row.id} became ${row.state}, and the journal does not say so`);
    }
    const versions = new Map(before.items.map((item) => [item.item_key, item]));
    for (const { item_key, sku, state_version, stock_hash } of now.items) {
      const was = versions.get(item_key);
      if (was === undefined) continue;
      if (was.state_version !== state_version && !items_told.has(item_key))
        this.#fail('journal', `${sku} has a new version, and the journal does not say so`);
      if ((was.stock_hash !== stock_hash) !== (was.state_version !== state_version))
        this.#fail(
          'hash',
          `${sku}: version ${was.state_version} → ${state_version} does not go with its checksum`,
        );
    }
  }

  /** The ledger's figures are the shop's, read a moment ago. */
  #checkFigures(before: Snapshot, now: Snapshot): void {
    const known = new Map(before.levels.map((level) => [level.level_key, level]));
    for (const { level_key, sku, item_id, location_id, available, read_at_ms } of now.levels) {
      if (known.get(level_key)?.available === available) continue;
      // It says itself when the read of it began; a clock that jumped only makes that longer ago.
      const age_ms = Math.max(0, now.head.last_at_ms - read_at_ms);
      const since = this.#parts.universe.now_ms - age_ms - CLOCK_SLACK_MS;
      if (!this.#truth.hadFigure(item_id, location_id, available, since))
        this.#fail(
          'figures',
          `the ledger says ${available} of ${sku}, which the shop did not say in ${age_ms} ms`,
        );
    }
  }

  /** Holds move on when a report says so, and not before. */
  #checkHolds(before: Snapshot, now: Snapshot): void {
    const levels = new Map(now.levels.map((level) => [level.level_key, level]));
    const sku_of = (level_key: number) => levels.get(level_key)?.sku;
    const held = new Map(now.holds.map((hold) => [`${hold.key} ${sku_of(hold.level_key)}`, hold]));
    for (const hold of before.holds) {
      // The units may turn out to stand at another place than was promised.
      const after = held.get(`${hold.key} ${sku_of(hold.level_key)}`);
      const order = now.orders.get(hold.key);
      const read_at_ms = levels.get(after?.level_key ?? hold.level_key)?.read_at_ms ?? 0;
      const is_placed = order !== undefined && AT_SHOP.has(order.state);
      if (after === undefined && is_placed && read_at_ms < (order.placed_at_ms ?? 0))
        this.#fail('settled', `a hold of ${order.id} is gone before its sale can be in the figures`);
      const owner = now.reservations.get(hold.key);
      if (after === undefined && owner !== undefined && LIVE.has(owner.state))
        this.#fail('settled', `${owner.id} is ${owner.state} and its hold is gone`);
      const age_ms = Math.max(0, now.head.last_at_ms - read_at_ms);
      const read_since_ms = this.#parts.universe.now_ms - age_ms - CLOCK_SLACK_MS;
      const isMirrored = hold.state === 'counted' && after?.state === 'mirrored';
      if (isMirrored && !this.#isHeldAtShop(owner, read_since_ms))
        this.#fail('settled', `${owner?.id} is mirrored, and the shop holds nothing for it`);
      // Read before the draft was there, the figure can't leave its units out.
      const drafted_at_ms = this.#drafted_at_ms.get(owner?.tag ?? '') ?? 0;
      if (hold.state === 'counted' && after?.state === 'mirrored' && read_at_ms < drafted_at_ms)
        this.#fail('settled', `${owner?.id} is mirrored on a figure that was read before its draft was made`);
    }
  }

  /**
   * A place that is told as seen is where the shop took the units of the draft. Only of an item that nobody else has touched
   * since it was read before: a sale and a delivery at the same moment can look like the taking of a draft.
   */
  #checkSeenPlaces(before: Snapshot, now: Snapshot): void {
    const levels = new Map(now.levels.map((level) => [level.level_key, level]));
    const nameOf = ({ key, level_key, units }: HoldRow) => `${key} ${level_key} ${units}`;
    const known = new Set(before.holds.filter(({ place }) => place === 'seen').map(nameOf));
    for (const hold of now.holds) {
      if (hold.place !== 'seen' || hold.state !== 'mirrored' || known.has(nameOf(hold))) continue;
      const level = levels.get(hold.level_key);
      const was = before.levels.find(({ level_key }) => level_key === hold.level_key);
      const tag = now.reservations.get(hold.key)?.tag ?? '';
      if (level === undefined || was === undefined || this.#edited_at_ms.has(tag) || this.#meddled.has(tag))
        continue;
      const age_ms = Math.max(0, now.head.last_at_ms - was.read_at_ms);
      const since = this.#parts.universe.now_ms - age_ms - UNSEEN_MS;
      if (this.#truth.isTouchedSince(level.item_id, since)) continue;
      const taken = this.#truth.takenAt(tag, level.item_id, level.location_id);
      if (taken !== null && taken !== hold.units)
        this.#fail('places', `${hold.units} of ${level.sku} are told to stand where the draft took ${taken}`);
    }
  }

  /** As soon as the figures show that the shop sold what drafts of ours rest on, one of them is due. */
  #checkWoken(before: Snapshot, now: Snapshot): void {
    for (const { sku } of now.items) {
      const short = shortOf(sku, now);
      const isFall = availableOf(sku, now) < availableOf(sku, before);
      if (!isFall || short <= Math.max(0, shortOf(sku, before))) continue;
      const keys = new Set(now.levels.filter((level) => level.sku === sku).map(({ level_key }) => level_key));
      const resting = now.holds
        .filter(
          ({ level_key, state, awaits }) =>
            keys.has(level_key) && (state === 'mirrored' || awaits === 'mirror'),
        )
        .flatMap(({ key }) => now.reservations.get(key) ?? [])
        .filter(({ shop_state, parked }) => shop_state === 'open' && parked === 0);
      const isLate = ({ due_at_ms, claimed_until_ms }: ReservationRow) =>
        claimed_until_ms === null && (due_at_ms === null || due_at_ms > now.head.last_at_ms);
      if (resting.length > 0 && resting.every(isLate))
        this.#fail('woken', `${short} of ${sku} are missing, and no draft that rests on them is looked at`);
    }
  }

  /** Whether the shop has its draft, or had it when the read began: a person may have removed it while the answer was under way. */
  #isHeldAtShop(owner: ReservationRow | undefined, readSince_ms: number): boolean {
    if (owner === undefined || this.#parts.mirror === 'move') return true;
    const { shop } = this.#parts;
    return (
      [...shop.draftOrders.all()].some(({ tags }) => tags.includes(owner.tag)) ||
      this.#meddled.has(owner.tag) ||
      this.#editedAt(owner.tag) >= readSince_ms
    );
  }

  /** L1: with this one, no more is promised than there was. */
  #checkGrant(row: ReservationRow, now: Snapshot): void {
    const { universe, network } = this.#parts;
    const unheard_ms = universe.now_ms - network.last_answer_ms;
    if (unheard_ms > UNHEARD_MAX_MS)
      this.#fail(
        'fresh',
        `${row.id} was granted when nothing had been heard of the shop for ${unheard_ms} ms`,
      );
    this.#checkPlaces('promises', row, now);
    for (const sku of unitsOf(row).keys()) {
      const item = now.items.find((one) => one.sku === sku);
      if (item === undefined || this.#isPlaced(sku, now)) continue;
      const confirmed = Math.max(item.read_at_ms, now.head.confirmed_at_ms);
      const age_ms = Math.max(0, row.created_at_ms - confirmed);
      const since = universe.now_ms - age_ms - UNSEEN_MS;
      const owned = this.#ownedOf(sku, now, row.key, row.created_at_ms);
      const most = this.#truth.mostSince(sku, since);
      if (owned > most)
        this.#fail('promises', `${row.id}: ${owned} of ${sku} are promised or sold, and there were ${most}`);
    }
  }

  /** Whether the shop has it at several places, and units are taken where they were promised: then only the places tell. */
  #isPlaced(sku: string, now: Snapshot): boolean {
    return this.#parts.mirror === 'move' && isSpread(sku, now);
  }

  /** The ledger's figures cover those who came first and this one: the item's, or where units are moved those of each place. */
  #checkPlaces(check: 'promises' | 'covered', row: ReservationRow, now: Snapshot): void {
    if (this.#parts.mirror === 'move') this.#checkEachPlace(check, row, now);
    else this.#checkItems(check, row, now);
  }

  #checkItems(check: 'promises' | 'covered', row: ReservationRow, now: Snapshot): void {
    for (const sku of unitsOf(row).keys()) {
      const levels = now.levels.filter((level) => level.sku === sku);
      const keys = new Set(levels.map(({ level_key }) => level_key));
      const ahead = now.holds.filter(({ key, level_key, state, place }) => {
        const owner = now.reservations.get(key);
        const is_live =
          owner?.state === 'submitted' ||
          (owner?.state === 'active' && owner.expires_at_ms > now.head.last_at_ms);
        // Its own that no fall has shown are in the figure, or gone from it and its own.
        const is_missed = key === row.key && place === 'missed';
        return keys.has(level_key) && key <= row.key && is_live && state !== 'returning' && !is_missed;
      });
      const units = ahead.reduce((sum, hold) => sum + hold.units, 0);
      const most = levels.reduce((sum, level) => sum + level.available + level.mirrored, 0);
      if (units > most)
        this.#fail(check, `${row.id}: ${units} of ${sku} come first or are its own, and there were ${most}`);
    }
  }

  #checkEachPlace(check: 'promises' | 'covered', row: ReservationRow, now: Snapshot): void {
    for (const own of now.holds.filter(({ key }) => key === row.key)) {
      const level = now.levels.find(({ level_key }) => level_key === own.level_key);
      if (level === undefined) continue;
      const ahead = now.holds.filter(({ key, level_key, state }) => {
        const owner = now.reservations.get(key);
        const is_live =
          owner?.state === 'submitted' ||
          (owner?.state === 'active' && owner.expires_at_ms > now.head.last_at_ms);
        return level_key === own.level_key && key <= row.key && is_live && state !== 'returning';
      });
      const units = ahead.reduce((sum, hold) => sum + hold.units, 0);
      const most = level.available + level.mirrored;
      if (units > most)
        this.#fail(
          check,
          `${row.id}: ${units} of ${level.sku} come first or are its own at one place, and there were ${most}`,
        );
    }
  }

  /** Units of the SKU that are ours or an agent's: sold by us, and promised to live reservations up to that one. */
  #ownedOf(sku: string, { reservations }: Snapshot, last_key: number, at_ms: number): number {
    const sold = new Set(this.#truth.orders.map(({ tag }) => tag));
    let owned = this.#truth.sold(sku);
    for (const row of reservations.values()) {
      const is_live = row.state === 'submitted' || (row.state === 'active' && row.expires_at_ms > at_ms);
      if (row.key <= last_key && is_live && !sold.has(row.tag)) owned += unitsOf(row).get(sku) ?? 0;
    }
    return owned;
  }

  /** L5: what was accepted was true, or has been looked at anew. */
  #checkOrder(order: OrderRow, before: Snapshot, now: Snapshot): void {
    const was = before.orders.get(order.key);
    const { now_ms } = this.#parts.universe;
    const row = now.reservations.get(order.key);
    if (row === undefined) return;
    if (was === undefined) {
      this.#seen_at.set(order.key, now_ms);
      if (this.#fabricated.has(order.stock_hash))
        this.#fail('hash', `${order.id} stands on a checksum that was never issued`);
      const skus = [...unitsOf(row).keys()];
      const is_true = momentsOf(order, skus, before, now).some(
        ({ items }) => basketOf(skus, items) === order.stock_hash,
      );
      if (order.verdict === 'match' && !is_true)
        this.#fail('hash', `${order.id} was accepted on a checksum that was not true`);
      const accepted = now.entries.find(
        (entry) => entry.reservation_key === order.key && entry.kind === 'order.accepted',
      );
      if (order.verdict === 'stale' && accepted !== undefined)
        this.#fail('hash', `${order.id} was accepted on a stale checksum without a look`);
    }
    const is_accepted = SOLD.has(order.state) && (was === undefined || was.state === 'held');
    if (!is_accepted) return;
    if (!this.#accepted_at_ms.has(order.key)) this.#accepted_at_ms.set(order.key, now_ms);
    this.#checkPlaces('covered', row, now);
    const seen_at = this.#seen_at.get(order.key) ?? now_ms;
    for (const sku of unitsOf(row).keys()) {
      if (this.#isPlaced(sku, now)) continue;
      const item = now.items.find((one) => one.sku === sku);
      const confirmed = Math.max(item?.read_at_ms ?? 0, now.head.confirmed_at_ms);
      const age_ms = Math.max(0, now.head.last_at_ms - confirmed);
      const since = was === undefined ? now_ms - age_ms - UNSEEN_MS : seen_at;
      const owned = this.#ownedOf(sku, now, row.key, now.head.last_at_ms);
      const most = this.#truth.mostSince(sku, since);
      if (owned > most)
        this.#fail(
          'covered',
          `${order.id}: ${owned} of ${sku} come first or are its own, and there were ${most}`,
        );
    }
  }

  #fail(check: CheckName, detail: string): void {
    if (this.#parts.without.has(check)) return;
    this.#found.push({ check, invariant: CHECKS[check], detail });
  }

  #raise(): void {
    const [first] = this.#found;
    if (first !== undefined) throw new Broken(first);
  }
}

/** Units that live holds have on our side, beyond what the figures say is there; below zero when there is more. */
function shortOf(sku: string, { levels, holds, reservations, head }: Snapshot): number {
  const own = levels.filter((level) => level.sku === sku);
  const keys = new Set(own.map(({ level_key }) => level_key));
  const live = holds.filter(({ key, level_key, state }) => {
    const owner = reservations.get(key);
    const isExpired = owner?.state === 'active' && owner.expires_at_ms <= head.last_at_ms;
    return keys.has(level_key) && state === 'counted' && !isExpired;
  });
  return live.reduce((units, hold) => units + hold.units, 0) - availableOf(sku, { levels });
}

function availableOf(sku: string, { levels }: Pick<Snapshot, 'levels'>): number {
  return levels.filter((level) => level.sku === sku).reduce((units, { available }) => units + available, 0);
}

/** Whether the shop has it at several places. */
function isSpread(sku: string, { levels }: Snapshot): boolean {
  return levels.filter((level) => level.sku === sku).length > 1;
}

const AGAIN: ReadonlySet<string> = new Set(['busy', 'internal']);

/** As which of the two the stock may have stood when the order was made: the journal says what came before, and what after. */
function momentsOf(
  order: OrderRow,
  skus: readonly string[],
  before: Snapshot,
  now: Snapshot,
): readonly Snapshot[] {
  const made = now.entries.find(
    ({ reservation_key, kind }) => reservation_key === order.key && MADE.has(kind),
  );
  const keys = new Set(now.items.filter(({ sku }) => skus.includes(sku)).map(({ item_key }) => item_key));
  const changes = now.entries.filter(
    ({ item_key, kind }) => kind === 'stock.changed' && item_key !== null && keys.has(item_key),
  );
  const seq = made?.seq ?? 0;
  if (changes.every((change) => change.seq < seq)) return [now];
  return changes.every((change) => change.seq > seq) ? [before] : [before, now];
}

const MADE: ReadonlySet<string> = new Set(['order.accepted', 'order.held']);

/** The checksum over several, as the specification has it, written anew. */
function basketOf(skus: readonly string[], items: Snapshot['items']): string {
  const hashes = skus
    .toSorted()
    .map((sku) => ({ sku, stock_hash: items.find((item) => item.sku === sku)?.stock_hash ?? '' }));
  const [first] = hashes;
  if (hashes.length === 1) return first?.stock_hash ?? '';
  const listed = hashes.map(
    ({ sku, stock_hash }) => `{"sku":${JSON.stringify(sku)},"stock_hash":"${stock_hash}"}`,
  );
  const text = `{"items":[${listed.join(',')}],"shop":"sandbox.myshopify.com","typ":"stock-basket","v":1}`;
  // JCS sorts the keys of each object: sku comes before stock_hash, items before shop, typ and v.
  return `sha256:${createHash('sha256').update(text.replaceAll('"sku":', '"sku":')).digest('hex')}`;
}

function sameUnits(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([sku, units]) => b.get(sku) === units);
}

function show(units: ReadonlyMap<string, number>): string {
  return [...units].map(([sku, count]) => `${count} ${sku}`).join(', ');
}
