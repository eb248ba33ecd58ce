#!/usr/bin/env node
/** The command line. Each command is loaded only when it is called: a stdio server has to start quickly. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('holdfast')
  .description('Lets AI agents sell a shop’s stock without ever overselling it.')
  .version(version)
  .showHelpAfterError('(holdfast --help lists what there is)')
  .exitOverride();

program
  .command('serve', { isDefault: true })
  .description('the MCP server, on stdio')
  .option('--http', 'serve MCP over HTTP on HOLDFAST_HTTP_HOST:HOLDFAST_HTTP_PORT instead')
  .option('--sandbox', 'use the built-in sandbox shop')
  .action(async (options: { http?: boolean; sandbox?: boolean }) => {
    const { serve } = await import('./serve.js');
    await serve({ version, http: options.http === true, sandbox: options.sandbox === true });
  });

program
  .command('demo')
  .description('plays one agent’s day against the sandbox shop and tells what happened and why')
  .option('--stay', 'leave everything running and print the URLs')
  .action(async (options: { stay?: boolean }) => {
    const { demo } = await import('./demo.js');
    process.exitCode = (await demo({ stay: options.stay === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('sandbox')
  .description('the sandbox shop alone: anybody’s Shopify client can talk to it')
  .option('--port <port>', 'TCP port; 0 takes a free one', portNumber, 4010)
  .action(async (options: { port: number }) => {
    const { sandbox } = await import('./sandbox.js');
    await sandbox(options.port);
  });

program
  .command('verify')
  .description('proves the journal chain and every invariant of the ledger')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { verify } = await import('./verify.js');
    process.exitCode = verify({ json: options.json === true }) ? 0 : EXIT_FAILED;
  });

const orders = program
  .command('orders')
  .description('orders: list; approve or reject one that is held; retry one that is parked');
orders
  .command('list', { isDefault: true })
  .description('the newest orders')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listOrders } = await import('./orders.js');
    await listOrders({ json: options.json === true });
  });
for (const [verdict, which] of [
  ['approve', 'held'],
  ['reject', 'held'],
  ['retry', 'parked'],
] as const) {
  orders
    .command(`${verdict} <order>`)
    .description(`${verdict} a ${which} order`)
    .action(async (order: string) => {
      const { decideOrder } = await import('./orders.js');
      process.exitCode = (await decideOrder(order, verdict)) ? 0 : EXIT_FAILED;
    });
}

const reservations = program.command('reservations').description('reservations: list, release one');
reservations
  .command('list', { isDefault: true })
  .description('the newest reservations')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listReservations } = await import('./reservations.js');
    await listReservations({ json: options.json === true });
  });
reservations
  .command('release <reservation>')
  .description('free a reservation')
  .action(async (reservation: string) => {
    const { releaseReservation } = await import('./reservations.js');
    process.exitCode = (await releaseReservation(reservation)) ? 0 : EXIT_FAILED;
  });

program
  .command('explain <order>')
  .description('the whole story of one order, from the journal')
  .option('--json', 'print JSON')
  .action(async (order: string, options: { json?: boolean }) => {
    const { explain } = await import('./explain.js');
    process.exitCode = (await explain(order, { json: options.json === true })) ? 0 : EXIT_FAILED;
  });

function portNumber(input: string): number {
  if (!/^\d{1,5}$/.test(input) || Number(input) > 65_535) throw new InvalidArgumentError('wants 0 to 65535');
  return Number(input);
}

/** Commands of the specification that this version does not have yet. */
const PLANNED: readonly string[] = ['init', 'doctor', 'sync', 'reconcile', 'simulate', 'tokens'];

/** Told here: Commander would hand an unknown word to the default command, which then complains of arguments. */
function refuseUnknown(name: string | undefined): void {
  if (name === undefined || name.startsWith('-') || name === 'help') return;
  if (program.commands.some((command) => command.name() === name)) return;
  const why = PLANNED.includes(name) ? `'${name}' is not built yet` : `unknown command '${name}'`;
  program.error(`error: ${why}`, { exitCode: EXIT_USAGE });
}

try {
  refuseUnknown(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    const { name, message } = error as Error;
    const known = name === 'ConfigError' || name === 'LedgerUnusable';
    console.error(known ? message : error);
    process.exitCode = name === 'ConfigError' ? EXIT_USAGE : EXIT_FAILED;
  }
}
