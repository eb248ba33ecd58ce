/** The entry for holdfast in the configuration of an MCP client, merged into what is there. No secret goes into it. */

import { posix, win32 } from 'node:path';

/** How a client starts the server. */
export interface ServerEntry {
  readonly command: string;
  readonly args: readonly string[];
}

export interface ThisProgram {
  /** The Node that runs now. */
  readonly node: string;
  /** Full path of the command's script, links resolved. */
  readonly script: string;
}

/**
 * Names Node and the script by their full paths: desktop clients don't have the PATH of a shell. Never has npm fetch the package by
 * its name: as long as it is not published, the name is free, and whoever registers it would be given the shop's token.
 */
export function serverEntry({ node, script }: ThisProgram, settingsFile: string): ServerEntry {
  return { command: node, args: [script, 'serve', '--env', settingsFile] };
}

/** Whether the script lies in the cache of npx, which npm may empty. */
export function isInNpxCache({ script }: ThisProgram): boolean {
  return script.split(/[\\/]/).includes('_npx');
}

/** Where Claude Desktop keeps its configuration. */
export function claudeDesktopPath(
  platform: NodeJS.Platform,
  home: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const name = 'claude_desktop_config.json';
  if (platform === 'win32') {
    return win32.join(environment['APPDATA'] ?? win32.join(home, 'AppData', 'Roaming'), 'Claude', name);
  }
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'Claude', name);
  return posix.join(environment['XDG_CONFIG_HOME'] || posix.join(home, '.config'), 'Claude', name);
}

export type Merged =
  | {
      readonly ok: true;
      readonly text: string;
      readonly change: 'added' | 'replaced' | 'same';
      /** Settings in the entry's own `env`, which go before those of the file. */
      readonly overriding: readonly string[];
    }
  | { readonly ok: false; readonly why: string };

/** `text` null: there is no file yet. Everything else in it stays, in its order. */
export function mergeEntry(text: string | null, entry: ServerEntry): Merged {
  const parsed = parseObject(text ?? '{}');
  if (typeof parsed === 'string') return { ok: false, why: parsed };
  if (text !== null && !survives(text, parsed)) return { ok: false, why: LOSSY };
  const { mcpServers: servers = {} } = parsed;
  if (!isRecord(servers)) return { ok: false, why: '"mcpServers" in it is not an object.' };
  const { holdfast: before } = servers;
  if (before !== undefined && !isRecord(before))
    return { ok: false, why: '"holdfast" in its "mcpServers" is not an object.' };
  const after = { ...before, ...entry };
  const same = JSON.stringify(after) === JSON.stringify(before);
  const merged = { ...parsed, mcpServers: { ...servers, holdfast: after } };
  const { env } = after as { readonly env?: unknown };
  const overriding = isRecord(env)
    ? Object.keys(env).filter((name) => /^(?:SHOPIFY|HOLDFAST)_/.test(name))
    : [];
  return {
    ok: true,
    text: same && text !== null ? text : `${JSON.stringify(merged, null, detectIndent(text))}\n`,
    change: before === undefined ? 'added' : same ? 'same' : 'replaced',
    overriding,
  };
}

/** For any other client, and for those who look before they paste. */
export function entryText(entry: object, key = 'mcpServers'): string {
  return JSON.stringify({ [key]: { holdfast: entry } }, null, 2);
}

function parseObject(text: string): Record<string, unknown> | string {
  const bare = text.replace(/^\uFEFF/, '');
  if (bare.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(bare);
  } catch (error) {
    // The parser's own words may repeat what is in the file: only the place is taken from them.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = at === undefined ? bare.split('\n').length : bare.slice(0, Number(at)).split('\n').length;
    return `it is not valid JSON (line ${line}). A comma too many or too few is the usual cause.`;
  }
  return isRecord(value) ? value : 'it is JSON, but not an object.';
}

const LOSSY =
  'something in it would not be the same after it was read and written again (a very large number, 1.0, or a name that comes twice).';

/** JavaScript rounds numbers, drops the first of two equal names, and sorts names that are numbers: nothing to do to others. */
function survives(text: string, parsed: Record<string, unknown>): boolean {
  const before = tokenizeJson(text);
  const after = tokenizeJson(JSON.stringify(parsed));
  return (
    before.length === 0 || (before.length === after.length && before.every((one, i) => one === after[i]))
  );
}

/** Of valid JSON, without its spaces; strings in the one way of writing them. */
function tokenizeJson(text: string): string[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}[\]:,]/g) ?? [];
  return tokens.map((token) => (token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token));
}

function detectIndent(text: string | null): string | number {
  return /\n([ \t]+)"/.exec(text ?? '')?.[1] ?? 2;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
