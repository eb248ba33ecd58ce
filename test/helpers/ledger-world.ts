/**
 * A ledger, a plain shop, and a plain model of who owns which unit, moved by the same events. `check` holds the
 * ledger against the model: it may promise less than the model says is free, never more.
 */

import { expect } from 'vitest';
import { grantedBySku } from '../../src/ledger/model/reservation.js';
import { decideBuyerRefused } from '../../src/ledger/order/buyer-refused.js';
import { decideOffered, decideUnpaid, isOffered } from '../../src/ledger/order/checkout-link.js';
import { decideFailed, decidePlaced } from '../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../src/ledger/order/revalidation.js';
import {
  decideAbsent,
  decideClaim,
  decideDeleted,
  decideDetailsSent,
  decideEmptyLookup,
  decideLater,
  decideNextStep,
  decideOpen,
  decideReread,
  decideUnmirrored,
} from '../../src/ledger/outbox/next-step.js';
import { decideTaken } from '../../src/ledger/outbox/transfer-steps.js';
import { decideExpire } from '../../src/ledger/reservation/release.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type { Claim, Work } from '../../src/ledger/state/job.js';
import type { Decision, LedgerSettings, LedgerState } from '../../src/ledger/state/state.js';
import { seededRandom } from '../../src/sandbox/base/random.js';
import type { Database } from '../../src/store/sqlite/database/driver.js';
import { loadDriver } from '../../src/store/sqlite/database/load-driver.js';
import { verifyLedger } from '../../src/store/sqlite/verify.js';
import {
  AGENT,
  answerOf,
  dueRows,
  HOUR,
  MINUTE,
  SECOND,
  STORE,
  TEST_LOCATIONS,
  TestLedger,
  units,
  type VirtualTime,
  WAREHOUSE,
} from './ledger.js';
import { type Draft, type Figure, type PlainOrder, PlainShop, type Reading } from './plain-shop.js';

export const SKUS = ['tee', 'cap'] as const;
const LOCATIONS = [WAREHOUSE, STORE];
const CLAIM: Omit<Claim, 'worker'> = { claim_ms: 5 * SECOND, check_ms: 5 * MINUTE, resend_max_ms: 20 * HOUR };
const PAY_MS = 5 * MINUTE;
/** The whole proof is dear, and what it would find stays to be found: the rest is checked after each step. */
const VERIFY_EVERY = 5;
/** Where units are that the shop chooses the place of. */
const ANYWHERE = 'anywhere';
const NO_REASON = { code: 'shop_refused', detail: 'The shop said no.' } as const;

/**
 * What can go wrong in one step of the outbox: the process dies before the call, after it, or after its outcome was
 * written, or the shop says no.
 */
export type Fault = 'none' | 'dies_before' | 'dies_after' | 'dies_between' | 'refused' | 'details';

type Decide = <R>(by: (state: LedgerState) => Decision<R>) => Promise<R>;

type Fate = 'active' | 'submitted' | 'committed' | 'over';

interface Mine {
  readonly answer: ReserveAnswer;
  readonly tag: string;
  /** By SKU and location. */
  readonly taken: ReadonlyMap<string, number>;
  readonly expires_at_ms: number;
  readonly key: string | undefined;
  readonly quantity: number;
  readonly sku: string;
  fate: Fate;
}

export class World {
  readonly time: VirtualTime;
  readonly shop: PlainShop;
  readonly mine: Mine[] = [];
  steps = 0;
  ledger: TestLedger;
  readonly #path: string;
  readonly #settings: Partial<LedgerSettings>;
  readonly #readings: Reading[] = [];
  /** What the model believes of each level: the newest figure that was applied. */
  readonly #figures = new Map<string, Figure>();
  #db: Database | null = null;
  #workers = 0;
  /** When the worker's newest read of its items began. */
  #readSince: number | null = null;

