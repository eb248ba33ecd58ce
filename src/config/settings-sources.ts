/**
 * Where settings come from, and which of them go together. A file in the folder that a program happens to be started in may be
 * anybody's: it may complete what the machine's environment says, and it must not lead the environment's credential elsewhere.
 */

import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError, SettingsAbsent } from './config-error.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The file named by `--env`; else `.env` of the working folder, or of none: on stdio another program chose that folder. */
export type SettingsFile =
  | { readonly kind: 'named'; readonly path: string }
  | { readonly kind: 'of_folder'; readonly path: string }
  | { readonly kind: 'none' };

interface Settings {
  /** For people. */
  readonly from: string;
  readonly values: Environment;
}

/** Whatever follows: a line of ours that is misspelt is to be complained of. */
const OUR_NAMES = /^(?:HOLDFAST|SHOPIFY)_/u;
/** How the shop is signed in to: one of them from one source and another from another were never meant for each other. */
const CREDENTIALS = ['SHOPIFY_ACCESS_TOKEN', 'SHOPIFY_CLIENT_ID', 'SHOPIFY_CLIENT_SECRET'] as const;
/** What the built-in shop takes, which everybody knows. */
const SANDBOX_SECRETS = new Set(['shpat_sandbox', 'sandbox']);

/**
 * The machine's environment, and what a file adds to it. The credentials come whole from the first source that has any, and
 * `SHOPIFY_ORIGIN` counts only from the same one. `tell` hears what was left out. Throws `ConfigError` for a named file that can't
 * be read.
 */
export function readSettings(
  machine: Environment,
  file: SettingsFile,
  tell: (sentence: string) => void = () => {},
): Environment {
  const ofFile = readFile(file, tell);
  const sources: readonly Settings[] = [
    { from: 'the environment', values: machine },
    ...(ofFile === null ? [] : [ofFile]),
  ];
  const merged = Object.assign({}, ...sources.map(({ values }) => values).reverse()) as Record<
    string,
    string | undefined
  >;
  const signing = sources.find(({ values }) => CREDENTIALS.some((name) => values[name] !== undefined));
  if (signing === undefined) return merged;
  for (const name of CREDENTIALS) setOrDelete(merged, name, signing.values[name]);
  const origin = merged['SHOPIFY_ORIGIN'];
  if (origin === undefined || isSandbox(signing.values)) return merged;
  setOrDelete(merged, 'SHOPIFY_ORIGIN', signing.values['SHOPIFY_ORIGIN']);
  if (merged['SHOPIFY_ORIGIN'] === undefined)
    tell(
      `SHOPIFY_ORIGIN is left out: it does not come from ${signing.from}, where the credentials come from, and they go nowhere else. Put both in one place, or remove it.`,
    );
  return merged;
}

function setOrDelete(
  settings: Record<string, string | undefined>,
  name: string,
  value: string | undefined,
): void {
  if (value === undefined) delete settings[name];
  else settings[name] = value;
}

function isSandbox(values: Environment): boolean {
  return CREDENTIALS.every((name) => values[name] === undefined || SANDBOX_SECRETS.has(values[name]));
}

function readFile(file: SettingsFile, tell: (sentence: string) => void): Settings | null {
  if (file.kind === 'none') return null;
  const { path } = file;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    if (file.kind === 'named') {
      if (code === 'ENOENT') {
        throw new SettingsAbsent(
          `There is no file ${path}. holdfast init --file "${path}" asks for what is needed and writes it; or correct the path after --env.`,
        );
      }
      throw new ConfigError(`The file ${path} can't be read (${code}). Mend its permissions or remove it.`);
    }
    // It may be another program's, and none of our business.
    if (code !== 'ENOENT') tell(`The file ${path} can't be read (${code}), so nothing of it counts.`);
    return null;
  }
  const ours = Object.entries(parseEnv(text.replace(/^\ufeff/u, ''))).filter(([name]) =>
    OUR_NAMES.test(name),
  );
  return { from: path, values: Object.fromEntries(ours) };
}
