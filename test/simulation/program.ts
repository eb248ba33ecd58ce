/** The program under test, as it was loaded: the real one, or one with a mutation in it. */

import type * as main from '../../src/app/open-app.js';
import type * as config from '../../src/config/config.js';
import type * as tools from '../../src/mcp/server.js';
import type * as driver from '../../src/store/sqlite/database/load-driver.js';

export type Program = Pick<typeof config, 'readConfig'> &
  Pick<typeof driver, 'replaceDriver'> &
  Pick<typeof main, 'openHoldfast'> &
  Pick<typeof tools, 'TOOLS'> & {
    /** Of several programs in one process the library's fetch is that of the one that was loaded last, until one enters. */
    readonly enter: () => void;
  };
