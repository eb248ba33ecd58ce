import { beforeEach, describe, expect, test } from 'vitest';
import { SearchTurns, WAITING_SEARCHES_MAX } from '../../../src/ledger/query/search-turns.js';

/** A search of so many milliseconds on the only thread. */
const SEARCH_MS = 20;

let now_ms: number;
/** What took the thread, in order: who searched, and how long it was left to others. */
let thread: (string | number)[];
let turns: SearchTurns;

beforeEach(() => {
  now_ms = 0;
  thread = [];
  turns = new SearchTurns({
    elapsed: () => now_ms,
    sleep: async (ms) => {
      thread.push(ms);
      now_ms += ms;
    },
  });
});

const search = (principal: string) =>
  turns.take(principal, async () => {
    thread.push(principal);
    now_ms += SEARCH_MS;
    return principal;
  });

describe('searches on the one thread', () => {
  test('leave it to others for as long as they took', async () => {
    await Promise.all([search('a'), search('a'), search('a')]);
    expect(thread).toEqual(['a', SEARCH_MS, 'a', SEARCH_MS, 'a', SEARCH_MS]);
  });

  test('come by turns: one caller’s many do not keep another’s one waiting', async () => {
    const many = Array.from({ length: 5 }, () => search('many'));
    const one = search('one');
    expect(await one).toBe('one');
    expect(thread.filter((entry) => typeof entry === 'string')).toEqual(['many', 'many', 'one']);
    await Promise.all(many);
  });

  test('wait in a bounded number, of each caller; after some of them more may come', async () => {
    const waiting = Array.from({ length: WAITING_SEARCHES_MAX + 1 }, () => search('a'));
    expect(waiting).not.toContain(null);
    expect(search('a')).toBeNull();
    expect(search('b')).not.toBeNull();
    await Promise.all(waiting);
    expect(search('a')).not.toBeNull();
  });

  test('that fail are told to their caller, and hold nobody up', async () => {
    const failed = turns.take('a', () => Promise.reject(new Error('no such index')));
    const next = search('a');
    await expect(failed).rejects.toThrow('no such index');
    expect(await next).toBe('a');
  });
});
