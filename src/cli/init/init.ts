/** `holdfast init`: asks for what is needed, checks it with the shop, and writes `.env` and the client's configuration. */

import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { readConfig } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import type { Environment } from '../../config/settings-sources.js';
import { isOpenToOthers } from '../../store/sqlite/database/ledger-file.js';
import { type Check, type Finding, formatFinding, isWhole, type Terminal } from '../doctor/finding.js';
import { readTextIfThere, replaceFile } from '../terminal/atomic-write.js';
import type { Dialogue } from '../terminal/prompts.js';
import {
  entryText,
  isInNpxCache,
  type Merged,
  mergeEntry,
  type ServerEntry,
  serverEntry,
  type ThisProgram,
} from './client-config.js';
import { changedNames, type SettingChanges, withSettings } from './dotenv-file.js';
import { askAnswers, type InitFlags, type Place, resolveAnswers, settingsOfAnswers } from './init-answers.js';
import { AGENT_FALLBACK, complaintAboutAgent, initToken } from './init-token.js';
import { CLIENT_NAMES, type ClientName, findClient, type McpClient } from './mcp-clients.js';

type ClientChoice = ClientName | 'http' | 'print' | 'none';

export interface InitOptions extends InitFlags {
  /** The settings file to write. */
  readonly file: string;
  readonly client?: ClientChoice;
  /** For the client `http`: whom the token is for. */
  readonly agent?: string;
  /** For the client `http`: whether its token may place orders. */
  readonly canOrder?: boolean;
  readonly yes: boolean;
  /** False: written without asking the shop. Settings that no command would take are refused all the same. */
  readonly check: boolean;
}

export interface InitPorts {
  /** What the machine's environment and `.env` say now. */
  readonly environment: Environment;
  /** Null when there is nobody to ask. */
  readonly dialogue: Dialogue | null;
  readonly readPiped: () => Promise<string>;
  readonly diagnose: (environment: Environment) => Promise<readonly Finding[]>;
  readonly tell: (line: string) => void;
  readonly terminal: Terminal;
  readonly program: ThisProgram;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly folder: string;
}

/** What can be right or wrong before anything runs. */
const CHECKED: ReadonlySet<Check> = new Set([
  'settings',
  'disk',
  'ledger',
  'payment',
  'shop',
  'clock',
  'token',
  'scopes',
  'plan',
  'locations',
]);

/** False when it was left, or when what was given does not work; then nothing was written. */
export async function init(options: InitOptions, ports: InitPorts): Promise<boolean> {
  const { dialogue, tell, folder } = ports;
  if (dialogue === null && !options.yes) {
    throw new ConfigError(
      'There is nobody to ask (no terminal): say --yes, and give the answers as flags. holdfast init --help lists them.',
    );
  }
  const file = resolve(folder, options.file);
  const text = readSettings(file);
  const present = parseEnv(text ?? '') as Environment;
  const place = { folder, file };
  const changes =
    dialogue === null
      ? await settleUnasked(options, present, ports, place)
      : await settleAsked(options, present, { ...ports, dialogue }, place);
  if (changes === null) return false;
  if (!(await writeSettings(file, text, changes, ports))) return false;
  if (isOpenToGit(file)) {
    ports.tell(
      `! ${file} lies in a git repository that does not ignore it: add a line with its name to .gitignore, or the secret goes into the history.`,
    );
  }
  warnOfEnvironment(changes, ports, present);
  const configured = await configureClient(options, file, ports);
  tell('\nNext: holdfast doctor looks at everything once more; holdfast sync reads the shop’s stock.');
  return configured;
}

/** Null when what was given does not work. */
async function settleUnasked(
  { check, ...flags }: InitOptions,
  present: Environment,
  ports: InitPorts,
  place: Place,
): Promise<SettingChanges | null> {
  const sources = { ...ports, readFile: (path: string) => readFileSync(path, 'utf8') };
  const changes = settingsOfAnswers(await resolveAnswers(flags, present, sources, place));
  if (!check) readConfig(withoutUnset({ ...present, ...changes }));
  if (!check || (await passes(changes, ports))) return changes;
  ports.tell('\nNothing was written. Mend it, or say --no-check to write it as it is.');
  return null;
}

