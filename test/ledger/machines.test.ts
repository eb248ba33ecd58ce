/**
 * The two machines of a reservation and its order, by the thousand, against a model of a few lines that was written from
 * the specification and knows nothing of the code: states, moves, and what a second use of a finished id is told. Runs on
 * the pure decisions: the state of one reservation is carried on by hand. test/store/sqlite/model.test.ts is about units.
 */

import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { HOUR_WINDOW, NO_TALLY } from '../../src/ledger/model/usage.js';
import { decideBuyerRefused } from '../../src/ledger/order/buyer-refused.js';
import { decideOrderSeen } from '../../src/ledger/order/observe-order.js';
import { decideFailed, decidePlaced } from '../../src/ledger/order/order-placed.js';
import { decideRevalidate } from '../../src/ledger/order/revalidation.js';
import { decideSubmit } from '../../src/ledger/order/submit.js';
import { decideVerdict } from '../../src/ledger/outbox/manual-decisions.js';
import { decideExpire, decideRelease } from '../../src/ledger/reservation/release.js';
import type { Changes, LedgerState } from '../../src/ledger/state/state.js';
import {
  AGENT,
  MINUTE,
  SECOND,
  TEST_SETTINGS,
  TEST_START_MS,
  TestLedger,
  WAREHOUSE,
} from '../helpers/ledger.js';
import { runsOr } from '../helpers/runs.js';

const RUNS = runsOr(2_000);
const SEED = Number(process.env['HOLDFAST_SEED'] ?? 20261128);
const UNITS = 4;
const TTL_MS = 2 * MINUTE;
const NEVER = `sha256:${'0'.repeat(64)}`;
const OTHER = `sha256:${'1'.repeat(64)}`;

/** What the specification says of the pair, and no more. */
interface Model {
  reservation: 'active' | 'submitted' | 'committed' | 'released' | 'expired';
  order: 'held' | 'accepted' | 'rejected' | 'placed' | 'failed' | 'fulfilled' | 'cancelled' | null;
  /** What a held order waits for. */
  held_for: 'stale' | 'buyer_refused' | 'order_quota' | null;
  /** When an order that waits for corrected details is given up, by `passed_ms`. */
  correct_until_ms: number;
  refusals: number;
  /** Who is above the orders of the hour has a person decide. */
  is_above: boolean;
  passed_ms: number;
  /** The checksum of the grant is not that of now any more. */
  has_moved: boolean;
}

interface World {
  state: LedgerState;
}

/** A reservation of four units out of ten, just granted, as a transaction sees it. */
let granted: LedgerState;

beforeAll(async () => {
  const t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
  const { reservation_id } = await t.granted('tee', UNITS, { ttl_seconds: TTL_MS / SECOND });
  granted = await t.store.read(
    { owned: { reservation_id }, history: true, precedence: true },
    ({ locations, ...state }) => ({ ...state, locations: new Map(locations) }),
  );
  await t.close();
});

function ownedOf({ state }: World) {
  if (state.owned === null) throw new Error('the reservation is gone');
  return state.owned;
}

/** What a store does with a decision, as far as one reservation goes. */
function apply(world: World, changes: Changes | undefined): void {
  if (changes === undefined) return;
  const owned = ownedOf(world);
  const gone = new Set((changes.holds ?? []).map(({ hold, to }) => (hold ?? to)?.level_key));
  const moved = (changes.holds ?? []).flatMap(({ to }) => (to === null ? [] : [to]));
  world.state = {
    ...world.state,
    owned: {
      reservation: { ...owned.reservation, state: changes.reservation?.state ?? owned.reservation.state },
      order: changes.new_order ?? changes.order ?? owned.order,
      holds: [...owned.holds.filter(({ level_key }) => !gone.has(level_key)), ...moved],
      outbox: changes.outbox ?? owned.outbox,
    },
    owned_items: world.state.owned_items.map((item) => ({
      ...item,
      levels: item.levels.map((level) => ({
        ...level,
        ...changes.sums?.find(({ level_key }) => level_key === level.level_key),
      })),
    })),
  };
}

/** One order within an hour, and the figures of a caller who has had it. */
const ONE_AN_HOUR = { ...TEST_SETTINGS, quotas: { ...TEST_SETTINGS.quotas, orders_per_hour: 1 } };
const ABOVE: LedgerState['usage'] = {
  principal: {
    tally: { ...NO_TALLY, ordered: [[Math.floor(TEST_START_MS / HOUR_WINDOW.slot_ms) + 100_000, 1]] },
    items: new Map(),
  },
  origin: null,
  channel: null,
  everyone: null,
  names: { origin: null, channel: null },
  is_sole: false,
};

