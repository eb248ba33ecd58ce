/** The program under test, as it was loaded: the real one, or one with a mutation in it. */

import type * as config from '../../src/config.js';
import type * as main from '../../src/main.js';
import type * as tools from '../../src/tools/server.js';

export type Program = Pick<typeof config, 'readConfig'> &
  Pick<typeof main, 'openHoldfast'> &
  Pick<typeof tools, 'TOOLS'> & {
    /** Of several programs in one process the library's fetch is that of the one that was loaded last, until one enters. */
    readonly enter: () => void;
  };
