/** Says within a second what the search for mutations would say after minutes: that a text it replaces is not there any more. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTATIONS } from './mutations.js';

const SRC = new URL('../../src/', import.meta.url);

test.each(MUTATIONS)('the program has each text of “$name” once', ({ changes }) => {
  const counts = changes.map(({ file, find }) => {
    const text = readFileSync(new URL(file, SRC), 'utf8');
    return { file, find, times: text.split(find).length - 1 };
  });
  expect(counts.filter(({ times }) => times !== 1)).toEqual([]);
});