const isCorrectionOver = (model: Model) =>
  model.order === 'held' && model.held_for === 'buyer_refused' && model.passed_ms >= model.correct_until_ms;

const isLapsed = (model: Model) => model.reservation === 'active' && model.passed_ms >= TTL_MS;

/** Runs a command, then holds the pair against the model, units and journal included. */
abstract class Move implements fc.Command<Model, World> {
  check(_: Readonly<Model>): boolean {
    return true;
  }

  run(model: Model, world: World): void {
    const before = `${model.reservation} ${model.order} ${model.held_for}`;
    const changes = this.move(model, world);
    apply(world, changes);
    const { reservation, order, holds } = ownedOf(world);
    expect([reservation.state, order?.state ?? null], String(this)).toEqual([model.reservation, model.order]);
    expect(order?.held_for ?? null, String(this)).toBe(model.order === 'held' ? model.held_for : null);
    const held = holds.reduce((sum, { quantity_units }) => sum + quantity_units, 0);
    const isOver = model.reservation === 'released' || model.reservation === 'expired';
    expect(held, 'L3: what is over holds nothing, and what is not, all of it').toBe(isOver ? 0 : UNITS);
    const sums = world.state.owned_items.flatMap(({ levels }) => levels.map(({ held_units }) => held_units));
    expect(sums, 'L2').toEqual([held]);
    if (`${model.reservation} ${model.order} ${model.held_for}` !== before)
      expect(changes?.journal?.length, 'L6').toBeGreaterThan(0);
  }

  /** Moves the model, expects the answer that fits, and returns what the decision changes. */
  protected abstract move(model: Model, world: World): Changes | undefined;

  toString(): string {
    return this.constructor.name;
  }
}

class Pass extends Move {
  constructor(readonly ms: number) {
    super();
  }
  protected move(model: Model, world: World): undefined {
    model.passed_ms += this.ms;
    world.state = { ...world.state, now_ms: world.state.now_ms + this.ms };
  }
  override toString = () => `Pass ${this.ms} ms`;
}

/** The shop says something else than before, or the same as before that. */
class Stock extends Move {
  protected move(model: Model, world: World): undefined {
    model.has_moved = true;
    const { state } = world;
    const past = state.owned_items.map((item) => {
      const known = state.history.get(item.item_key) ?? [];
      return [item.item_key, [{ stock_hash: OTHER, as_of_ms: state.now_ms }, ...known]] as const;
    });
    const owned_items = state.owned_items.map((item) => ({ ...item, stock_hash: OTHER }));
    world.state = { ...state, owned_items, history: new Map(past) };
  }
}

class Release extends Move {
  protected move(model: Model, { state }: World): Changes | undefined {
    const { reservation } = model;
    const { result, changes } = decideRelease(state, {
      principal: AGENT,
      reservation_id: state.owned?.reservation.id ?? '',
    });
    if (reservation === 'submitted' || reservation === 'committed') {
      const details = { order_id: state.owned?.order?.id, status: reservation };
      expect(result).toMatchObject({
        ok: false,
        refusal: { code: 'reservation_already_submitted', details },
      });
      return changes;
    }
    const isFirst = reservation === 'active' && !isLapsed(model);
    if (reservation === 'active') model.reservation = isFirst ? 'released' : 'expired';
    const released_units = isFirst ? UNITS : 0;
    const value = { status: model.reservation, released_units, replayed: !isFirst };
    expect(result).toMatchObject({ ok: true, value });
    return changes;
  }
}

class Expire extends Move {
  protected move(model: Model, { state }: World): Changes | undefined {
    const { result, changes } = decideExpire(state);
    expect(result).toBe(isLapsed(model));
    if (isLapsed(model)) model.reservation = 'expired';
    return changes;
  }
}

