/** The settings that a command runs with. */

import { type Config, readConfig } from '../../config/config.js';
import { type Environment, readSettings, type SettingsFile } from '../../config/settings-sources.js';
import { chooseDriver } from '../../store/sqlite/database/load-driver.js';

let named: string | null = null;

/** `--env FILE`: that file in place of the one in this folder. */
export function useSettingsFile(path: string): void {
  named = path;
}

/**
 * The environment, and the settings file if there is one. `stdio`: `./.env` is not read, because the MCP client and not the user chose
 * the working folder. Writes to stderr which settings were ignored, and why.
 */
export function machineEnvironment({ stdio = false } = {}): Environment {
  return readSettings(process.env, chosenFile(stdio), (sentence) => console.error(`holdfast: ${sentence}`));
}

/** The settings that a command runs with, and the SQLite driver that they choose. Throws `ConfigError`. */
export function machineConfig(): Config {
  const config = readConfig(machineEnvironment());
  if (config.sqlite_driver !== null) chooseDriver(config.sqlite_driver);
  return config;
}

/** The file that a command reads its settings from, whether or not it is there. */
export function settingsFilePath(): string | null {
  const file = chosenFile(false);
  return file.kind === 'none' ? null : file.path;
}

function chosenFile(stdio: boolean): SettingsFile {
  if (named !== null) return { kind: 'named', path: named };
  return stdio ? { kind: 'none' } : { kind: 'of_folder', path: '.env' };
}
