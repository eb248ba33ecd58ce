/** Runs the tests of a process on the SQLite driver that HOLDFAST_SQLITE_DRIVER names. Unset: the default one. */

import { chooseDriver, DRIVER_NAMES } from '../../src/store/sqlite/database/load-driver.js';

const wanted = process.env['HOLDFAST_SQLITE_DRIVER'];
if (wanted !== undefined) {
  const name = DRIVER_NAMES.find((known) => known === wanted);
  if (name === undefined) throw new Error(`HOLDFAST_SQLITE_DRIVER must be one of ${DRIVER_NAMES.join(', ')}`);
  chooseDriver(name);
}