class Submit extends Move {
  constructor(readonly hash: 'now' | 'granted' | 'never') {
    super();
  }
  protected move(model: Model, { state }: World): Changes | undefined {
    const now = state.owned_items[0]?.stock_hash ?? '';
    const atGrant = state.owned?.reservation.stock_hash ?? '';
    const request = {
      principal: AGENT,
      reservation_id: state.owned?.reservation.id ?? '',
      stock_hash: { now, granted: atGrant, never: NEVER }[this.hash],
      idempotency: undefined,
      input_hash: '',
      // Another one each time: what was refused is corrected.
      buyer: { email: `${model.refusals}@example.com` },
      note: null,
      reference: null,
      order_id: 'ord_1',
      asked_at_ms: state.now_ms,
    };
    const seen = model.is_above ? { ...state, usage: ABOVE } : state;
    const { result, changes } = decideSubmit(seen, request, ONE_AN_HOUR);
    const refusal = refusalOfSubmit(model, this.hash);
    if (isLapsed(model)) model.reservation = 'expired';
    if (isCorrectionOver(model)) {
      model.order = 'rejected';
      model.reservation = 'released';
      model.held_for = null;
    }
    if (refusal !== null) {
      expect(result).toMatchObject({ ok: false, refusal: { code: refusal } });
      const order_id = (result.ok ? {} : result.refusal.details) as { order_id?: string };
      if (refusal === 'reservation_already_submitted') expect(order_id).toMatchObject({ order_id: 'ord_1' });
      return changes;
    }
    const isStale = this.hash === 'granted' && model.has_moved;
    // Fresh enough to sell within two minutes of the read; the model knows no other age.
    const isTooOld = model.passed_ms > TEST_MAX_AGE_MS;
    const isFirst = model.reservation === 'active';
    model.reservation = 'submitted';
    model.held_for = isFirst && model.is_above ? 'order_quota' : isStale || isTooOld ? 'stale' : null;
    model.order = model.held_for === null ? 'accepted' : 'held';
    const value = { status: model.order, hash_verdict: isStale ? 'stale' : 'match', order_id: 'ord_1' };
    expect(result).toMatchObject({ ok: true, value });
    return changes;
  }
  override toString = () => `Submit ${this.hash}`;
}

/** Fast sellers, and those without a history, may be this old. */
const TEST_MAX_AGE_MS = 120_000;

function refusalOfSubmit(model: Model, hash: string): string | null {
  if (model.reservation === 'expired' || isLapsed(model)) return 'reservation_expired';
  if (model.order === 'held' && model.held_for === 'buyer_refused') {
    if (isCorrectionOver(model)) return 'reservation_already_submitted';
    return hash === 'never' ? 'stock_hash_unknown' : null;
  }
  if (model.order !== null) return 'reservation_already_submitted';
  if (model.reservation === 'released') return 'reservation_already_released';
  return hash === 'never' ? 'stock_hash_unknown' : null;
}

class Revalidate extends Move {
  constructor(readonly covers: boolean) {
    super();
  }
  protected move(model: Model, { state }: World): Changes | undefined {
    const available = this.covers ? UNITS : UNITS - 1;
    const read = state.owned_items.map((item) => ({
      ...item,
      read_at_ms: state.now_ms,
      levels: item.levels.map((level) => ({
        ...level,
        upstream_available_units: available,
        read_at_ms: state.now_ms,
      })),
    }));
    const { result, changes } = decideRevalidate({ ...state, owned_items: read }, state.now_ms);
    if (model.order !== 'held' || model.held_for !== 'stale') {
      expect(result, 'only a stale order is decided by its stock').toBe('not_held');
      return changes;
    }
    model.held_for = null;
    model.order = this.covers ? 'accepted' : 'rejected';
    if (!this.covers) model.reservation = 'released';
    expect(result).toBe(model.order);
    return changes;
  }
  override toString = () => `Revalidate ${this.covers ? 'covered' : 'short'}`;
}

class Verdict extends Move {
  constructor(readonly verdict: 'approve' | 'reject') {
    super();
  }
  protected move(model: Model, { state }: World): Changes | undefined {
    const { result, changes } = decideVerdict(state, this.verdict, 'ada', TEST_SETTINGS);
    const isToCorrect = model.held_for === 'buyer_refused' && this.verdict === 'approve';
    expect(result.ok).toBe(model.order === 'held' && !isToCorrect);
    if (!result.ok) return changes;
    model.held_for = this.verdict === 'approve' ? 'stale' : null;
    if (this.verdict === 'reject') {
      model.order = 'rejected';
      model.reservation = 'released';
    }
    return changes;
  }
  override toString = () => `Verdict ${this.verdict}`;
}

