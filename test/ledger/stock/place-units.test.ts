/**
 * Where the units of a draft order stand is read off the levels. Until they explain it, nothing is assumed: units count on our
 * side, and no promise is raised by a guess.
 */

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decideDeleted, decideOpen, decideUnmirrored } from '../../../src/ledger/outbox/next-step.js';
import type { ReserveAnswer } from '../../../src/ledger/reservation/reserve.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { answerOf, HOUR, SECOND, STORE, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';
import { runsOr } from '../../helpers/runs.js';

let t: TestLedger;
beforeEach(async () => {
  t = await TestLedger.open();
});
afterEach(() => t.close());

/** The shop's figures at the warehouse and the store. */
async function seen(warehouse: number, store: number) {
  t.time.pass(SECOND);
  return t.seed({ sku: 'tee', levels: { [WAREHOUSE]: warehouse, [STORE]: store } });
}

/** The shop has made the draft. */
async function open({ reservation_id }: ReserveAnswer): Promise<void> {
  const until_ms = t.clock.now() + HOUR;
  await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: reservation_id, until_ms }));
}

async function opened(quantity: number): Promise<ReserveAnswer> {
  const reservation = await t.granted('tee', quantity);
  await open(reservation);
  return reservation;
}

/** Each hold as [location, units, state, place]. */
async function places({ reservation_id }: ReserveAnswer) {
  const { levels } = await t.item('tee');
  const { holds } = await t.owned(reservation_id);
  return holds
    .map(({ level_key, quantity_units, state, place }) => [
      levels.find((level) => level.level_key === level_key)?.location_id,
      quantity_units,
      state,
      place,
    ])
    .sort();
}

const hash = async () => (await t.item('tee')).stock_hash;

describe('a fall that one draft explains', () => {
  test.each([
    ['at the level that promised it', [6, 5], [[WAREHOUSE, 4, 'mirrored', 'seen']]],
    ['at another level', [10, 1], [[STORE, 4, 'mirrored', 'seen']]],
    [
      'at both',
      [7, 4],
      [
        [WAREHOUSE, 3, 'mirrored', 'seen'],
        [STORE, 1, 'mirrored', 'seen'],
      ],
    ],
    [
      'at a level that has not enough, as a shop does that looks at no stock',
      [10, 1],
      [[STORE, 4, 'mirrored', 'seen']],
    ],
  ])(
    '%s is where its units stand, and leaves the checksum as it was',
    async (_, [a = 0, b = 0], expected) => {
      await seen(10, 5);
      const before = await hash();
      const mine = await opened(4);
      expect(await seen(a, b)).toMatchObject({ changed: false });
      expect(await places(mine)).toEqual(expected);
      expect(await hash()).toBe(before);
      expect(await t.atp('tee')).toBe(11);
    },
  );

  test('and a till that sold at the same level: the units are gone from the total, and stand there', async () => {
    await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 10 } });
    const mine = await opened(4);
    t.time.pass(SECOND);
    expect(await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 5 } })).toMatchObject({ changed: true });
    expect(await places(mine)).toEqual([[WAREHOUSE, 4, 'mirrored', 'seen']]);
    expect(await t.atp('tee')).toBe(5);
  });

  test('and a till that sold at another level: gone from the total, and the place is a guess', async () => {
    await seen(10, 5);
    const mine = await opened(1);
    expect(await seen(9, 4)).toMatchObject({ changed: true });
    expect(await places(mine)).toMatchObject([[WAREHOUSE, 1, 'mirrored', 'guessed']]);
    expect(await t.atp('tee')).toBe(13);
  });
});

describe('a fall that several drafts explain', () => {
  test('at one level is where all of them stand', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(2), await opened(1)];
    expect(await seen(10, 2)).toMatchObject({ changed: false });
    expect(await places(one)).toEqual([[STORE, 2, 'mirrored', 'seen']]);
    expect(await places(two)).toEqual([[STORE, 1, 'mirrored', 'seen']]);
  });

  test('at two levels is a guess of each, until one of them is given back', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(2), await opened(3)];
    const before = await hash();
    // The first took both of the store; the second one of each and one more.
    expect(await seen(8, 2)).toMatchObject({ changed: false });
    expect((await places(one)).map(([, , state, place]) => [state, place])).toEqual([
      ['mirrored', 'guessed'],
    ]);
    expect((await places(two)).map(([, , state, place]) => [state, place])).toContainEqual([
      'mirrored',
      'guessed',
    ]);
    expect(await t.atp('tee')).toBe(10);

    answerOf(await t.release(one.reservation_id));
    await t.decide(one.reservation_id, decideDeleted);
    expect(await seen(8, 4)).toMatchObject({ changed: false });
    expect(await places(one)).toEqual([]);
    expect(await places(two)).toEqual([
      [WAREHOUSE, 2, 'mirrored', 'seen'],
      [STORE, 1, 'mirrored', 'seen'],
    ]);
    expect(await hash()).toBe(before);
    expect(await t.atp('tee')).toBe(12);
  });
});

