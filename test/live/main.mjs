/**
 * `npm run test:live`: asks a real development store what Shopify's documents leave open, runs the whole of Holdfast on it,
 * and prints what it did next to what the sandbox shop does. Takes everything back, also after a failure or Ctrl-C.
 *
 * Credentials come from the environment or `.env`, as for holdfast itself. Without any it refuses; so it does with a store
 * that sells to people, unless --any-store says that you mean it.
 */

import { parseArgs } from 'node:util';
import { machineEnvironment } from '../../dist/cli/ledger/machine-environment.js';
import { readConfig } from '../../dist/config/config.js';
import { ConfigError } from '../../dist/config/config-error.js';
import { SANDBOX_ACCESS_TOKEN } from '../../dist/sandbox/api-rules/access.js';
import { SEED_SKUS } from '../../dist/sandbox/base/catalogue.js';
import { SandboxServer } from '../../dist/sandbox/server.js';
import { Cleaning } from './cleaning.mjs';
import { runFlow } from './flow.mjs';
import { findGoods, makeGoods } from './goods.mjs';
import { answerOf, QUESTIONS } from './questions.mjs';
import { Refused, Shop, tokenFor } from './shop.mjs';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SANDBOX_SHOP = 'sandbox.myshopify.com';

const { values: flags } = parseArgs({
  options: {
    'any-store': { type: 'boolean', default: false },
    only: { type: 'string' },
    sku: { type: 'string' },
    'hold-seconds': { type: 'string', default: '60' },
    'lapse-max-seconds': { type: 'string', default: '900' },
    'search-max-seconds': { type: 'string', default: '180' },
    'order-max-seconds': { type: 'string', default: '180' },
    'no-sandbox': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

class Unwilling extends Error {}

const seconds = Object.entries(flags).filter(([name]) => name.endsWith('-seconds'));

const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    console.error('\nLeaving: what was made is being removed …');
    leaving.abort(new Error('left'));
  });
}

try {
  for (const [name, value] of seconds) {
    if (!/^[1-9]\d{0,4}$/.test(value)) throw new Unwilling(`--${name} wants a whole number of seconds.`);
  }
  process.exitCode = (await main()) ? 0 : EXIT_FAILED;
} catch (error) {
  if (!leaving.signal.aborted)
    console.error(error instanceof Unwilling || error instanceof ConfigError ? error.message : error);
  process.exitCode = error instanceof Unwilling || error instanceof ConfigError ? EXIT_USAGE : EXIT_FAILED;
}

async function main() {
  const environment = machineEnvironment();
  const real = await openRealShop(environment);
  const sandbox = flags['no-sandbox'] ? null : await column('the sandbox', await openSandbox());
  const shop = await column(real.shop.origin, real);
  const whole = {
    shop: real.shop.name,
    origin: real.shop.origin,
    answers: rowsOf(shop.rows, sandbox?.rows),
    left: shop.left,
  };
  if (flags.json) console.log(JSON.stringify(whole, null, 2));
  else print(whole);
  return (
    shop.left.length === 0 && whole.answers.every(({ real: answer }) => !/^no(?: answer)?\b/.test(answer))
  );
}

async function openRealShop(environment) {
  const { shop: config, http, public_url } = readConfig(environment);
  if (config === null) {
    throw new Unwilling(
      'The live test wants a development store: set SHOPIFY_SHOP, and SHOPIFY_ACCESS_TOKEN or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET. Nothing was done.',
    );
  }
  const { shop: name, origin } = config;
  const token = await tokenFor(config);
  const shop = new Shop({ origin: origin ?? `https://${name}`, name, token, signal: leaving.signal });
  const { shop: plan } = await shop.data('{ shop { myshopifyDomain plan { partnerDevelopment } } }');
  if (!plan.plan.partnerDevelopment && !flags['any-store']) {
    throw new Unwilling(
      `${plan.myshopifyDomain} is no development store: the live test makes orders and cancels them, and would not be alone there. Nothing was done. If you mean it, say --any-store.`,
    );
  }
  const names = [
    'SHOPIFY_SHOP',
    'SHOPIFY_ACCESS_TOKEN',
    'SHOPIFY_CLIENT_ID',
    'SHOPIFY_CLIENT_SECRET',
    'SHOPIFY_ORIGIN',
  ];
  const settings = Object.fromEntries(
    names.flatMap((key) => (environment[key] === undefined ? [] : [[key, environment[key]]])),
  );
  const sku = flags.sku ?? environment.LIVE_SKU ?? null;
  const webhooks = public_url === null ? null : { ...http, public_url };
  return {
    shop,
    settings,
    sku,
    webhooks,
    limits: limitsOf(Number(flags['hold-seconds'])),
    stop: async () => {},
  };
}