  private constructor(
    ledger: TestLedger,
    path: string,
    settings: Partial<LedgerSettings>,
    chance: () => number,
  ) {
    this.shop = new PlainShop(SKUS, LOCATIONS, 6, chance);
    this.ledger = ledger;
    this.time = ledger.time;
    this.#path = path;
    this.#settings = settings;
  }

  static async open(
    path: string,
    mirror: LedgerSettings['mirror'],
    order_mode: LedgerSettings['order_mode'],
    /** Where the shop takes the units of drafts and orders follows from it. */
    seed: number,
  ): Promise<World> {
    const settings = { mirror, order_mode, pay_ms: PAY_MS, held_order_max_ms: HOUR };
    const ledger = await TestLedger.open({ path, settings });
    const world = new World(ledger, path, settings, seededRandom(seed));
    for (const sku of SKUS) await world.apply(world.shop.read(sku, await world.now()));
    return world;
  }

  async close(): Promise<void> {
    this.#db?.close();
    await this.ledger.close();
  }

  /**
   * What was read and not yet applied dies with the process. Its last heartbeat has left the time in the file: what a
   * process lives through after that is lost when the wall clock was set back (SPEC.md, known limits).
   */
  async restart(): Promise<void> {
    this.#readings.length = 0;
    await this.ledger.store.lease('heartbeat', 'test', SECOND);
    await this.ledger.close();
    this.ledger = await TestLedger.open({
      path: this.#path,
      settings: this.#settings,
      time: this.time,
      locations: TEST_LOCATIONS,
    });
  }

  /** Ledger time, as the store knows it. */
  now(): Promise<number> {
    return this.ledger.store.read({}, (state) => state.now_ms);
  }

