// The compiled program of a child process takes the SQLite driver that HOLDFAST_SQLITE_DRIVER names, as the tests of its parent do.

import { chooseDriver } from '../../dist/store/sqlite/database/load-driver.js';

const wanted = process.env.HOLDFAST_SQLITE_DRIVER;
if (wanted !== undefined) chooseDriver(wanted);