/** Its holds may be short: nothing has to travel. */
async function openSandbox() {
  const server = new SandboxServer({ plan: 'development' });
  const { origin } = await server.start();
  return {
    shop: new Shop({ origin, name: SANDBOX_SHOP, token: SANDBOX_ACCESS_TOKEN, signal: leaving.signal }),
    settings: {
      SHOPIFY_SHOP: SANDBOX_SHOP,
      SHOPIFY_ACCESS_TOKEN: SANDBOX_ACCESS_TOKEN,
      SHOPIFY_ORIGIN: origin,
    },
    sku: SEED_SKUS.plentiful,
    webhooks: { host: '127.0.0.1', port: 0, public_url: null },
    limits: limitsOf(Math.min(2, Number(flags['hold-seconds']))),
    stop: () => server.stop(),
  };
}

function limitsOf(hold_s) {
  return {
    hold_s,
    lapse_max_s: Number(flags['lapse-max-seconds']),
    search_max_s: Number(flags['search-max-seconds']),
    order_max_s: Number(flags['order-max-seconds']),
  };
}

/** Everything asked of one shop, and what of it could not be taken back. */
async function column(title, { shop, settings, sku, webhooks, limits, stop }) {
  const cleaning = new Cleaning();
  const rows = [];
  const told = (what, answer) => {
    rows.push({ what, answer });
    console.error(`${title}: ${what}: ${answer}`);
  };
  const left = [];
  try {
    const goods = await goodsFor(shop, sku, cleaning, told);
    const pace = { max_ms: 60_000, every_ms: 500, signal: leaving.signal };
    const stage = { shop, goods, cleaning, limits, pace, settings, webhooks, signal: leaving.signal };
    for (const question of QUESTIONS.filter(({ id }) => isWanted(id))) {
      const mark = cleaning.mark;
      told(question.what, await answerOf(question, stage));
      left.push(...(await cleaning.rewind(shop.undisturbed(), mark)));
    }
    if (isWanted('flow')) await flow(stage, told);
  } finally {
    left.push(...(await cleaning.run(shop.undisturbed())));
    for (const line of left) console.error(`${title}: NOT REMOVED: ${line}`);
    await stop();
  }
  return { rows, left };
}

/** What was found out before is told all the same. */
async function flow(stage, told) {
  try {
    await runFlow(stage, told);
  } catch (error) {
    if (leaving.signal.aborted) throw error;
    told('Holdfast: the whole way', `no: ${error.message}`);
  }
}

function isWanted(id) {
  return (
    flags.only === undefined ||
    flags.only.split(',').some((wanted) => id === wanted || id.replace(/[a-z]$/, '') === wanted)
  );
}

async function goodsFor(shop, sku, cleaning, told) {
  try {
    const goods = await makeGoods(shop, cleaning, leaving.signal);
    told('A product of its own', `made: ${goods.sku}`);
    return goods;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (sku === null) {
      throw new Unwilling(
        `The shop lets us make no product (${error.message}): give the token write_products and write_inventory, or name a SKU of yours that has 3 units at least with LIVE_SKU.`,
      );
    }
    const goods = await findGoods(shop, sku);
    told('A product of its own', `none (not allowed): ${goods.sku} is used`);
    return goods;
  }
}

function rowsOf(real, sandbox = []) {
  return real.map(({ what, answer }) => ({
    question: what,
    real: answer,
    sandbox: sandbox.find((row) => row.what === what)?.answer ?? '',
  }));
}

function print({ shop, origin, answers, left }) {
  const heading = /^https:\/\/[a-z0-9-]+\.myshopify\.com$/.test(origin)
    ? `real Shopify (${shop})`
    : `${shop} at ${origin}`;
  const table = [
    ['question', heading, 'sandbox'],
    ...answers.map((row) => [row.question, row.real, row.sandbox]),
  ];
  const widths = [0, 1].map((at) => Math.max(...table.map((row) => row[at].length)));
  console.log('');
  for (const [question, real, sandbox] of table) {
    console.log(`${question.padEnd(widths[0])} | ${real.padEnd(widths[1])} | ${sandbox}`);
  }
  const different = answers.filter((row) => row.sandbox !== '' && row.real !== row.sandbox);
  console.log(
    `\n${different.length} of ${answers.length} answers differ. Times always will; states and codes should not.`,
  );
  for (const line of left) console.log(`NOT REMOVED: ${line}`);
}
