import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Listing,
  type PageArguments,
  paginate,
  paginateOrdered,
} from '../../../src/sandbox/api-rules/connection.js';
import { EntityMap } from '../../../src/sandbox/base/entity-map.js';
import { toGid } from '../../../src/sandbox/base/gid.js';

interface Thing {
  readonly id: string;
  readonly colour: string;
}

const LISTING: Listing<Thing> = {
  filters: { colour: { kind: 'text', of: ({ colour }) => [colour] } },
  sorts: { COLOUR: ({ colour }) => colour },
};

/** Numbers on both sides of 2^53, neither dense nor evenly spread. */
const things = fc
  .uniqueArray(fc.bigInt({ min: 1n, max: 40n }), { maxLength: 30 })
  .chain((numbers) =>
    fc.tuple(
      fc.constant([...numbers].sort((left, right) => Number(left - right))),
      fc.array(fc.constantFrom('red', 'blue', 'grey'), { minLength: 30, maxLength: 30 }),
    ),
  )
  .map(([numbers, colours]) =>
    numbers.map(
      (number, index): Thing => ({
        id: toGid('Thing', number * 999_999_999_999_989n),
        colour: colours[index] ?? 'red',
      }),
    ),
  );

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const pages = fc.record({
  size: fc.nat({ max: 12 }),
  isFirst: fc.boolean(),
  reverse: fc.boolean(),
  query: optional(fc.constantFrom('colour:red', 'colour:blue OR colour:grey', 'colour:none')),
  sortKey: optional(fc.constantFrom('ID', 'COLOUR')),
  after: optional(fc.nat({ max: 29 })),
  before: optional(fc.nat({ max: 29 })),
});

describe('a page of entities that are in order already', () => {
  test('is the page that sorting would have given, whatever is asked for', () => {
    fc.assert(
      fc.property(things, pages, fc.boolean(), (all, page, hidesGrey) => {
        const isShown = ({ colour }: Thing) => !hidesGrey || colour !== 'grey';
        const shown = all.filter(isShown);
        const { size, isFirst, after, before, ...rest } = page;
        const cursorOf = (index: number | null) => {
          const thing = index === null ? undefined : all[index];
          if (!thing) return null;
          return paginate([thing], { first: 1, sortKey: rest.sortKey }, LISTING).edges[0]?.cursor ?? null;
        };
        const args: PageArguments = {
          ...rest,
          ...(isFirst ? { first: size } : { last: size }),
          after: cursorOf(after),
          before: cursorOf(before),
        };
        const sorted = paginate(shown, args, LISTING);
        // Cursors that cross leave an empty page, whose flags say nothing.
        fc.pre(sorted.edges.length > 0 || after === null || before === null);
        expect(paginateOrdered(all, args, LISTING, isShown)).toEqual(sorted);
      }),
      { numRuns: 2_000 },
    );
  });

  test('looks at no more entities than it needs', () => {
    const all = Array.from(
      { length: 10_000 },
      (_, index): Thing => ({
        id: toGid('Thing', BigInt(index + 1)),
        colour: 'red',
      }),
    );
    let looks = 0;
    const isShown = () => {
      looks += 1;
      return true;
    };
    const first = paginateOrdered(all, { first: 250 }, LISTING, isShown);
    const { endCursor } = paginateOrdered(
      all,
      { first: 250, after: first.pageInfo.endCursor },
      LISTING,
      isShown,
    ).pageInfo;
    expect(endCursor).not.toBeNull();
    expect(looks).toBe(250 + 1 + 250 + 2);
  });
});

describe('entities by id', () => {
  const thing = (number: bigint, colour = 'red'): Thing => ({ id: toGid('Thing', number), colour });
  const put = (map: EntityMap<Thing>, entity: Thing) => map.set(entity.id, entity);

  test('come in the order of their numbers, also after changes and deletions', () => {
    const map = new EntityMap<Thing>();
    for (const number of [2n, 9n, 10n, 2n ** 60n]) put(map, thing(number));
    expect(map.inOrder().map(({ id }) => id)).toEqual(
      [2n, 9n, 10n, 2n ** 60n].map((number) => toGid('Thing', number)),
    );
    put(map, thing(9n, 'blue'));
    expect(map.inOrder().map(({ colour }) => colour)).toEqual(['red', 'blue', 'red', 'red']);
    map.delete(toGid('Thing', 2n));
    expect(map.inOrder()).toHaveLength(3);
    map.clear();
    expect(map.inOrder()).toEqual([]);
  });

  test('a new one with a lower number is a bug', () => {
    const map = new EntityMap<Thing>();
    put(map, thing(10n));
    expect(() => put(map, thing(9n))).toThrow('comes after an entity with a higher number');
  });
});
