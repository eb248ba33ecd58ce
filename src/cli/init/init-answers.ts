/** What `holdfast init` has to know: asked of a person, or taken from flags, files and a pipe. */

import { dirname, resolve } from 'node:path';
import { readConfig, type ShopCredentials } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import type { Environment } from '../../config/settings-sources.js';
import type { Dialogue } from '../terminal/prompts.js';
import type { SettingChanges } from './dotenv-file.js';

export interface Answers {
  readonly shop: string;
  readonly credentials: ShopCredentials;
  /** Absolute: desktop clients start servers in a folder of their own choosing. */
  readonly db: string;
  readonly public_url: string | null;
  /** Who takes the money for an order; null leaves the settings as they are. */
  readonly money: Money | null;
  /** The app's secret, where webhooks are wanted and the way of signing in does not bring it. */
  readonly webhook_secret: string | null;
}

/**
 * `pending`: the merchant, after the order. `paid`: somebody has it before the agent orders. `checkout_link`: the shop's own
 * checkout, where the buyer pays.
 */
export type Money = 'pending' | 'paid' | 'checkout_link';

export interface InitFlags {
  readonly money?: Money;
  readonly shop?: string;
  readonly tokenFile?: string;
  readonly tokenEnv?: string;
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly secretEnv?: string;
  readonly webhookSecretFile?: string;
  readonly webhookSecretEnv?: string;
  readonly db?: string;
  readonly publicUrl?: string;
}

/** Where `holdfast init` works. */
export interface Place {
  readonly folder: string;
  /** The settings file. */
  readonly file: string;
}

function ledgerBeside(file: string): string {
  return resolve(dirname(file), 'holdfast.db');
}

/** Where secrets come from when nobody is asked. */
export interface SecretSources {
  readonly environment: Environment;
  readonly readFile: (path: string) => string;
  /** What was piped in; empty when nothing was. */
  readonly readPiped: () => Promise<string>;
}

export type ShopName =
  | { readonly ok: true; readonly shop: string }
  | { readonly ok: false; readonly why: string };