/** Asks until the answers work, the person wants them all the same (then they are written), or leaves (null). No answer is lost. */
async function settleAsked(
  { check }: InitOptions,
  present: Environment,
  ports: InitPorts & { readonly dialogue: Dialogue },
  place: Place,
): Promise<SettingChanges | null> {
  const { dialogue, tell } = ports;
  let changes: SettingChanges = {};
  let next: AfterCheck = 'again';
  for (;;) {
    if (next === 'again') {
      const known = withoutUnset({ ...present, ...changes });
      changes = { ...changes, ...settingsOfAnswers(await askAnswers(dialogue, known, place)) };
    }
    if (!check) readConfig(withoutUnset({ ...present, ...changes }));
    if (!check || (await passes(changes, ports))) return changes;
    tell('');
    next = await dialogue.choose<AfterCheck>('That does not work yet. What now?', AFTER_CHECK, 'again');
    if (next === 'write') return changes;
    if (next === 'leave') return null;
  }
}

type AfterCheck = keyof typeof AFTER_CHECK;

const AFTER_CHECK = {
  again: 'go through the questions again: Enter keeps each answer',
  check: 'check the same answers once more, when what was named is mended',
  write: 'write the settings all the same',
  leave: 'leave, and write nothing',
} as const;

async function passes(changes: SettingChanges, ports: InitPorts): Promise<boolean> {
  ports.tell('\nAsking the shop …');
  const environment = withoutUnset({ ...ports.environment, ...changes });
  const findings = (await ports.diagnose(environment)).filter(
    ({ check, verdict, code }) => CHECKED.has(check) && !(verdict === 'skipped' && code === 'skipped'),
  );
  for (const finding of findings) for (const line of formatFinding(finding, ports.terminal)) ports.tell(line);
  return isWhole(findings);
}

function withoutUnset(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}

/** False when the person would rather not. */
async function writeSettings(
  file: string,
  text: string | null,
  changes: SettingChanges,
  { dialogue, tell }: InitPorts,
): Promise<boolean> {
  const names = changedNames(text ?? '', changes);
  if (text !== null && names.length === 0) {
    if (isOpenToOthers(statSync(file))) writePrivately(file, text);
    tell(`\n${file} has all of this already.`);
    return true;
  }
  const made = withSettings(text ?? HEAD, changes);
  if (!made.ok) throw new ConfigError(`${file} was left as it is. ${made.why}`);
  const present = parseEnv(text ?? '');
  const replaced = names.filter((name) => present[name] !== undefined);
  if (replaced.length > 0 && dialogue !== null) {
    const question = `${file} is there. Its values of ${replaced.join(', ')} will be replaced or removed; all other lines stay. Go on?`;
    if (!(await dialogue.confirm(`\n${question}`, true))) {
      tell('Nothing was written.');
      return false;
    }
  }
  writePrivately(file, made.text);
  const what = text === null ? 'Written' : `Changed (${names.join(', ')})`;
  tell(`\n${what}: ${file}. It holds a secret: only you may read it; keep it out of version control.`);
  return true;
}

/** Throws `ConfigError`. */
function writePrivately(file: string, text: string): void {
  try {
    replaceFile(file, text, 'private');
  } catch (error) {
    throw new ConfigError(`${file} can't be written (${readErrorCode(error)}): it was left as it is.`);
  }
}

/** Whether git would take the file into version control. False outside a repository, and where there is no git. */
function isOpenToGit(file: string): boolean {
  return spawnSync('git', ['check-ignore', '--quiet', file], { cwd: dirname(file) }).status === NOT_IGNORED;
}

/** git's exit code; others say that it is ignored, or that there is no repository. */
const NOT_IGNORED = 1;

const HEAD = '# Settings of holdfast. Secrets are in here: keep this file to yourself.\n';

/** A server that starts with other values than the file's is a riddle to whoever has just written the file. */
function warnOfEnvironment(
  changes: SettingChanges,
  { environment, tell }: InitPorts,
  present: Environment,
): void {
  const other = Object.keys(changes).filter((name) => {
    const value = environment[name];
    return value !== undefined && value !== present[name] && value !== changes[name];
  });
  if (other.length === 0) return;
  tell(
    `! ${other.join(', ')} ${other.length === 1 ? 'is' : 'are'} set to something else in the environment, which goes before the file. Unset ${other.length === 1 ? 'it' : 'them'}.`,
  );
}

