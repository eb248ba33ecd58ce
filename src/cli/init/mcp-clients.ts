/** The MCP clients that `holdfast init` knows by name, and how each is told of a server. No secret is in any of it. */

import { posix, win32 } from 'node:path';
import { claudeDesktopPath, entryText, type ServerEntry } from './client-config.js';

export const CLIENT_NAMES = ['claude-desktop', 'claude-code', 'cursor', 'vscode', 'codex', 'gemini'] as const;

export type ClientName = (typeof CLIENT_NAMES)[number];

/** The machine that the client runs on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type McpClient =
  /** Its file is changed, and nothing else in it. */
  | { readonly title: string; readonly way: 'file'; readonly path: string; readonly after: string }
  /** Its own command, or what to paste into its file: printed. */
  | { readonly title: string; readonly way: 'printed'; readonly lines: readonly string[] };

export function findClient(name: ClientName, entry: ServerEntry, machine: Machine): McpClient {
  const { platform, home, environment } = machine;
  const inHome = (...parts: string[]): string =>
    platform === 'win32' ? win32.join(home, ...parts) : posix.join(home, ...parts);
  const words = [entry.command, ...entry.args];
  switch (name) {
    case 'claude-desktop':
      return {
        title: 'Claude Desktop',
        way: 'file',
        path: claudeDesktopPath(platform, home, environment),
        after: 'Quit Claude Desktop and start it again.',
      };
    case 'cursor':
      return {
        title: 'Cursor',
        way: 'file',
        path: inHome('.cursor', 'mcp.json'),
        after: 'Cursor → Settings → MCP shows it.',
      };
    case 'gemini':
      return {
        title: 'Gemini CLI',
        way: 'file',
        path: inHome('.gemini', 'settings.json'),
        after: 'gemini mcp list shows it, in a folder that Gemini trusts.',
      };
    case 'claude-code':
      return {
        title: 'Claude Code',
        way: 'printed',
        lines: [
          'Run this:',
          `  ${commandLine(['claude', 'mcp', 'add', '--scope', 'user', 'holdfast', '--', ...words], platform)}`,
        ],
      };
    case 'codex':
      return {
        title: 'Codex',
        way: 'printed',
        lines: [
          'Run this:',
          `  ${commandLine(['codex', 'mcp', 'add', 'holdfast', '--', ...words], platform)}`,
        ],
      };
    case 'vscode':
      return {
        title: 'VS Code',
        way: 'printed',
        lines: [
          'Run “MCP: Open User Configuration” from its command palette (or make .vscode/mcp.json in a folder), and add:',
          ...entryText({ type: 'stdio', ...entry }, 'servers').split('\n'),
        ],
      };
  }
}

/** The words as a person types them into a shell of that platform. */
export function commandLine(words: readonly string[], platform: NodeJS.Platform): string {
  const quote = (word: string): string => {
    if (/^[\w@%+=:,./-]+$/.test(word)) return word;
    return platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", `'\\''`)}'`;
  };
  return words.map(quote).join(' ');
}
