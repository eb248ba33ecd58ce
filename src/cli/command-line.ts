/** The command line. Each command is loaded only when it is called: a stdio server has to start quickly. */

import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { InitOptions } from './init/init.js';
import type { SandboxCommandOptions } from './sandbox.js';
import { nearestWord } from './terminal/nearest-word.js';
import { refuseSecretsIn } from './terminal/reject-secret-args.js';
import type { AddOptions } from './tokens/tokens.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Rows of a list on one page. */
const LIST_DEFAULT = 50;
const LIST_MAX = 1_000;

interface ListFlags {
  parked?: boolean;
  limit: number;
  before?: string;
  json?: boolean;
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('holdfast')
  .description('Lets AI agents sell a shop’s stock without ever overselling it.')
  .version(version)
  .option(
    '--env <file>',
    'the settings file, in place of .env in this folder; what the environment says goes before it',
  )
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
    const { loadWith } = await import('./optional-package.js');
    const load = () => import('./demo/demo.js');
    const { demo } = await loadWith('@modelcontextprotocol/client', 'The demo', load);
    process.exitCode = (await demo({ stay: options.stay === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('sandbox')
  .description('the sandbox shop alone: anybody’s Shopify client can talk to it')
  .option('--port <port>', 'TCP port; 0 takes a free one', portNumber, 4010)
  .option('--variants <n>', 'a made-up catalogue of that size in place of the apparel shop', variantCount)
  .option('--locations <n>', 'its locations', locationCount, 4)
  .addOption(
    new Option('--pricing <rule>', 'how queries are priced')
      .choices(['measured', 'documented'])
      .default('measured'),
  )
  .addOption(
    new Option('--rate <plan>', 'how fast callers may be')
      .choices(['standard', 'advanced', 'plus', 'enterprise', 'unlimited'])
      .default('standard'),
  )
  .option('--seed <n>', 'repeats the choices of random faults', wholeNumber)
  .action(async (options: SandboxCommandOptions) => {
    const { sandbox } = await import('./sandbox.js');
    await sandbox(options);
  });

program
  .command('init')
  .description(
    'asks for what is needed, checks it with the shop, and writes .env and the MCP client’s configuration',
  )
  .option('--shop <name>', 'name.myshopify.com, or the address of its admin')
  .option('--token-file <path>', 'file with the Admin API access token')
  .option('--token-env <name>', 'environment variable with the access token')
  .option('--client-id <id>', 'client id of a Dev Dashboard app')
  .option('--secret-file <path>', 'file with the client secret')
  .option('--secret-env <name>', 'environment variable with the client secret')
  .option('--webhook-secret-file <path>', 'file with the secret(s) that sign webhooks, where they differ')
  .option('--webhook-secret-env <name>', 'environment variable with them')
  .option('--db <path>', 'the ledger file')
  .option('--public-url <url>', 'where the shop can reach the webhooks; - for none')
  .option('--file <path>', 'the settings file to write', '.env')
  .addOption(
    new Option('--client <which>', 'MCP client to configure').choices([
      'claude-desktop',
      'claude-code',
      'cursor',
      'vscode',
      'codex',
      'gemini',
      'http',
      'print',
      'none',
    ] satisfies InitOptions['client'][]),
  )
  .option('--agent <name>', 'with --client http: whom to make a token for (default: agent)')
  .option('--can-order', 'with --client http: let it place orders, too')
  .addOption(
    new Option('--money <who>', 'who takes the money for an order').choices([
      'pending',
      'paid',
      'checkout_link',
    ]),
  )
  .option('--yes', 'ask nothing: answers come from the flags, and from the settings file that is there')
  .option('--no-check', 'write without asking the shop whether it works')
  .addHelpText(
    'after',
    '\nSecrets are never taken as words of the command line: name a file or a variable, or pipe one in.',
  )
  .action(async (options: InitOptions) => {
    const { initHere } = await import('./init/init-command.js');
    process.exitCode = (await initHere({ ...options, yes: options.yes === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('doctor')
  .description('checks settings, ledger, shop, token, scopes, clock and webhooks, and says how to mend each')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { doctor } = await import('./doctor/doctor.js');
    process.exitCode = (await doctor({ json: options.json === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('sync')
  .description('reads the whole shop into the ledger now')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { sync } = await import('./sync.js');
    process.exitCode = (await sync({ json: options.json === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('reconcile')
  .description('compares the ledger with the shop, corrects it, and reports every SKU that differed')
  .option('--json', 'print JSON')
  .option('--check', 'exit 1 when anything differed')
  .action(async (options: { json?: boolean; check?: boolean }) => {
    const { reconcile } = await import('./reconcile.js');
    const done = await reconcile({ json: options.json === true, check: options.check === true });
    process.exitCode = done ? 0 : EXIT_FAILED;
  });

program
  .command('verify')
  .description('proves the journal chain and every invariant of the ledger')
  .option('--anchors', 'also by the anchors that stand on the shop’s orders')
  .option(
    '--since <anchor>',
    'also by an anchor that was kept elsewhere: as an earlier verify printed it, or as JSON',
  )
  .option('--json', 'print JSON')
  .action(async (options: { anchors?: boolean; since?: string; json?: boolean }) => {
    const { verify } = await import('./verify.js');
    const { anchors = false, since = null, json = false } = options;
    process.exitCode = (await verify({ anchors, since, json })) ? 0 : EXIT_FAILED;
  });

const orders = program
  .command('orders')
  .description('orders: list; approve or reject one that is held; retry one that is parked');
orders
  .command('list', { isDefault: true })
  .description('the newest orders; with --held and --parked those that are either')
  .option('--held', 'those that are held')
  .option('--parked', 'those that the server has given up on')
  .option('--limit <n>', 'so many at most', listCount, LIST_DEFAULT)
  .option('--before <order>', 'only older ones: the next page begins after the last of this one')
  .option('--json', 'print JSON')
  .action(async (options: ListFlags & { held?: boolean }) => {
    const { listOrders } = await import('./orders.js');
    const { held, parked, limit, before, json } = options;
    const wanted = { isHeld: held === true, isParked: parked === true, limit, beforeId: before ?? null };
    process.exitCode = (await listOrders({ ...wanted, json: json === true })) ? 0 : EXIT_FAILED;
  });
for (const [verdict, which] of [
  ['approve', 'held'],
  ['reject', 'held'],
  ['retry', 'parked'],
] as const) {
  orders
    .command(`${verdict} <order>`)
    .description(`${verdict} a ${which} order`)
    .option('--json', 'print JSON')
    .action(async (order: string, options: { json?: boolean }) => {
      const { decideOrder } = await import('./orders.js');
      const done = await decideOrder(order, verdict, { json: options.json === true });
      process.exitCode = done ? 0 : EXIT_FAILED;
    });
}

const reservations = program
  .command('reservations')
  .description('reservations: list, release one, retry one that is parked');
reservations
  .command('list', { isDefault: true })
  .description('the newest reservations; with --active and --parked those that are either')
  .option('--active', 'those that hold units until their time is over')
  .option('--parked', 'those that the server has given up on')
  .option('--limit <n>', 'so many at most', listCount, LIST_DEFAULT)
  .option('--before <reservation>', 'only older ones: the next page begins after the last of this one')
  .option('--json', 'print JSON')
  .action(async (options: ListFlags & { active?: boolean }) => {
    const { listReservations } = await import('./reservations.js');
    const { active, parked, limit, before, json } = options;
    const wanted = { isActive: active === true, isParked: parked === true, limit, beforeId: before ?? null };
    process.exitCode = (await listReservations({ ...wanted, json: json === true })) ? 0 : EXIT_FAILED;
  });
reservations
  .command('release <reservation>')
  .description('free a reservation')
  .option('--json', 'print JSON')
  .action(async (reservation: string, options: { json?: boolean }) => {
    const { releaseReservation } = await import('./reservations.js');
    const done = await releaseReservation(reservation, { json: options.json === true });
    process.exitCode = done ? 0 : EXIT_FAILED;
  });

reservations
  .command('retry <reservation>')
  .description('let the server go on with one that it has parked, once you have looked at the shop')
  .option('--json', 'print JSON')
  .action(async (reservation: string, options: { json?: boolean }) => {
    const { retryReservation } = await import('./reservations.js');
    const done = await retryReservation(reservation, { json: options.json === true });
    process.exitCode = done ? 0 : EXIT_FAILED;
  });

const holds = program
  .command('holds')
  .description('units that the shop keeps reserved for no reservation: list them, give them back');
holds
  .command('list', { isDefault: true })
  .description(
    'levels of which the shop has more reserved than reservations own (only with HOLDFAST_MIRROR=move)',
  )
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listUnowned } = await import('./holds.js');
    process.exitCode = (await listUnowned({ json: options.json === true })) ? 0 : EXIT_FAILED;
  });
holds
  .command('return <id>')
  .description('gives such units back to what can be sold: no other app and no person may need them')
  .option('--units <n>', 'how many (default: all that nobody owns)', unitCount)
  .option('--json', 'print JSON')
  .action(async (id: string, options: { units?: number; json?: boolean }) => {
    const { returnUnowned } = await import('./holds.js');
    const { units = null, json = false } = options;
    process.exitCode = (await returnUnowned(id, { units, json })) ? 0 : EXIT_FAILED;
  });

const tokens = program
  .command('tokens')
  .description('tokens of HTTP callers: list, add one, revoke; a running server follows within a second');
tokens
  .command('list', { isDefault: true })
  .description('who has a token, for what and until when; never the token')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) => {
    const { listTokens } = await import('./tokens/tokens.js');
    listTokens({ json: options.json === true });
  });
tokens
  .command('add')
  .description('makes a token and shows it, this once')
  .requiredOption('--principal <name>', 'whom it is for: reservations and orders belong to this name')
  .option(
    '--scopes <list>',
    'inventory:read, inventory:reserve, orders:submit, with commas between (default: the first two)',
  )
  .option('--can-order', 'let it place orders, too: adds orders:submit')
  .option('--channel <name>', 'where they sell')
  .option('--expires <when>', '90d, 2027-03-31, 2027-03-31T18:00Z or never (default: 90d)')
  .option('--json', 'print JSON')
  .action(async (options: Omit<AddOptions, 'json'> & { json?: boolean }) => {
    const { addToken } = await import('./tokens/tokens.js');
    await addToken({ ...options, json: options.json === true });
  });
tokens
  .command('revoke <name>')
  .description('all tokens of a principal, or the one whose SHA-256 begins so (8 digits or more)')
  .option('--release', 'also free what principals without a token left have reserved, and not ordered')
  .option('--json', 'print JSON')
  .action(async (name: string, options: { release?: boolean; json?: boolean }) => {
    const { revokeTokens } = await import('./tokens/tokens.js');
    const { release = false, json = false } = options;
    process.exitCode = (await revokeTokens(name, { release, json })) ? 0 : EXIT_FAILED;
  });

program
  .command('explain <order>')
  .description('the whole story of one order, from the journal')
  .option('--json', 'print JSON')
  .action(async (order: string, options: { json?: boolean }) => {
    const { explain } = await import('./explain.js');
    process.exitCode = (await explain(order, { json: options.json === true })) ? 0 : EXIT_FAILED;
  });

program
  .command('simulate')
  .description('plays the stale-stock incident against six ways of selling, Holdfast among them')
  .option('--seed <n>', 'of the first sale; the same seed brings the same sale', wholeNumber, 1)
  .option('--seeds <n>', 'sales to play, each with the next seed', saleCount, 1)
  .option('--html <file>', 'write a report with plots that can be printed')
  .option('--json', 'print JSON')
  .action(async (options: { seed: number; seeds: number; html?: string; json?: boolean }) => {
    const { simulate } = await import('./simulate.js');
    process.exitCode = (await simulate({ ...options, json: options.json === true })) ? 0 : EXIT_FAILED;
  });

function listCount(input: string): number {
  return countUpTo(input, LIST_MAX);
}

function saleCount(input: string): number {
  return countUpTo(input, 1_000);
}

function variantCount(input: string): number {
  return countUpTo(input, 1_000_000);
}

function locationCount(input: string): number {
  return countUpTo(input, 1_000);
}

function countUpTo(input: string, max: number): number {
  const count = wholeNumber(input);
  if (count < 1 || count > max) throw new InvalidArgumentError(`wants 1 to ${max}`);
  return count;
}

function wholeNumber(input: string): number {
  if (!/^\d{1,10}$/.test(input)) throw new InvalidArgumentError('wants a whole number');
  return Number(input);
}

function unitCount(input: string): number {
  const units = wholeNumber(input);
  if (units < 1) throw new InvalidArgumentError('wants a whole number from 1 on');
  return units;
}

function portNumber(input: string): number {
  if (!/^\d{1,5}$/.test(input) || Number(input) > 65_535) throw new InvalidArgumentError('wants 0 to 65535');
  return Number(input);
}

/** The word that names the command; options of the whole program may stand before it. */
function firstWord(args: readonly string[]): string | undefined {
  const [first = '', , ...rest] = args;
  if (first === '--env') return firstWord(rest);
  return first.startsWith('--env=') ? firstWord(args.slice(1)) : args[0];
}

/** Told here: Commander would hand an unknown word to the default command, which then complains of arguments. */
function refuseUnknown(name: string | undefined): void {
  if (name === undefined || name.startsWith('-') || name === 'help') return;
  if (program.commands.some((command) => command.name() === name)) return;
  const meant = nearestWord(
    name,
    program.commands.map((command) => command.name()),
  );
  const hint = meant === null ? '' : `\nDid you mean holdfast ${meant}?`;
  program.error(`error: unknown command '${name}'${hint}`, { exitCode: EXIT_USAGE });
}

program.hook('preAction', async () => {
  const { env } = program.opts<{ env?: string }>();
  if (env === undefined) return;
  const { useSettingsFile } = await import('./ledger/machine-environment.js');
  useSettingsFile(env);
});

/** Errors that are told to a person without a stack, by name, and what they are called in JSON. */
const KNOWN_CODES: ReadonlyMap<string, string> = new Map([
  ['ConfigError', 'settings_wrong'],
  ['SecretInWords', 'secret_in_words'],
  ['LedgerUnusable', 'ledger_unusable'],
  ['DriverMissing', 'driver_missing'],
  ['PackageMissing', 'package_missing'],
  ['PortTaken', 'port_taken'],
]);

const HASH_HINT = "In a shell # begins a comment: for the order #1009 write 1009, or '#1009'.";

try {
  refuseSecretsIn(process.argv.slice(2));
  refuseUnknown(firstWord(process.argv.slice(2)));
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.missingArgument' && error.message.includes("'order'"))
      console.error(HASH_HINT);
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    const { name, message } = error as Error;
    const isUsage = name === 'ConfigError' || name === 'SecretInWords';
    const code = KNOWN_CODES.get(name);
    if (code === undefined) console.error(error);
    else if (process.argv.includes('--json'))
      console.log(JSON.stringify({ ok: false, code, message }, null, 2));
    else console.error(message);
    process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
  }
}
