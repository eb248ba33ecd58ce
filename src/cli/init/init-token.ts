/** `holdfast init` for an agent that connects over HTTP: a token, the setting that names the list, and what to paste. */

import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { principalSchema } from '../../auth/token-entries.js';
import { readConfig, type TokensSource } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import type { Environment } from '../../config/settings-sources.js';
import { readTextIfThere, replaceFile } from '../terminal/atomic-write.js';
import { buildMcpAddress, clientLines, mintToken } from '../tokens/mint-token.js';
import { changeEntries } from '../tokens/token-file.js';
import { withSettings } from './dotenv-file.js';

export const AGENT_FALLBACK = 'agent';

export function complaintAboutAgent(name: string): string | null {
  return principalSchema.safeParse(name).error?.issues[0]?.message ?? null;
}

export interface TokenPorts {
  readonly environment: Environment;
  readonly tell: (line: string) => void;
  readonly folder: string;
}

/** Shows the token, this once. `file`: the settings file. Throws `ConfigError`; a token that was made then is of no use. */
export async function initToken(
  { principal, canOrder }: { readonly principal: string; readonly canOrder: boolean },
  file: string,
  { environment, tell, folder }: TokenPorts,
): Promise<void> {
  const complaint = complaintAboutAgent(principal);
  if (complaint !== null) throw new ConfigError(`--agent ${complaint}.`);
  const text = readTextIfThere(file) ?? '';
  const present = parseEnv(text) as Environment;
  const fresh = resolve(dirname(file), 'holdfast-tokens.json');
  const named = present['HOLDFAST_TOKENS'] ?? environment['HOLDFAST_TOKENS'];
  const source = resolveSource(named ?? fresh, folder);
  const { token, entry } = mintToken({ principal, canOrder }, Date.now());
  const changed = await changeEntries(source, (entries) => [...entries, entry]);
  const setting = 'inline' in source ? (changed?.text ?? '') : (named ?? fresh);
  const isOurs = named === undefined || present['HOLDFAST_TOKENS'] !== undefined;
  if (!isOurs && 'inline' in source) {
    tell(`\nHOLDFAST_TOKENS is set in the environment: set it to this there.\n${setting}`);
  } else if (isOurs && setting !== present['HOLDFAST_TOKENS']) {
    const made = withSettings(text, { HOLDFAST_TOKENS: setting });
    if (!made.ok) throw new ConfigError(`${file} was left as it is. ${made.why}`);
    replaceFile(file, made.text, 'private');
  }
  const { http } = readConfig({ ...environment, ...present, HOLDFAST_TOKENS: setting });
  tell(
    `\nA token for ${principal} that may read stock${canOrder ? ', reserve and order' : ' and reserve, and place no orders'}, until ${entry.expires_at?.slice(0, 10)}. It is shown this once:\n\n  ${token}\n`,
  );
  if ('path' in source) tell(`${source.path} has its SHA-256 alone; HOLDFAST_TOKENS names that file.`);
  for (const line of clientLines(token, buildMcpAddress(http))) tell(line);
  tell(
    `holdfast serve --http serves it. From now on nobody gets in there without a token.${named === undefined ? ' A server that runs already was started without HOLDFAST_TOKENS: start it again, or it still lets everybody in.' : ''}`,
  );
}

function resolveSource(setting: string, folder: string): TokensSource {
  const { tokens } = readConfig({ HOLDFAST_TOKENS: setting });
  if (tokens === null) throw new Error('a setting that was given');
  return 'path' in tokens ? { path: resolve(folder, tokens.path) } : tokens;
}
