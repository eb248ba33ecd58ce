/**
 * Holdfast beside what a shop would take otherwise, in one run on one machine: how fast units are reserved, and whether
 * more are given away than there are. `npm run bench:peers -- [--quick] [--only speed,race]`. What it needs is installed here, apart from
 * Holdfast's own packages. Started as root it makes the system user `postgres`, as Postgres does not run as root.
 */

import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { run } from '../arena.mjs';
import { median, number, table } from '../report.mjs';
import { installPeers } from './install.mjs';
import { openHoldfast, openNaiveShop } from './sqlite.mjs';

const CALLERS = [16, 64];
const SKUS = [1, 10_000];
const PLENTY_UNITS = 1_000_000;
/** The race for what is scarce: all ask for the same article until each has been told yes or no. */
const RACE = { units: 100, attempts: 2_000, quick_attempts: 400 };
const LOAD_QUIET_MAX = 0.5;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'speed,race' },
  },
});
const parts = new Set(values.only.split(','));
const rounds = values.quick ? 1 : 3;
/** Calls that take a slow one about as long as a fast one would take for many more. */
const share = values.quick ? 0.25 : 1;
const attempts = values.quick ? RACE.quick_attempts : RACE.attempts;

installPeers();
const { startPostgres } = await import('./postgres.mjs');
const { openMedusa } = await import('./medusa.mjs');

const load = loadavg()[0];
console.log(
  `${process.version}, ${availableParallelism()} cores, load before the start ${load.toFixed(1)}` +
    `${load > LOAD_QUIET_MAX ? ' (not quiet: trust the ratios only, and those with care)' : ''}`,
);

const postgres = await startPostgres();
try {
  const contestants = [
    { name: 'Holdfast', open: openHoldfast, calls: 8_000 },
    { name: 'naive better-sqlite3', open: openNaiveShop, calls: 2_000 },
    { name: 'Postgres, one conditional statement', open: (shop) => postgres.openShop(shop), calls: 4_000 },
    {
      name: 'Medusa createReservationItems',
      open: async (shop) => openMedusa(await postgres.newDatabase(), shop),
      calls: 400,
    },
  ];
  if (parts.has('speed')) await compareSpeed(contestants);
  if (parts.has('race')) await compareRaces(contestants);
} finally {
  await postgres.stop();
}
// Medusa keeps timers and connections of its own, which would keep the process.
process.exit();

async function compareSpeed(contestants) {
  const speeds = [];
  for (const skus of SKUS)
    for (const callers of CALLERS) speeds.push(await contest(skus, callers, contestants));
  table(
    'Reservations per second, durable before each answer, and the ratio to Holdfast in the same run',
    [
      '',
      ...speeds.map(({ skus, callers }) => `${number(skus)} SKU${skus === 1 ? '' : 's'}, ${callers} callers`),
    ],
    contestants.map(({ name }, n) => [
      name,
      ...speeds.map(({ per_s }) => `${number(per_s[n])}/s (${number(per_s[n] / per_s[0], 3)}×)`),
    ]),
  );
}

async function compareRaces(contestants) {
  const races = [];
  for (const { name, open } of contestants) {
    const outcomes = [];
    for (const callers of CALLERS) {
      console.error(`… ${name}, ${callers} callers`);
      outcomes.push(await race(open, callers));
    }
    races.push([name, ...outcomes]);
  }
  table(
    `${RACE.units} units of one SKU, ${number(attempts)} wishes for one each: granted, and oversold by`,
    ['', ...CALLERS.map((callers) => `${callers} callers`)],
    races,
  );
}

/** One round unmeasured, then in turns: what the machine does meanwhile happens to all. */
async function contest(skus, callers, contestants) {
  const shops = [];
  for (const { open } of contestants) shops.push(await open({ skus, units: PLENTY_UNITS }));
  const measured = contestants.map(() => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [n, { reserve }] of shops.entries()) {
      const calls = Math.ceil(contestants[n].calls * (round < 0 ? share / 4 : share));
      const { per_s } = await run(callers, calls, async () => {
        if (!(await reserve(Math.floor(Math.random() * skus)))) throw new Error('refused, of plenty');
      });
      if (round >= 0) measured[n].push(per_s);
    }
  }
  for (const { close } of shops) await close();
  return { skus, callers, per_s: measured.map(median) };
}

async function race(open, callers) {
  const { reserve, close } = await open({ skus: 1, units: RACE.units });
  let granted = 0;
  await run(callers, attempts, async () => {
    if (await reserve(0)) granted += 1;
  });
  await close();
  return `${number(granted)}, ${number(Math.max(0, granted - RACE.units))}`;
}