/** False when the configuration could not be written; it is printed then, so that nothing is lost. */
async function configureClient(options: InitOptions, file: string, ports: InitPorts): Promise<boolean> {
  const entry = serverEntry(ports.program, file);
  const { dialogue, tell } = ports;
  const choice = options.client ?? (dialogue === null ? 'print' : await askClient(dialogue, entry, ports));
  if (choice === 'none') return true;
  if (choice === 'http') {
    const asked = await dialogue?.ask('Its name', options.agent ?? AGENT_FALLBACK, complaintAboutAgent);
    const principal = asked ?? options.agent ?? AGENT_FALLBACK;
    const canOrder =
      dialogue === null
        ? options.canOrder === true
        : await dialogue.confirm(
            `May ${principal} place orders, and not only reserve?`,
            options.canOrder === true,
          );
    await initToken({ principal, canOrder }, file, ports);
    return true;
  }
  if (isInNpxCache(ports.program)) {
    tell(
      `! This copy of holdfast lies in the cache of npx, which npm may empty. Install it (README, Connect a client) and run holdfast init again, so that the client still finds it then.`,
    );
  }
  if (choice === 'print') {
    tell(`\nFor your MCP client:\n${entryText(entry)}`);
    return true;
  }
  const client = findClient(choice, entry, ports);
  if (client.way === 'printed') {
    tell(`\nFor ${client.title}:`);
    for (const line of client.lines) tell(line);
    return true;
  }
  const { path } = client;
  const merged = mergeClient(path, entry);
  if (merged.ok && merged.change === 'same') {
    tell(`${path} has holdfast already.`);
    return true;
  }
  if (!merged.ok) {
    tell(
      `✗ ${path} was left as it is: ${merged.why} Mend it, then run holdfast init again, or add this yourself:\n${entryText(entry)}`,
    );
    return false;
  }
  if (merged.change === 'replaced' && dialogue !== null) {
    const goOn = await dialogue.confirm(`${path} has a holdfast already. Replace how it is started?`, true);
    if (!goOn) return true;
  }
  return writeClient(client, entry, merged, ports);
}

async function askClient(dialogue: Dialogue, entry: ServerEntry, ports: InitPorts): Promise<ClientChoice> {
  const named = CLIENT_NAMES.map((name) => {
    const client = findClient(name, entry, ports);
    const how = client.way === 'file' ? client.path : 'prints what to run or paste';
    return [name, `${client.title} (${how})`] as const;
  });
  return await dialogue.choose<ClientChoice>(
    '\nWhich MCP client shall know of holdfast?',
    {
      ...(Object.fromEntries(named) as Record<ClientName, string>),
      print: 'another one that starts it: print what to paste',
      http: 'an agent that connects over HTTP: make a token for it',
      none: 'none for now',
    },
    'claude-desktop',
  );
}

function mergeClient(path: string, entry: ServerEntry): Merged {
  try {
    return mergeEntry(readTextIfThere(path), entry);
  } catch (error) {
    return { ok: false, why: `it can't be read (${readErrorCode(error)}).` };
  }
}

function writeClient(
  { path, title, after }: Extract<McpClient, { way: 'file' }>,
  entry: ServerEntry,
  merged: Extract<Merged, { ok: true }>,
  { tell }: InitPorts,
): boolean {
  const backup = `${path}.before-holdfast`;
  let before: string | null = null;
  try {
    before = readTextIfThere(path);
    // Other servers' secrets may be in it.
    if (before !== null) replaceFile(backup, before, 'private');
    replaceFile(path, merged.text, 'kept');
  } catch (error) {
    const why =
      readErrorCode(error) === 'ENOENT'
        ? `its folder is not there: is ${title} installed?`
        : `it can't be written (${readErrorCode(error)}).`;
    tell(`✗ ${path}: ${why} To add it yourself:\n${entryText(entry)}`);
    return false;
  }
  tell(
    `${merged.change === 'added' ? 'Added to' : 'Changed in'} ${path}. ${after}${before === null ? '' : ` As it was before: ${backup}.`}`,
  );
  if (merged.overriding.length > 0) {
    tell(
      `! Its entry sets ${merged.overriding.join(', ')} itself, which goes before the settings file. Remove ${merged.overriding.length === 1 ? 'it' : 'them'} there unless that is meant.`,
    );
  }
  return true;
}

/** Null when there is no file. */
function readSettings(file: string): string | null {
  try {
    return readTextIfThere(file);
  } catch (error) {
    throw new ConfigError(
      `${file} can't be read (${readErrorCode(error)}). Mend its permissions, or give another one with --file.`,
    );
  }
}

function readErrorCode(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? error);
}