describe('a guess that a later read can no longer prove', () => {
  async function gone({ reservation_id }: ReserveAnswer): Promise<void> {
    answerOf(await t.release(reservation_id));
    await t.decide(reservation_id, decideDeleted);
  }

  const readPlaces = async (one: ReserveAnswer) => (await places(one)).map(([, , , place]) => place);

  test('a till sold beside the drafts: which level the till took, no return tells', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(1), await opened(1)];
    // The first took one of the warehouse, the second one of the store, the till one of the warehouse.
    await seen(8, 4);
    await gone(one);
    await seen(9, 4);
    expect(await readPlaces(two)).toEqual(['guessed']);
    expect(await t.atp('tee')).toBe(13);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('a till that sold later is told apart: what is left of the drafts is still proved', async () => {
    await seen(10, 5);
    const [one, two, three] = [await opened(1), await opened(1), await opened(1)];
    await seen(8, 4);
    await seen(8, 3);
    await gone(one);
    await seen(9, 3);
    expect([await readPlaces(two), await readPlaces(three)]).toEqual([['guessed'], ['guessed']]);
    await gone(two);
    await seen(10, 3);
    expect(await places(three)).toEqual([[STORE, 1, 'mirrored', 'seen']]);
  });

  test('one of the drafts was sold: at which level, nobody has said', async () => {
    await seen(10, 5);
    const [one, two, three] = [await opened(1), await opened(1), await opened(1)];
    // The first took one of the store, the second one of the warehouse, the third one of the store.
    await seen(9, 3);
    await t.sold({ ...one, stock_hash: await hash() });
    await seen(9, 3);
    await gone(three);
    await seen(9, 4);
    expect(await readPlaces(two)).toEqual(['guessed']);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('a new draft is seen beside the return of one whose level was never known', async () => {
    await seen(10, 5);
    const one = await opened(1);
    // The draft took one of the store, the till one of the warehouse.
    await seen(9, 4);
    expect(await places(one)).toMatchObject([[WAREHOUSE, 1, 'mirrored', 'guessed']]);
    await gone(one);
    const next = await opened(1);
    // The first gave its unit back to the store, where the next one took it.
    await seen(9, 4);
    expect(await readPlaces(next)).toEqual(['guessed']);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('a read of one level shows what may have been sold already', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(1), await opened(1)];
    // The first took one of the store and was sold, the second took one of the warehouse.
    t.time.pass(SECOND);
    await t.sold({ ...one, stock_hash: await hash() });
    t.time.pass(SECOND);
    await t.levels('tee', { [STORE]: 4 });
    expect(await readPlaces(two)).toEqual(['guessed']);
    await t.levels('tee', { [WAREHOUSE]: 9 });
    expect(await t.atp('tee')).toBe(13);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('a sale that only a level shows that was not read stays counted', async () => {
    await seen(10, 5);
    const mine = await opened(1);
    t.time.pass(SECOND);
    await t.sold({ ...mine, stock_hash: await hash() });
    t.time.pass(SECOND);
    // The shop took the unit from the store, and the read is of the warehouse alone.
    await t.levels('tee', { [WAREHOUSE]: 10 });
    expect(await t.atp('tee')).toBe(14);
    await t.levels('tee', { [STORE]: 4 });
    expect(await t.atp('tee')).toBe(14);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('once no guess is left, the next ones are proved again', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(1), await opened(1)];
    await seen(8, 4);
    await gone(one);
    await gone(two);
    await seen(9, 5);
    const [three, four] = [await opened(1), await opened(1)];
    await seen(8, 4);
    await gone(three);
    await seen(9, 4);
    expect(await places(four)).toEqual([[STORE, 1, 'mirrored', 'seen']]);
  });
});

describe('a draft that no fall shows', () => {
  test('stays counted on our side, and is marked: the figure may have it or not', async () => {
    await seen(10, 5);
    const mine = await opened(4);
    // As many units came in at the very moment.
    expect(await seen(10, 5)).toMatchObject({ changed: false });
    expect(await places(mine)).toEqual([[WAREHOUSE, 4, 'counted', 'missed']]);
    expect(await t.atp('tee')).toBe(11);
  });

  test('is settled by a later fall of just its size', async () => {
    await seen(10, 5);
    const mine = await opened(4);
    await seen(10, 5);
    expect(await seen(10, 1)).toMatchObject({ changed: false });
    expect(await places(mine)).toEqual([[STORE, 4, 'mirrored', 'seen']]);
    expect(await t.atp('tee')).toBe(11);
  });

  test.each([
    ['less', [8, 5], 9],
    ['more', [5, 5], 6],
  ])(
    'is not settled by a later fall of %s: that is somebody else, and the promise falls',
    async (_, [a = 0, b = 0], atp) => {
      await seen(10, 5);
      const mine = await opened(4);
      await seen(10, 5);
      expect(await seen(a, b)).toMatchObject({ changed: true });
      expect(await places(mine)).toEqual([[WAREHOUSE, 4, 'counted', 'missed']]);
      expect(await t.atp('tee')).toBe(atp);
    },
  );

  test('does not keep the next draft from being seen', async () => {
    await seen(10, 5);
    const first = await opened(4);
    await seen(10, 5);
    const next = await opened(2);
    expect(await seen(10, 3)).toMatchObject({ changed: false });
    expect(await places(first)).toEqual([[WAREHOUSE, 4, 'counted', 'missed']]);
    expect(await places(next)).toEqual([[STORE, 2, 'mirrored', 'seen']]);
    expect(await t.atp('tee')).toBe(9);
  });

  test('covers its own order: its units are in the figure, or gone from it and ours', async () => {
    await seen(2, 0);
    const mine = await opened(2);
    // One came in, and the draft took both that were there.
    await seen(1, 0);
    expect(await places(mine)).toEqual([[WAREHOUSE, 2, 'counted', 'missed']]);
    expect(await t.atp('tee')).toBe(0);
    const stock_hash = await hash();
    expect(answerOf(await t.submit({ ...mine, stock_hash }))).toMatchObject({ status: 'accepted' });
  });

  test('is neither marked nor believed by a read of some levels', async () => {
    await seen(10, 5);
    const before = await hash();
    const mine = await opened(4);
    t.time.pass(SECOND);
    // The heartbeat brings one location after the other: here the draft was split.
    expect(await t.levels('tee', { [WAREHOUSE]: 7 })).toMatchObject({ changed: false });
    expect(await places(mine)).toEqual([[WAREHOUSE, 4, 'counted', 'promised']]);
    expect(await t.atp('tee')).toBe(8);
    expect(await t.levels('tee', { [STORE]: 4 })).toMatchObject({ changed: false });
    expect((await places(mine)).map(([at, units, state]) => [at, units, state])).toEqual([
      [WAREHOUSE, 3, 'mirrored'],
      [STORE, 1, 'mirrored'],
    ]);
    expect(await hash()).toBe(before);
    expect(await t.atp('tee')).toBe(11);
  });
});

describe('an item that has more than before, for no reason of ours', () => {
  test('withholds what drafts hold until they were read back: a person may have removed one', async () => {
    await seen(10, 5);
    const mine = await opened(4);
    await seen(6, 5);
    expect(await t.atp('tee')).toBe(11);
    await seen(10, 5);
    expect(await places(mine)).toEqual([[WAREHOUSE, 4, 'mirrored', 'doubted']]);
    expect(await t.atp('tee')).toBe(11);
    expect((await t.owned(mine.reservation_id)).outbox.due_at_ms).toBeLessThanOrEqual(t.clock.now());
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('promises the rise when all drafts are there', async () => {
    await seen(10, 5);
    const [one, two] = [await opened(4), await opened(1)];
    await seen(6, 4);
    await seen(9, 4);
    expect(await t.atp('tee')).toBe(8);
    for (const { reservation_id } of [one, two]) {
      const { outbox } = await t.owned(reservation_id);
      const until_ms = outbox.hold_until_ms;
      await t.decide(reservation_id, (state) => decideOpen(state, { hold_ref: reservation_id, until_ms }));
    }
    expect(await t.atp('tee')).toBe(13);
    expect(await seen(9, 4)).toMatchObject({ changed: false });
    expect(await t.atp('tee')).toBe(13);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('counts the units of the one that is gone', async () => {
    await seen(10, 5);
    const mine = await opened(4);
    const before = await hash();
    await seen(6, 5);
    await seen(10, 5);
    await t.decide(mine.reservation_id, (state) => decideUnmirrored(state, 'gone_at_shop'));
    expect(await t.atp('tee')).toBe(11);
    await seen(10, 5);
    expect(await t.atp('tee')).toBe(11);
    expect(await hash()).not.toBe(before);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });

  test('withholds nothing for a reservation that was released', async () => {
    await seen(10, 5);
    const mine = await opened(4);
    await seen(6, 5);
    await seen(7, 5);
    expect(await t.atp('tee')).toBe(8);
    answerOf(await t.release(mine.reservation_id));
    expect(await t.atp('tee')).toBe(12);
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
  });
});

interface Draft {
  readonly id: string;
  readonly reservation: ReserveAnswer;
  readonly taken: readonly [number, number];
}

/** Levels told as seen, each as `reservation location units`. */
async function seenPlaces(own: TestLedger, live: readonly Draft[]): Promise<string[]> {
  const { levels } = await own.item('tee');
  const owned = await Promise.all(live.map(({ id }) => own.owned(id)));
  return owned.flatMap(({ holds }, index) =>
    holds
      .filter(({ place, state }) => place === 'seen' && state === 'mirrored')
      .map(({ level_key, quantity_units }) => {
        const at = levels.find((level) => level.level_key === level_key)?.location_id;
        return `${live[index]?.id} ${at} ${quantity_units}`;
      }),
  );
}

async function expectSeenPlaces(
  own: TestLedger,
  live: readonly Draft[],
  known: ReadonlySet<string>,
): Promise<void> {
  const taken = live.flatMap(({ id, taken: [warehouse, store] }) => [
    `${id} ${WAREHOUSE} ${warehouse}`,
    `${id} ${STORE} ${store}`,
  ]);
  const news = (await seenPlaces(own, live)).filter((name) => !known.has(name));
  expect(taken).toEqual(expect.arrayContaining(news));
}

test('L1: whatever drafts, tills and receipts do between two reads, no figure promises a unit that a live draft has, and no level is told as seen that another draft was taken from', async () => {
  const LEVELS = [WAREHOUSE, STORE] as const;
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('reserve' as const),
        units: fc.integer({ min: 1, max: 3 }),
        split: fc.nat(3),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('sell' as const), which: fc.nat(9) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('shop' as const),
        at: fc.nat(1),
        units: fc.constantFrom(-3, -2, -1, -1, -1, 1, 2),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), part: fc.nat(6) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const own = await TestLedger.open();
      const shop = [5, 5];
      const live: Draft[] = [];
      // A sale and a receipt beside a draft can look like the taking of the draft: then no figure tells where its units are.
      let beside = new Set<number>();
      let isTellable = true;
      const known = new Set<string>();
      const read = async (part: number) => {
        own.time.pass(SECOND);
        const figures = Object.fromEntries(LEVELS.map((at, index) => [at, shop[index] ?? 0]));
        if (part >= 2) await own.seed({ sku: 'tee', levels: figures });
        else await own.levels('tee', { [LEVELS[part] ?? '']: shop[part] ?? 0 });
      };
      try {
        await read(2);
        for (const it of events) {
          own.time.pass(1);
          if (it.do === 'reserve') {
            const result = await own.reserve('tee', it.units);
            if (!result.ok) continue;
            const first = Math.min(it.units, it.split);
            const taken = [first, it.units - first] as const;
            shop[0] = (shop[0] ?? 0) - taken[0];
            shop[1] = (shop[1] ?? 0) - taken[1];
            const id = result.value.reservation_id;
            const until_ms = own.clock.now() + HOUR;
            await own.decide(id, (state) => decideOpen(state, { hold_ref: id, until_ms }));
            live.push({ id, reservation: result.value, taken });
          } else if (it.do === 'release') {
            const [one] = live.splice(it.which % Math.max(1, live.length), 1);
            if (one === undefined) continue;
            answerOf(await own.release(one.id));
            shop[0] = (shop[0] ?? 0) + one.taken[0];
            shop[1] = (shop[1] ?? 0) + one.taken[1];
            await own.decide(one.id, decideDeleted);
          } else if (it.do === 'sell') {
            const [one] = live.splice(it.which % Math.max(1, live.length), 1);
            if (one === undefined) continue;
            await own.sold({ ...one.reservation, stock_hash: (await own.item('tee')).stock_hash });
          } else if (it.do === 'shop') {
            shop[it.at] = (shop[it.at] ?? 0) + it.units;
            beside.add(Math.sign(it.units));
          } else {
            await read(it.part);
            if (beside.has(1) || (it.part < 2 && beside.size > 0)) isTellable = false;
            if (isTellable && beside.size === 0) await expectSeenPlaces(own, live, known);
            else for (const name of await seenPlaces(own, live)) known.add(name);
            // What others did at a level that was not read is not known yet.
            if (it.part < 2 && beside.size > 0) continue;
            beside = new Set();
            const total = shop.reduce((sum, units) => sum + units, 0);
            expect(await own.atp('tee'), 'more is promised than the shop has left').toBeLessThanOrEqual(
              Math.max(0, total),
            );
          }
        }
        await own.store.putSafetyStock(0);
        expect(verifyLedgerFile(own.path).problems).toEqual([]);
      } finally {
        await own.close();
      }
    }),
    { numRuns: runsOr(60) },
  );
});
