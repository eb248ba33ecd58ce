/** `holdfast simulate` is called wrongly: it says what it wants, and exits with 2. */

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runHoldfast, scratchFolder } from '../helpers/cli.js';

const folder = scratchFolder();
afterAll(() => folder.remove());

test.each([
  [['--seed', 'x'], 'wants a whole number'],
  [['--seeds', '0'], 'wants 1 to 1000'],
  [['--html', join('no', 'such', 'folder', 'x.html')], 'a folder that exists'],
  [['--nonsense'], 'unknown option'],
])('simulate %j exits 2 and says what it wants', async (args, wants) => {
  const { status, out, err } = await runHoldfast(['simulate', ...args], { cwd: folder.path });
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(err).toContain(wants);
});
