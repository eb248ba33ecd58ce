/** Medusa's inventory module as Medusa itself loads it, on a database of its own. */

import { createRequire } from 'node:module';

// Both are CommonJS. The logger is their own; what it says of migrations is of no interest here.
const require = createRequire(import.meta.url);
const { MedusaApp } = require('@medusajs/framework/modules-sdk');
const { ContainerRegistrationKeys, ModulesSdkUtils } = require('@medusajs/framework/utils');

const LOCATION = 'warehouse';
const FILL_BATCH = 1_000;
const CONNECTIONS = 16;
const silent = () => {};
const logger = {
  panic: silent,
  shouldLog: () => false,
  setLogLevel: silent,
  unsetLogLevel: silent,
  activity: silent,
  progress: silent,
  error: (message) => console.error(message),
  failure: silent,
  success: silent,
  silly: silent,
  debug: silent,
  verbose: silent,
  http: silent,
  info: silent,
  warn: silent,
  log: silent,
};

export async function openMedusa(clientUrl, { skus, units }) {
  const connection = ModulesSdkUtils.createPgConnection({
    clientUrl,
    schema: 'public',
    driverOptions: { connection: { ssl: false } },
    pool: { min: 0, max: CONNECTIONS },
  });
  const database = { clientUrl, schema: 'public', driverOptions: { connection: { ssl: false } } };
  const options = {
    modulesConfig: { inventory: { resolve: '@medusajs/inventory', options: { database } } },
    injectedDependencies: {
      [ContainerRegistrationKeys.PG_CONNECTION]: connection,
      [ContainerRegistrationKeys.LOGGER]: logger,
    },
    sharedResourcesConfig: { database },
    cwd: new URL('./', import.meta.url).pathname,
  };
  const app = await quietly(async () => {
    const loaded = await MedusaApp(options);
    await loaded.runMigrations();
    await loaded.onApplicationStart();
    return loaded;
  });
  const { inventory } = app.modules;
  const ids = await fill(inventory, skus, units);
  const reserve = async (n) => {
    try {
      await inventory.createReservationItems({
        inventory_item_id: ids[n],
        location_id: LOCATION,
        quantity: 1,
      });
      return true;
    } catch (error) {
      if (error.type === 'not_allowed') return false;
      throw error;
    }
  };
  const close = async () => {
    await app.onApplicationPrepareShutdown();
    await app.onApplicationShutdown();
    await connection.destroy();
  };
  return { reserve, close };
}

/** It prints its migrations, and that the rest of Medusa is not there: neither belongs among the figures. */
async function quietly(work) {
  const { log, warn } = console;
  Object.assign(console, { log: silent, warn: silent });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, warn });
  }
}

/** Returns the items' ids. */
async function fill(inventory, skus, units) {
  const ids = [];
  for (let at = 0; at < skus; at += FILL_BATCH) {
    const count = Math.min(FILL_BATCH, skus - at);
    const items = Array.from({ length: count }, (_, n) => ({ sku: `SKU-${at + n}` }));
    const made = await inventory.createInventoryItems(items);
    await inventory.createInventoryLevels(
      made.map(({ id }) => ({ inventory_item_id: id, location_id: LOCATION, stocked_quantity: units })),
    );
    ids.push(...made.map(({ id }) => id));
  }
  return ids;
}
