import { describe, expect, test } from 'vitest';
import { compileSearch, type Filters, SearchError } from '../../../src/sandbox/api-rules/search.js';

interface Parcel {
  readonly id: string;
  readonly tags: readonly string[];
  readonly sentMs: number;
}

const FILTERS: Filters<Parcel> = {
  id: { kind: 'id', of: ({ id }) => id },
  tag: { kind: 'text', of: ({ tags }) => tags },
  sent_at: { kind: 'time', of: ({ sentMs }) => sentMs },
};

const PARCELS: readonly Parcel[] = [
  parcel(1, ['red', "it's fragile"], '2026-11-23T10:00:00.900Z'),
  parcel(2, ['red', 'big'], '2026-11-23T11:00:00Z'),
  parcel(3, ['blue', 'big', 'a-b'], '2026-11-23T12:00:00Z'),
  parcel('9007199254740993', [], '2026-11-24T00:00:00Z'),
];

function parcel(number: number | string, tags: readonly string[], sentAt: string): Parcel {
  return { id: `gid://shopify/Parcel/${number}`, tags, sentMs: Date.parse(sentAt) };
}

function matches(query: string): number[] {
  const wants = compileSearch(query, FILTERS);
  return PARCELS.flatMap((entry, index) => (wants(entry) ? [index + 1] : []));
}

describe('a search', () => {
  test.each<[string, number[]]>([
    ['', [1, 2, 3, 4]],
    ['tag:red', [1, 2]],
    ["tag:'RED'", [1, 2]],
    ['tag:"it\'s fragile"', [1]],
    ["tag:'it\\'s fragile'", [1]],
    ['tag:a-b', [3]],
    ['tag:b*', [2, 3]],
    ['tag:red tag:big', [2]],
    ['tag:red AND tag:big', [2]],
    ['tag:red OR tag:blue', [1, 2, 3]],
    ['tag:blue OR tag:red AND tag:big', [2, 3]],
    ['(tag:blue OR tag:red) AND tag:big', [2, 3]],
    ['(tag:blue OR tag:red) -tag:big', [1]],
    ['NOT tag:red', [3, 4]],
    ['NOT (tag:red OR tag:blue)', [4]],
    ['id:1', [1]],
    ['id:gid://shopify/Parcel/2', [2]],
    ['id:>2', [3, 4]],
    ["sent_at:>='2026-11-23T11:00:00Z'", [2, 3, 4]],
    ["sent_at:>'2026-11-23T11:00:00Z'", [3, 4]],
    ['sent_at:<=2026-11-23T11:00:00Z', [1, 2]],
    ["sent_at:'2026-11-23T10:00:00Z'", [1]],
    ['sent_at:>=2026-11-24', [4]],
    ["sent_at:>='2026-11-23T13:00:00+02:00' AND sent_at:<'2026-11-23T12:00:00Z'", [2]],
  ])('%s finds %j', (query, expected) => {
    expect(matches(query)).toEqual(expected);
  });

  test.each([
    ['an unknown field', 'colour:red'],
    ['words without a field where none can be searched', 'red'],
    ['a time that is none', 'sent_at:>yesterday'],
    ['an id that is none', 'id:abc'],
    ['texts by size', 'tag:>red'],
    ['an open parenthesis', '(tag:red'],
    ['a closed parenthesis', 'tag:red)'],
    ['an open quote', "tag:'red"],
    ['nothing after OR', 'tag:red OR '],
    ['a query of endless depth', `${'('.repeat(50)}tag:red${')'.repeat(50)}`],
    ['a query of endless length', 'tag:red '.repeat(10_000)],
  ])('refuses %s', (_name, query) => {
    expect(() => matches(query)).toThrow(SearchError);
  });
});