  /** A call over the network takes time: no two of them begin in one millisecond, one after the other. */
  #call(): Promise<number> {
    this.time.pass(1);
    return this.now();
  }

  // What callers do.

  async reserve(
    sku: string,
    quantity: number,
    more: { partial: boolean; bound: string | null; key: string | undefined },
  ) {
    const now = await this.now();
    const before = new Map(LOCATIONS.map((at) => [at, this.#free(sku, at, now)]));
    const left = this.#freeAnywhere(sku, now);
    const replayed = more.key === undefined ? undefined : this.mine.find(({ key }) => key === more.key);
    const result = await this.ledger.reserve(sku, 1, {
      lines: [
        { sku, quantity: units(quantity), ...(more.bound === null ? {} : { location_id: more.bound }) },
      ],
      ttl_seconds: 60,
      allow_partial: more.partial,
      idempotency_key: more.key,
    });
    if (replayed !== undefined) {
      // L7: one effect, and the first answer; other arguments are refused.
      if (result.ok)
        expect(result.value).toMatchObject({
          reservation_id: replayed.answer.reservation_id,
          replayed: true,
        });
      else expect(result.refusal.code).toBe('idempotency_key_reused');
      return;
    }
    if (!result.ok) return;
    const [line] = result.value.lines;
    const taken = new Map<string, number>();
    for (const { location_id, quantity: got } of line?.allocations ?? []) {
      taken.set(`${sku} ${location_id ?? ANYWHERE}`, got);
      const free = location_id === null ? left : (before.get(location_id) ?? 0);
      expect(got, `L1: granted at ${location_id ?? ANYWHERE}`).toBeLessThanOrEqual(free);
    }
    const { outbox, reservation } = await this.ledger.owned(result.value.reservation_id);
    this.mine.push({
      answer: result.value,
      tag: outbox.tag,
      taken,
      expires_at_ms: reservation.expires_at_ms,
      key: more.key,
      quantity,
      sku,
      fate: 'active',
    });
  }

  /** Reserved, mirrored, and submitted on the checksum of now. */
  async sell(sku: string, quantity: number, bound: string | null): Promise<void> {
    const before = this.mine.length;
    await this.reserve(sku, quantity, { partial: false, bound, key: undefined });
    if (this.mine.length === before) return;
    await this.outbox('none', 0);
    await this.submit(before, 'current');
  }

  async release(index: number): Promise<void> {
    const mine = this.#pick(index);
    if (mine === undefined) return;
    const isLive = mine.fate === 'active' && (await this.now()) < mine.expires_at_ms;
    const result = await this.ledger.release(mine.answer.reservation_id);
    if (mine.fate === 'submitted' || mine.fate === 'committed') expect(result.ok).toBe(false);
    else if (result.ok) expect(result.value.replayed).toBe(!isLive);
    if (mine.fate === 'active') mine.fate = 'over';
  }

  async submit(index: number, which: 'current' | 'granted' | 'never'): Promise<void> {
    const mine = this.#pick(index);
    if (mine === undefined) return;
    const { reservation_id, stock_hash: granted } = mine.answer;
    const current =
      answerOf(await this.ledger.ledger.checkReservation(AGENT, reservation_id)).stock_hash ?? '';
    const stock_hash = { current, granted, never: `sha256:${'0'.repeat(64)}` }[which];
    const now = await this.now();
    const isLive = mine.fate === 'active' && now < mine.expires_at_ms;
    const { order } = await this.ledger.owned(reservation_id);
    // Details that the shop refused: another e-mail each time, as long as the wait for it is.
    const isCorrection =
      order?.held_for === 'buyer_refused' && order.state === 'held' && now < (order.held_until_ms ?? 0);
    const buyer = { email: `${order?.buyer_refusals ?? 0}@example.com` };
    const result = await this.ledger.submit({ reservation_id, stock_hash }, { buyer });
    if (isCorrection && which !== 'never') {
      const hash_verdict = stock_hash === current ? 'match' : 'stale';
      expect(result).toMatchObject({ ok: true, value: { order_id: order.id, hash_verdict } });
      if (result.ok && result.value.status === 'accepted') expect(hash_verdict, 'L5').toBe('match');
      return;
    }
    if (!isLive || which === 'never') {
      expect(result.ok, 'L3, L5: an order on what is over, or on a checksum that was never issued').toBe(
        false,
      );
      if (!isLive && mine.fate === 'active') mine.fate = 'over';
      return;
    }
    const verdict = stock_hash === current ? 'match' : 'stale';
    expect(result).toMatchObject({ ok: true, value: { hash_verdict: verdict } });
    if (result.ok && result.value.status === 'accepted') expect(verdict, 'L5').toBe('match');
    mine.fate = 'submitted';
  }

  async sweep(): Promise<void> {
    for (const { reservation_key } of await this.ledger.store.expiredReservations(100)) {
      await this.ledger.store.transact({ owned: { reservation_key } }, decideExpire);
    }
  }

  // What the shop does.

  /** Reads, and keeps what was read: it is applied later, in any order. */
  async read(sku: string): Promise<void> {
    this.#readings.push(this.shop.read(sku, await this.#call()));
  }

  /** One of the readings that wait; the newest for -1. */
  async applyOne(index: number): Promise<void> {
    if (this.#readings.length === 0) return;
    const [reading] = this.#readings.splice(index < 0 ? index : index % this.#readings.length, 1);
    if (reading !== undefined) await this.apply(reading);
  }

  async apply({ sku, lifecycle, figures }: Reading): Promise<void> {
    const read_at_ms = [...figures.values()][0]?.read_at_ms ?? 0;
    await this.ledger.seed({
      sku,
      lifecycle,
      levels: Object.fromEntries([...figures].map(([at, { available }]) => [at, available])),
      read_at_ms,
    });
    for (const [at, figure] of figures) {
      const known = this.#figures.get(`${sku} ${at}`);
      if (known === undefined || known.read_at_ms <= figure.read_at_ms)
        this.#figures.set(`${sku} ${at}`, figure);
    }
  }

  /** The buyer of an order pays, if there is a link to pay at. */
  async pay(index: number): Promise<void> {
    const mine = this.#pick(index);
    if (mine === undefined) return;
    const now = await this.#call();
    const { order, outbox } = await this.ledger.owned(mine.answer.reservation_id);
    const draft = this.shop.byRef(outbox.hold_ref, now);
    if (order !== null && order.checkout_url !== null && draft !== undefined) this.shop.pay(draft, now);
  }

  // What the outbox does: the steps of its rows, and the deaths between them.

  /** Works on the row that is due first; the fault strikes in the step of that number. */
  async outbox(fault: Fault, at: number): Promise<void> {
    const [due] = await dueRows(this.ledger.store, 1);
    if (due === undefined) return;
    this.#workers += 1;
    const claim: Claim = { ...CLAIM, worker: `worker-${this.#workers}` };
    const keys = { owned: due, precedence: true };
    const { store, settings } = this.ledger;
    if (!(await store.transact(keys, (state) => decideClaim(state, claim)))) return;
    this.#readSince = null;
    for (let step = 0; step < 12; step += 1) {
      const work = await store.transact(keys, (state) =>
        decideNextStep(state, claim, settings, step === 0, this.#readSince),
      );
      if (work === null) break;
      if (fault === 'dies_before' && step === at) break;
      if (!(await this.#step(work, due.reservation_key, step === at ? fault : 'none'))) break;
      if (fault === 'dies_between' && step === at) break;
    }
    await this.#learnFates();
  }

  async #step(work: Work, key: number, fault: Fault): Promise<boolean> {
    const { store } = this.ledger;
    const { owned } = work;
    const now = await this.#call();
    const decide: Decide = async (by) => {
      await this.#call();
      return store.transact({ owned: { reservation_key: key }, precedence: true }, by);
    };
    const seen = (draft: Draft) => ({ hold_ref: draft.ref, until_ms: draft.until_ms });
    const learn = async (draft: Draft): Promise<void> => {
      if (draft.state === 'completed') await decide((state) => decidePlaced(state, this.#order(draft)));
      else await decide((state) => decideOpen(state, seen(draft)));
    };
    const draft = this.shop.byRef(owned.outbox.hold_ref, now);
    switch (work.step) {
      case 'create': {
        if (fault === 'refused') {
          if (owned.order === null) {
            await decide((state) => decideUnmirrored(state, 'refused'));
            return false;
          }
          await decide((state) => decideAbsent(state, 'refused'));
          await decide((state) => decideFailed(state, NO_REASON));
          return true;
        }
        const lines = [...grantedBySku(owned.reservation.lines)].map(([sku, quantity]) => ({
          sku,
          quantity,
        }));
        const created = this.shop.create(
          owned.outbox.tag,
          lines,
          Math.max(owned.reservation.expires_at_ms, now) + 2 * MINUTE,
        );
        if (fault === 'dies_after') return false;
        await decide((state) => decideOpen(state, seen(created)));
        return true;
      }
      case 'look_up': {
        const found = this.shop.byTag(owned.outbox.tag, now);
        if (found !== undefined) await learn(found);
        else if (owned.outbox.empty_lookups < 1) {
          await decide((state) => decideEmptyLookup(state, now + 10 * SECOND));
          return false;
        } else await decide((state) => decideAbsent(state, 'looked_up'));
        return true;
      }
      case 'read_back': {
        const isPaidFor = owned.order !== null && isOffered(owned.order);
        if (draft !== undefined) await learn(draft);
        else if (isPaidFor) await decide(decideUnpaid);
        else
          await decide((state) =>
            owned.outbox.shop_state === 'deleting' ? decideDeleted(state) : decideAbsent(state, 'gone'),
          );
        return true;
      }
      case 'offer': {
        if (draft === undefined) throw new Error('offering what is not there');
        if (fault === 'details') return this.#refuseDetails(draft, decide);
        const mayHaveLapsed = draft.until_ms - now <= MINUTE;
        this.shop.extend(draft, now + PAY_MS + 2 * MINUTE, now);
        if (fault === 'dies_after') return false;
        if (mayHaveLapsed) await decide((state) => decideDetailsSent(state, seen(draft), true));
        else {
          const link = { ...seen(draft), checkout_url: `https://shop.example/${draft.ref}` };
          await decide((state) => decideOffered(state, link, now + PAY_MS));
        }
        return true;
      }
      case 'give_up':
        await decide(decideUnpaid);
        return true;
      case 'take':
      case 'give_back':
      case 'resend':
      case 'place':
      case 'find':
        return this.#moveStep(work, fault, decide, now);
      case 'complete': {
        if (draft === undefined) throw new Error('completing what is not there');
        if (fault === 'details') return this.#refuseDetails(draft, decide);
        if (draft.until_ms - now <= MINUTE) {
          this.shop.extend(draft, now + 10 * MINUTE, now);
          await decide((state) => decideDetailsSent(state, seen(draft), true));
          return true;
        }
        this.shop.complete(draft, now);
        if (fault === 'dies_after') return false;
        await decide((state) => decidePlaced(state, this.#order(draft)));
        return true;
      }
      case 'delete':
        return this.#delete(draft, owned.order, fault, decide);
      case 'look_first':
        throw new Error('this process knows what it has written');
      case 'reread':
      case 'revalidate': {
        for (const sku of SKUS) await this.apply(this.shop.read(sku, now));
        this.#readSince = now;
        if (fault === 'dies_after') return false;
        const done: unknown =
          work.step === 'revalidate'
            ? await decide((state) => decideRevalidate(state, now))
            : await decide((state) => decideReread(state, now, this.ledger.settings));
        if (done === 'dropped')
          return owned.outbox.hold_ref === null || this.#delete(draft, null, 'none', decide);
        if (done === 'unmirrored') return false;
        if (done !== 'unread') return true;
        await decide((state) =>
          decideLater(state, { delay_ms: SECOND, attempts_max: 1e9, failure: 'unread' }),
        );
        return false;
      }
      case 'rest':
      case 'route':
        return false;
    }
  }

  /** The shop refuses a detail and leaves the draft as it is. */
  async #refuseDetails(draft: Draft, decide: Decide): Promise<boolean> {
    await decide((state) => decideOpen(state, { hold_ref: draft.ref, until_ms: draft.until_ms }));
    await decide((state) => decideBuyerRefused(state, ['buyer.email']));
    return true;
  }

  async #delete(
    draft: Draft | undefined,
    order: Work['owned']['order'],
    fault: Fault,
    decide: Decide,
  ): Promise<boolean> {
    // The shop deletes no draft that is an order: what it is then, the next look tells.
    if (draft?.state === 'completed') {
      await decide((state) =>
        decideLater(state, { delay_ms: SECOND, attempts_max: 1e9, failure: 'refused' }),
      );
      return false;
    }
    if (draft !== undefined) this.shop.delete(draft);
    if (fault === 'dies_after') return false;
    await decide(order !== null && isOffered(order) ? decideUnpaid : decideDeleted);
    return true;
  }

  async #moveStep({ step, owned }: Work, fault: Fault, decide: Decide, now: number): Promise<boolean> {
    const { request, tag, empty_lookups } = owned.outbox;
    const place = (order: PlainOrder) =>
      decide((state) => decidePlaced(state, { order_ref: order.ref, order_name: `#${order.ref}` }));
    if (step === 'place' && fault === 'details') {
      await decide((state) => decideAbsent(state, 'buyer_refused'));
      await decide((state) => decideBuyerRefused(state, ['buyer.email']));
      return true;
    }
    if (step === 'place') {
      const lines = [...grantedBySku(owned.reservation.lines)].map(([sku, quantity]) => ({ sku, quantity }));
      const order = fault === 'refused' ? null : this.shop.placeOrder(tag, lines);
      if (fault === 'dies_after') return false;
      if (order !== null) await place(order);
      else {
        await decide((state) => decideAbsent(state, 'out_of_stock'));
        await decide((state) => decideFailed(state, NO_REASON));
      }
      return true;
    }
    if (step === 'find') {
      const found = this.shop.orders.find((order) => order.tag === tag);
      if (found !== undefined) await place(found);
      else if (empty_lookups < 1) {
        await decide((state) => decideEmptyLookup(state, now + 10 * SECOND));
        return false;
      } else await decide((state) => decideAbsent(state, 'looked_up'));
      return true;
    }
    if (request === null) throw new Error('a move that was not written');
    if (fault === 'refused' && step === 'take') {
      await decide((state) => decideUnmirrored(state, 'refused'));
      return false;
    }
    const changes = request.changes.map(({ item_id, location_id, quantity_units, available_units }) => ({
      sku: item_id.replace('item-', ''),
      location: location_id,
      units: quantity_units,
      expected: available_units,
    }));
    const outcome = this.shop.move({ key: request.key, direction: request.direction, tag, changes });
    if (fault === 'dies_after') return false;
    if (outcome === 'stale') {
      await decide((state) => decideAbsent(state, 'stale'));
      for (const sku of SKUS) await this.apply(this.shop.read(sku, await this.#call()));
    } else if (request.direction === 'out') await decide(decideTaken);
    else await decide(decideDeleted);
    return true;
  }

  #order(draft: Draft) {
    return { order_ref: `order-of-${draft.ref}`, order_name: `#${draft.ref}` };
  }

  /** The one thing that the model has to be told: how the orders of submitted reservations ended. */
  async #learnFates(): Promise<void> {
    for (const mine of this.mine) {
      if (mine.fate !== 'submitted') continue;
      const { order } = await this.ledger.owned(mine.answer.reservation_id);
      if (order?.state === 'placed') mine.fate = 'committed';
      if (order?.state === 'rejected' || order?.state === 'failed') mine.fate = 'over';
    }
  }

  // What has to be true.

  async check(isEnd = false): Promise<void> {
    this.steps += 1;
    const now = await this.now();
    const { items } = await this.ledger.check(...SKUS);
    for (const item of items) {
      for (const { location_id, available_to_promise } of item.locations) {
        const free = this.#free(item.sku, location_id, now);
        expect(available_to_promise, `L1: ${item.sku} at ${location_id}`).toBeLessThanOrEqual(free);
      }
      const free = this.#freeAnywhere(item.sku, now);
      expect(item.available_to_promise, `L1: ${item.sku} in all`).toBeLessThanOrEqual(free);
    }
    const orders = new Map<string, number>();
    for (const { tag, state } of this.shop.drafts) {
      if (state === 'completed') orders.set(tag, (orders.get(tag) ?? 0) + 1);
    }
    for (const { tag } of this.shop.orders) orders.set(tag, (orders.get(tag) ?? 0) + 1);
    for (const [tag, count] of orders) {
      expect(count, `L4: orders at the shop for ${tag}`).toBe(1);
      const { fate } = this.mine.find((mine) => mine.tag === tag) ?? { fate: 'nobody' };
      expect(['submitted', 'committed'], `L3: an order at the shop for what is ${fate}`).toContain(fate);
    }
    this.#db ??= new (loadDriver())(this.#path, { readonly: true });
    this.#checkSums(this.#db);
    if (this.steps % VERIFY_EVERY === 0 || isEnd) expect(verifyLedger(this.#db).problems).toEqual([]);
  }

  /** L2 and L3 once more, by a query that shares nothing with `verify`. */
  #checkSums(db: Database): void {
    const levels = db.prepare('SELECT level_key, held_units, mirrored_units FROM levels').all() as Record<
      string,
      number
    >[];
    const holds = db
      .prepare(
        'SELECT level_key, quantity_units, holds.state AS hold, r.state AS of FROM holds JOIN reservations AS r USING (reservation_key)',
      )
      .all() as { level_key: number; quantity_units: number; hold: string; of: string }[];
    const sum = (key: number | undefined, isCounted: boolean): number =>
      holds
        .filter((row) => row.level_key === key && (row.hold === 'counted') === isCounted)
        .reduce((total, row) => total + row.quantity_units, 0);
    for (const { level_key, held_units, mirrored_units } of levels) {
      expect([held_units, mirrored_units], 'L2').toEqual([sum(level_key, true), sum(level_key, false)]);
    }
    const zombies = holds.filter(
      ({ hold, of }) => (of === 'released' || of === 'expired') && hold !== 'returning',
    );
    expect(zombies, 'L3').toEqual([]);
  }

  /** Everything comes to rest: what is over is over, and the ledger promises exactly what the shop has. */
  async settle(): Promise<void> {
    for (let round = 0; round < 8; round += 1) {
      this.time.pass(20 * MINUTE);
      await this.sweep();
      for (const mine of this.mine) if (mine.fate === 'active') mine.fate = 'over';
      for (const sku of SKUS) {
        this.shop.setLifecycle(sku, 'active');
        await this.apply(this.shop.read(sku, await this.now()));
      }
      for (let rows = 0; rows < 40 && (await dueRows(this.ledger.store, 1)).length > 0; rows += 1)
        await this.outbox('none', 0);
    }
    await this.check(true);
    expect(await dueRows(this.ledger.store, 1), 'work that is never done').toEqual([]);
    const left = this.ledger.rawly((db) => db.prepare('SELECT * FROM holds').all());
    expect(left, 'holds that are never freed').toEqual([]);
    expect(this.shop.reservedUnits, 'units that the shop keeps for nobody').toBe(0);
    for (const sku of SKUS) await this.apply(this.shop.read(sku, await this.now()));
    const now = await this.now();
    const { items } = await this.ledger.check(...SKUS);
    for (const { sku, available_to_promise } of items)
      expect(available_to_promise, `${sku} in the end`).toBe(this.#freeAnywhere(sku, now));
    const waiting = this.mine.filter(({ fate }) => fate === 'submitted');
    expect(waiting, 'orders that are neither placed nor given up').toEqual([]);
  }

  /**
   * Units of a level that nobody owns: the newest figure less what live owners have there and it still counts. Of units that
   * the shop chooses the place of, none is owned at any one level.
   */
  #free(sku: string, location: string, now: number): number {
    const figure = this.#figures.get(`${sku} ${location}`);
    if (figure === undefined) return 0;
    let free = figure.available;
    for (const mine of this.#live(now)) {
      const taken = mine.taken.get(`${sku} ${location}`) ?? 0;
      free -= Math.max(0, taken - (figure.without.get(mine.tag) ?? 0));
    }
    return Math.max(0, free);
  }

  /** Units of the item that nobody owns, and not more than its levels have one by one. */
  #freeAnywhere(sku: string, now: number): number {
    const figures = LOCATIONS.flatMap((at) => this.#figures.get(`${sku} ${at}`) ?? []);
    const levels = LOCATIONS.reduce((sum, at) => sum + this.#free(sku, at, now), 0);
    if (this.ledger.settings.mirror === 'move') return levels;
    let free = figures.reduce((sum, { available }) => sum + available, 0);
    for (const mine of this.#live(now)) {
      const taken = mine.taken.get(`${sku} ${ANYWHERE}`) ?? 0;
      const without = figures.reduce((sum, figure) => sum + (figure.without.get(mine.tag) ?? 0), 0);
      free -= Math.max(0, taken - without);
    }
    return Math.max(0, Math.min(levels, free));
  }

  #live(now: number): readonly Mine[] {
    return this.mine.filter(
      (mine) => mine.fate !== 'over' && !(mine.fate === 'active' && now >= mine.expires_at_ms),
    );
  }

  #pick(index: number): Mine | undefined {
    return this.mine.length === 0 ? undefined : this.mine[index % this.mine.length];
  }
}
