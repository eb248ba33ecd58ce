/** Thrown for a bad setting. The message is for a person and holds no secret. */
export class ConfigError extends Error {
  /** The names of the settings that are wrong, where single ones are. */
  readonly settings: readonly string[];

  constructor(message: string, settings: readonly string[] = []) {
    super(message);
    this.name = 'ConfigError';
    this.settings = settings;
  }
}

/** Thrown where nothing is set up yet: no setting is wrong, and `holdfast init` makes what is missing. */
export class SettingsAbsent extends ConfigError {}