/** Takes what people paste: a name, a domain, the address of the shop or of its admin. */
export function parseShopName(input: string): ShopName {
  const text = input.trim().toLowerCase();
  const admin = /^(?:https?:\/\/)?admin\.shopify\.com\/store\/([a-z0-9-]+)(?:[/?#].*)?$/.exec(text)?.[1];
  const host = admin ?? text.replace(/^https?:\/\//, '').replace(/[/?#].*$/, '');
  const name = host.replace(/\.myshopify\.com$/, '');
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return { ok: true, shop: `${name}.myshopify.com` };
  const why = name.includes('.')
    ? `${host} is a domain of the shop’s own. Wanted is its name at Shopify, like name.myshopify.com: Shopify admin → Settings → Domains lists it.`
    : 'Wanted is the shop’s name at Shopify, like name.myshopify.com.';
  return { ok: false, why };
}

/** What the settings of that name would say to this value; null when they take it. */
export function complaintAboutSetting(name: string, value: string): string | null {
  try {
    readConfig({ [name]: value });
    return null;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return (
      error.message
        .split('\n')
        .at(-1)
        ?.trim()
        .slice(name.length + 1) ?? error.message
    );
  }
}

/** Paths that are not full ones count from `folder`; a new ledger is put beside the settings file. */
export async function askAnswers(
  dialogue: Dialogue,
  present: Environment,
  { folder, file }: Place,
): Promise<Answers> {
  const { tell, ask } = dialogue;
  tell('Which shop? Its name at Shopify: in admin.shopify.com/store/NAME it is NAME.');
  const given = await ask('Shop', present['SHOPIFY_SHOP'] ?? null, (answer) => {
    const name = parseShopName(answer);
    return name.ok ? null : name.why;
  });
  const name = parseShopName(given);
  const shop = name.ok ? name.shop : given;
  const credentials = await askCredentials(dialogue, present);
  const db = await ask('Ledger file', present['HOLDFAST_DB'] ?? ledgerBeside(file), (answer) =>
    complaintAboutSetting('HOLDFAST_DB', answer),
  );
  tell(
    'Webhooks make changes known sooner. They need an address where the shop can reach this machine; without one the shop is asked every few seconds.',
  );
  const url = await ask('Public URL, or - for none', present['HOLDFAST_PUBLIC_URL'] ?? NO_URL, (answer) =>
    answer === NO_URL ? null : complaintAboutSetting('HOLDFAST_PUBLIC_URL', answer),
  );
  const public_url = url === NO_URL ? null : url;
  const asksSecret = public_url !== null && 'access_token' in credentials;
  const kept = present['SHOPIFY_WEBHOOK_SECRETS'] ?? null;
  const typed = asksSecret
    ? await dialogue.askSecret('API secret key of the app, which signs webhooks', kept !== null)
    : null;
  const money = await askMoney(dialogue, present);
  return { shop, credentials, db: resolve(folder, db), public_url, money, webhook_secret: typed ?? kept };
}

/** Null where the answer is what the settings say already, or what they mean by saying nothing. */
async function askMoney({ choose }: Dialogue, present: Environment): Promise<Money | null> {
  const { HOLDFAST_ORDER_MODE: mode, HOLDFAST_ORDER_PAYMENT: payment } = present;
  const now = mode === 'checkout_link' ? mode : payment === 'paid' ? payment : 'pending';
  const money = await choose<Money>(
    'Who takes the money for an order?',
    {
      pending: 'you do, later: the order stands in Shopify with its payment pending',
      paid: 'somebody has taken it before the agent orders: the order is marked as paid',
      checkout_link:
        'the shop’s own checkout: the agent gives its buyer a link, and there is no order before they paid',
    },
    now,
  );
  return money === now ? null : money;
}

/** Where to click, for a person who has never made an app. holdfast doctor names the scopes that are missing. */
const CLIENT_PATH = [
  '  1  dev.shopify.com/dashboard → Apps → Create app, in the organisation that the shop belongs to.',
  '  2  Its version: add the scopes read_inventory, read_locations, read_products, read_publications, read_orders, read_returns,',
  '     write_draft_orders, and release it. (Other settings of holdfast need others: the check below names what is missing.)',
  '  3  Install the app in the shop: Home → Install app.',
  '  4  Settings: client id and secret are there.',
];
const TOKEN_PATH = [
  '  Shopify admin → Settings → Apps and sales channels → Develop apps → your app → API credentials: the Admin API access token is',
  '  shown once, when the app is installed. Apps of this kind can’t be made any more: without one, choose client id and secret.',
];

async function askCredentials(dialogue: Dialogue, present: Environment): Promise<ShopCredentials> {
  const { SHOPIFY_ACCESS_TOKEN: token, SHOPIFY_CLIENT_ID: id, SHOPIFY_CLIENT_SECRET: secret } = present;
  const way = await dialogue.choose(
    'How does holdfast sign in?',
    {
      client: 'client id and secret of an app in the Dev Dashboard (all apps made since 2026)',
      token: 'access token (shpat_…) of an app made in Shopify admin before that',
    },
    token === undefined ? 'client' : 'token',
  );
  for (const line of way === 'token' ? TOKEN_PATH : CLIENT_PATH) dialogue.tell(line);
  if (way === 'token') {
    const typed = await dialogue.askSecret('Admin API access token', token !== undefined);
    return { access_token: typed ?? token ?? '' };
  }
  const client_id = await dialogue.ask('Client id', id ?? null, (answer) =>
    answer === '' ? 'It is needed.' : null,
  );
  const typed = await dialogue.askSecret('Client secret', secret !== undefined);
  return { client_id, client_secret: typed ?? secret ?? '' };
}

/** What says, where an address is asked for, that there is none. */
const NO_URL = '-';

/** Throws ConfigError naming the flag that is missing or wrong. */
export async function resolveAnswers(
  flags: InitFlags,
  present: Environment,
  sources: SecretSources,
  { folder, file }: Place,
): Promise<Answers> {
  const given = flags.shop ?? present['SHOPIFY_SHOP'];
  if (given === undefined) throw new ConfigError('init wants --shop NAME when there is nobody to ask.');
  const name = parseShopName(given);
  if (!name.ok) throw new ConfigError(`--shop: ${name.why}`);
  const secret = (file: string | undefined, variable: string | undefined, flag: string) =>
    namedSecret(file, variable, flag, sources);
  const webhook_secret =
    secret(flags.webhookSecretFile, flags.webhookSecretEnv, '--webhook-secret') ??
    present['SHOPIFY_WEBHOOK_SECRETS'];
  const credentials = await resolveCredentials(flags, present, sources);
  const url = flags.publicUrl ?? present['HOLDFAST_PUBLIC_URL'] ?? NO_URL;
  // With a token, a client secret that is in the file still signs.
  const isSigned = webhook_secret !== undefined || present['SHOPIFY_CLIENT_SECRET'] !== undefined;
  if (url !== NO_URL && 'access_token' in credentials && !isSigned) {
    throw new ConfigError(
      'A public URL with an access token wants the secret that signs webhooks too: give --webhook-secret-file PATH or --webhook-secret-env NAME (in Shopify admin: API secret key, on the page of the access token), or --public-url - to do without webhooks.',
    );
  }
  return {
    shop: name.shop,
    credentials,
    db: resolve(folder, flags.db ?? present['HOLDFAST_DB'] ?? ledgerBeside(file)),
    public_url: url === NO_URL ? null : url,
    money: flags.money ?? null,
    webhook_secret: webhook_secret ?? null,
  };
}

async function resolveCredentials(
  flags: InitFlags,
  present: Environment,
  sources: SecretSources,
): Promise<ShopCredentials> {
  const token = namedSecret(flags.tokenFile, flags.tokenEnv, '--token', sources);
  const secret = namedSecret(flags.secretFile, flags.secretEnv, '--secret', sources);
  if (token !== undefined && (secret !== undefined || flags.clientId !== undefined)) {
    throw new ConfigError('init takes an access token, or a client id and secret, not both.');
  }
  if (token !== undefined) return { access_token: token };
  const client_id = flags.clientId ?? (secret === undefined ? undefined : present['SHOPIFY_CLIENT_ID']);
  if (secret !== undefined && client_id === undefined) {
    throw new ConfigError('init wants --client-id with the client secret.');
  }
  if (client_id !== undefined && secret !== undefined) return { client_id, client_secret: secret };
  const piped = (await sources.readPiped()).trim();
  if (piped !== '') {
    const line = oneLine(piped, 'what was piped in');
    return client_id === undefined ? { access_token: line } : { client_id, client_secret: line };
  }
  return presentCredentials(client_id, present);
}

function presentCredentials(client_id: string | undefined, present: Environment): ShopCredentials {
  const { SHOPIFY_ACCESS_TOKEN: token, SHOPIFY_CLIENT_ID: id, SHOPIFY_CLIENT_SECRET: secret } = present;
  if (client_id === undefined && token !== undefined) return { access_token: token };
  const known = client_id ?? id;
  if (known !== undefined && secret !== undefined) return { client_id: known, client_secret: secret };
  throw new ConfigError(
    client_id === undefined
      ? 'How to sign in? Give --token-file PATH or --token-env NAME, or --client-id ID with --secret-file or --secret-env, or pipe the secret in.'
      : 'The client secret is missing: give --secret-file PATH or --secret-env NAME, or pipe it in.',
  );
}

function namedSecret(
  file: string | undefined,
  variable: string | undefined,
  flag: string,
  { environment, readFile }: SecretSources,
): string | undefined {
  if (file !== undefined && variable !== undefined)
    throw new ConfigError(`${flag}-file and ${flag}-env are two ways for one thing: choose one.`);
  if (file !== undefined) return oneLine(readSecret(file, flag, readFile), `the file of ${flag}-file`);
  if (variable === undefined) return undefined;
  const value = environment[variable];
  if (value === undefined || value === '')
    throw new ConfigError(`${flag}-env: the variable of that name is not set.`);
  return oneLine(value, `the variable of ${flag}-env`);
}

function readSecret(file: string, flag: string, readFile: (path: string) => string): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new ConfigError(`${flag}-file can't be read (${String((error as NodeJS.ErrnoException).code)}).`);
  }
}

function oneLine(text: string, where: string): string {
  const line = text.trim();
  if (line === '' || /\s/.test(line)) throw new ConfigError(`Wanted is one secret and no more in ${where}.`);
  return line;
}

/** The settings to write. What the answers make void is removed. */
export function settingsOfAnswers({
  shop,
  credentials,
  db,
  public_url,
  money,
  webhook_secret,
}: Answers): SettingChanges {
  return {
    SHOPIFY_SHOP: shop,
    ...('access_token' in credentials
      ? // A client secret that is there may stay: it verifies webhooks, and a token goes before it for signing in.
        { SHOPIFY_ACCESS_TOKEN: credentials.access_token }
      : {
          SHOPIFY_ACCESS_TOKEN: undefined,
          SHOPIFY_CLIENT_ID: credentials.client_id,
          SHOPIFY_CLIENT_SECRET: credentials.client_secret,
        }),
    HOLDFAST_DB: db,
    HOLDFAST_PUBLIC_URL: public_url ?? undefined,
    ...(money === null ? {} : moneySettings(money)),
    SHOPIFY_WEBHOOK_SECRETS: webhook_secret ?? undefined,
  };
}

function moneySettings(money: Money): SettingChanges {
  return money === 'checkout_link'
    ? { HOLDFAST_ORDER_MODE: money, HOLDFAST_ORDER_PAYMENT: undefined }
    : { HOLDFAST_ORDER_MODE: undefined, HOLDFAST_ORDER_PAYMENT: money };
}
