import { describe, expect, it } from 'vitest';
import {
  claudeDesktopPath,
  entryText,
  isInNpxCache,
  mergeEntry,
  serverEntry,
} from '../../../src/cli/init/client-config.js';

const ENTRY = serverEntry(
  { node: '/usr/bin/node', script: '/opt/holdfast/dist/cli/holdfast.js' },
  '/home/me/.env',
);

function merged(text: string | null): { text: string; change: string; overriding: readonly string[] } {
  const made = mergeEntry(text, ENTRY);
  if (!made.ok) throw new Error(made.why);
  return made;
}

describe('the entry for an MCP client', () => {
  it('starts this very program by full paths, with the settings file, and holds no secret', () => {
    expect(ENTRY).toEqual({
      command: '/usr/bin/node',
      args: ['/opt/holdfast/dist/cli/holdfast.js', 'serve', '--env', '/home/me/.env'],
    });
    expect(JSON.parse(entryText(ENTRY))).toEqual({ mcpServers: { holdfast: ENTRY } });
  });

  it('never has npm fetch the package by its name, and tells of a copy that npm may delete', () => {
    const script = '/home/me/.npm/_npx/0123/node_modules/holdfast/dist/cli/holdfast.js';
    const cached = { node: '/opt/node/bin/node', script };
    expect(serverEntry(cached, '/x/.env')).toEqual({
      command: '/opt/node/bin/node',
      args: [script, 'serve', '--env', '/x/.env'],
    });
    expect(isInNpxCache(cached)).toBe(true);
    const onWindows = {
      node: 'C:\\node.exe',
      script: 'C:\\npm-cache\\_npx\\01\\holdfast\\dist\\cli\\holdfast.js',
    };
    expect(isInNpxCache(onWindows)).toBe(true);
    expect(isInNpxCache({ node: '/usr/bin/node', script: '/opt/holdfast/dist/cli/holdfast.js' })).toBe(false);
  });

  it('is put where Claude Desktop looks on each system', () => {
    expect(claudeDesktopPath('darwin', '/Users/me', {})).toBe(
      '/Users/me/Library/Application Support/Claude/claude_desktop_config.json',
    );
    expect(claudeDesktopPath('win32', 'C:\\Users\\me', { APPDATA: 'D:\\Roaming' })).toBe(
      'D:\\Roaming\\Claude\\claude_desktop_config.json',
    );
    expect(claudeDesktopPath('win32', 'C:\\Users\\me', {})).toBe(
      'C:\\Users\\me\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
    );
    expect(claudeDesktopPath('linux', '/home/me', {})).toBe(
      '/home/me/.config/Claude/claude_desktop_config.json',
    );
    expect(claudeDesktopPath('linux', '/home/me', { XDG_CONFIG_HOME: '/cfg' })).toBe(
      '/cfg/Claude/claude_desktop_config.json',
    );
  });
});

describe('merging it into what is there', () => {
  it('loses nothing: other servers, other settings, their order and the indentation stay', () => {
    const text =
      '{\n\t"theme": "dark",\n\t"mcpServers": {\n\t\t"files": { "command": "x", "args": ["y"] }\n\t},\n\t"last": [1, 2]\n}\n';
    const { text: after, change } = merged(text);
    expect(change).toBe('added');
    expect(after).toContain('\n\t"theme"');
    const before = JSON.parse(text);
    expect(JSON.parse(after)).toEqual({ ...before, mcpServers: { ...before.mcpServers, holdfast: ENTRY } });
    expect(Object.keys(JSON.parse(after))).toEqual(['theme', 'mcpServers', 'last']);
  });

  it.each([null, '', '  \n', '{}', '\uFEFF{}'])('begins from nothing: %j', (text) => {
    expect(JSON.parse(merged(text).text)).toEqual({ mcpServers: { holdfast: ENTRY } });
  });

  it('does not mind how a string was written', () => {
    const { text } = merged(
      '{ "a": "\\u00e4\\/ \\" 1.0 {", "n": [-1.5, true, null, 12e30] }'.replace('12e30', '1.2e+31'),
    );
    expect(JSON.parse(text)).toMatchObject({ a: 'ä/ " 1.0 {', n: [-1.5, true, null, 1.2e31] });
  });

  it('changes nothing when it is there already, not even a space', () => {
    const text = JSON.stringify({ mcpServers: { holdfast: ENTRY } });
    expect(merged(text)).toMatchObject({ text, change: 'same' });
  });

  it('keeps what else an older entry says, and names settings in it that go before the file', () => {
    const old = {
      command: 'old',
      args: [],
      disabled: true,
      env: { SHOPIFY_ACCESS_TOKEN: 'shpat_old', LANG: 'de' },
    };
    const { text, change, overriding } = merged(JSON.stringify({ mcpServers: { holdfast: old } }));
    expect(JSON.parse(text).mcpServers.holdfast).toEqual({ ...old, ...ENTRY });
    expect({ change, overriding }).toEqual({ change: 'replaced', overriding: ['SHOPIFY_ACCESS_TOKEN'] });
  });

  it.each([
    ['{ "mcpServers": { "other": { "id": 12345678901234567890 } } }', 'would not be the same'],
    ['{ "scale": 1.0 }', 'would not be the same'],
    ['{ "a": 1, "a": 2 }', 'would not be the same'],
    ['{ "b": 1, "7": 2 }', 'would not be the same'],
    ['{\n  "a": 1,\n}', 'line 3'],
    ['{ "token": "shpat_secret" ', 'not valid JSON'],
    ['[1]', 'not an object'],
    ['"text"', 'not an object'],
    ['{ "mcpServers": [] }', '"mcpServers"'],
    ['{ "mcpServers": { "holdfast": "x" } }', '"holdfast"'],
  ])('does not touch what it can’t understand: %j', (text, why) => {
    const made = mergeEntry(text, ENTRY);
    expect(made).toMatchObject({ ok: false, why: expect.stringContaining(why) });
    expect(JSON.stringify(made)).not.toContain('secret');
  });
});