class Place extends Move {
  /** Told so before there is an order, the outbox parks the row: that is not of this model. */
  override check = ({ order }: Readonly<Model>) => order === 'accepted' || order === 'placed';
  protected move(model: Model, { state }: World): Changes | undefined {
    const { result, changes } = decidePlaced(state, { order_ref: 'o-1', order_name: '#1' });
    expect(result).toBe(true);
    model.order = 'placed';
    model.reservation = 'committed';
    return changes;
  }
}

class Fail extends Move {
  protected move(model: Model, { state }: World): Changes | undefined {
    const fail = () => decideFailed(state, { code: 'shop_refused', detail: 'No.' });
    if (model.order !== 'accepted') {
      expect(fail, 'only an accepted order fails').toThrow();
      return undefined;
    }
    model.order = 'failed';
    model.reservation = 'released';
    return fail().changes;
  }
}

/** The shop refuses what it was told of the buyer. */
class RefuseBuyer extends Move {
  protected move(model: Model, { state }: World): Changes | undefined {
    const refuse = () => decideBuyerRefused(state, ['buyer.email']);
    if (model.order !== 'accepted') {
      expect(refuse, 'only an accepted order is held again').toThrow();
      return undefined;
    }
    model.refusals += 1;
    const isLast = model.refusals > 5;
    model.order = isLast ? 'failed' : 'held';
    model.held_for = isLast ? null : 'buyer_refused';
    if (isLast) model.reservation = 'released';
    // The reservation was for two minutes; five is the least.
    model.correct_until_ms = model.passed_ms + 5 * MINUTE;
    const { result, changes } = refuse();
    expect(result).toBe(model.order);
    return changes;
  }
}

class Seen extends Move {
  constructor(readonly what: 'shipped' | 'cancelled') {
    super();
  }
  override check = ({ order }: Readonly<Model>) =>
    order === 'placed' || order === 'fulfilled' || order === 'cancelled';
  protected move(model: Model, { state }: World): Changes | undefined {
    const known = state.owned?.order?.aftermath;
    const { changes } = decideOrderSeen(
      state,
      {
        order_ref: 'o-1',
        order_name: '#1',
        updated_at_ms: (known?.updated_at_ms ?? 0) + 1,
        cancelled_at_ms: this.what === 'cancelled' ? 1 : (known?.cancelled_at_ms ?? null),
        fulfilment: this.what === 'shipped' ? 'fulfilled' : (known?.fulfilment ?? 'unfulfilled'),
        lines: [],
        refunds: [],
        returns: [],
      },
      state.now_ms,
    );
    if (model.order === 'placed') model.order = this.what === 'shipped' ? 'fulfilled' : 'cancelled';
    return changes;
  }
  override toString = () => `Seen ${this.what}`;
}

const moves = [
  fc.constantFrom(1, SECOND, MINUTE, TTL_MS - 1, TTL_MS).map((ms) => new Pass(ms)),
  fc.constant(new Stock()),
  fc.constant(new Release()),
  fc.constant(new Expire()),
  fc.constantFrom('now' as const, 'granted' as const, 'never' as const).map((hash) => new Submit(hash)),
  fc.boolean().map((covers) => new Revalidate(covers)),
  fc.constantFrom('approve' as const, 'reject' as const).map((verdict) => new Verdict(verdict)),
  fc.constant(new Place()),
  fc.constant(new Fail()),
  fc.constant(new RefuseBuyer()),
  fc.constantFrom('shipped' as const, 'cancelled' as const).map((what) => new Seen(what)),
];

test(`L2 to L6: ${RUNS} lives of a reservation and its order are those of the specification`, () => {
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.commands(moves, { maxCommands: 25, size: 'max' }), fc.boolean(), (commands, is_above) => {
      const model: Model = {
        reservation: 'active',
        order: null,
        held_for: null,
        correct_until_ms: 0,
        refusals: 0,
        is_above,
        passed_ms: 0,
        has_moved: false,
      };
      fc.modelRun(() => ({ model, real: { state: granted } }), commands);
      ends.add(`${model.reservation} ${model.order}${model.order === 'held' ? ` ${model.held_for}` : ''}`);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  // A model that does not get everywhere proves little; a quick look at a few lives need not.
  if (RUNS < 1000) return;
  expect([...ends].sort()).toEqual([
    'active null',
    'committed cancelled',
    'committed fulfilled',
    'committed placed',
    'expired null',
    'released failed',
    'released null',
    'released rejected',
    'submitted accepted',
    'submitted held buyer_refused',
    'submitted held order_quota',
    'submitted held stale',
  ]);
});
